package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTemplateValidate(t *testing.T) {
	t.Parallel()
	faulty := strings.Replace(checkoutTemplate, `"Shop::Charge"`, `"Shop::Chargee"`, 1)
	for _, test := range []struct {
		name     string
		template string
		args     []string
		code     int
		want     string
	}{
		{"valid", checkoutTemplate, nil, 0, "1 template is valid\n"},
		{"handler nobody serves", faulty, nil, 1, "templates/checkout.yaml:10:35: nobody serves the handler \"Shop::Chargee\" of step \"charge\" (did you mean \"Shop::Charge\"?)\n1 fault\n"},
		{"handlers not asked for", faulty, []string{"--no-handlers"}, 0, "1 template is valid\n"},
		{"unknown key", strings.Replace(checkoutTemplate, "handler_class", "handler_clas", 1), []string{"--no-handlers", "templates/checkout.yaml"}, 1, "templates/checkout.yaml:10:20: unknown key \"handler_clas\" (did you mean \"handler_class\"?)\n1 fault\n"},
		{"absent file", checkoutTemplate, []string{"nowhere.yaml"}, 1, "nowhere.yaml: cannot be read: no such file or directory (name a template file or a folder of them)\n1 fault\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write(t, "executors/ruby/shop/charge.rb", chargeHandler)
			w.write(t, "templates/checkout.yaml", test.template)
			got := w.run(t, append([]string{"template", "validate"}, test.args...)...)
			if diff := cmp.Diff(test.want, got.stdout); diff != "" || got.code != test.code || got.stderr != "" {
				t.Errorf("%+v, want exit code %d; stdout (-want +got):\n%s", got, test.code, diff)
			}
		})
	}
}

func TestHandlerThatRaisesAtLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "templates/checkout.yaml", checkoutTemplate)
	w.write(t, "executors/ruby/shop/charge.rb", chargeHandler)
	w.write(t, "executors/ruby/shop/bad.rb", "def helper; raise 'no luck'; end\nhelper\n")
	w.write(t, "executors/python/shop/bad.py", "\nraise ValueError('bad luck')\n")
	got := w.run(t, "template", "validate")
	if got.code != 0 || got.stdout != "1 template is valid\n" {
		t.Errorf("exit code %d, stdout %q; want the others to be served", got.code, got.stdout)
	}
	for _, want := range []string{
		"warning: handler not served: ruby/shop/bad.rb: RuntimeError: no luck\n", "/bad.rb:1:in ", "/bad.rb:2:in ",
		"warning: handler not served: python/shop/bad.py: ValueError: bad luck\n", "/bad.py\", line 2, in <module>",
	} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
		}
	}
	var all []finding
	if err := json.Unmarshal([]byte(w.succeed(t, "template", "validate", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || !all[0].Warning || len(all[0].Traceback) == 0 || all[0].File != "executors/ruby/shop/bad.rb" {
		t.Errorf("as JSON: %+v, want two warnings with tracebacks", all)
	}
}

func TestRuntimeThatIsAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "PATH="+pathWithoutRuby(t))
	w.write(t, "templates/checkout.yaml", checkoutTemplate)
	w.write(t, "executors/ruby/shop/charge.rb", chargeHandler)
	w.write(t, "executors/node/other.js", "exports.Other = class { process() { return {} } }\n")
	got := w.run(t, "template", "validate")
	want := "warning: handler not served: ruby: there are ruby handlers, but ruby cannot be found on PATH: install Ruby"
	if got.code != exitFailure || !strings.HasPrefix(got.stderr, want) || !strings.Contains(got.stdout, `nobody serves the handler "Shop::Charge"`) {
		t.Errorf("%+v, want %q", got, want)
	}
}

// pathWithoutRuby is a PATH with node alone.
func pathWithoutRuby(t *testing.T) string {
	t.Helper()
	for folder := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		node, err := filepath.EvalSymlinks(filepath.Join(folder, "node"))
		if err != nil {
			continue
		}
		only := t.TempDir()
		if err := os.Symlink(node, filepath.Join(only, "node")); err != nil {
			t.Fatal(err)
		}
		return only
	}
	t.Fatal("there is no node on PATH")
	return ""
}

func TestTemplateListAndShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, "templates/readme.txt", "")
	if got := w.succeed(t, "template", "list"); got != "no templates\n" {
		t.Errorf("list of none is %q", got)
	}
	w.write(t, "templates/checkout.yaml", checkoutTemplate)
	w.write(t, "templates/failing.yaml", failingTemplate)
	golden(t, "template_list", w.succeed(t, "template", "list")+w.succeed(t, "template", "list", "--json"))
	golden(t, "template_show", w.succeed(t, "template", "show", "shop/failing@1.0.0"))
	if !json.Valid([]byte(w.succeed(t, "template", "show", "shop/failing@1.0.0", "--json"))) {
		t.Error("show --json is no JSON")
	}
	refused(t, w.run(t, "template", "show", "shop/chekout@1.0.0"), "there is no template shop/chekout@1.0.0; did you mean shop/checkout@1.0.0?")
}

func TestTemplateSync(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	steps := []struct {
		args, want string
	}{
		{"template sync", "1 added, 0 replaced, 0 unchanged\n"},
		{"template sync", "0 added, 0 replaced, 1 unchanged\n"},
		{"template sync --json", "{\n  \"added\": 0,\n  \"replaced\": 0,\n  \"restored\": 0,\n  \"unchanged\": 1\n}\n"},
	}
	for _, step := range steps {
		if diff := cmp.Diff(step.want, w.succeed(t, strings.Fields(step.args)...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.args, diff)
		}
	}
	w.write(t, "templates/checkout.yaml", strings.Replace(checkoutTemplate, "{name: charge,", "{name: charge, default_retry_limit: 5,", 1))
	refused(t, w.run(t, "template", "sync"), "step charge: default_retry_limit: 3 -> 5")
	if diff := cmp.Diff("0 added, 1 replaced, 0 unchanged\n", w.succeed(t, "template", "sync", "--replace")); diff != "" {
		t.Errorf("--replace (-want +got):\n%s", diff)
	}
	golden(t, "template_list_synced", w.succeed(t, "template", "list", "--synced"))
}
