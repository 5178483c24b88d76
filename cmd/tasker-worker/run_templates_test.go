package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
)

// packTemplate is a second template, whose step runs the handler of the first one.
const packTemplate = `name: pack
namespace_name: shop
version: 1.0.0
step_templates:
  - {name: pack, handler_class: "Shop::Charge"}
`

// changed is a template with another retry limit.
func changed(template, limit string) string {
	return strings.Replace(template, "handler_class", "default_retry_limit: "+limit+", handler_class", 1)
}

var healthURL = regexp.MustCompile(`"health is served","url":"([^"]+)"`)

// health asks the worker's probe.
func (b *background) health(t *testing.T) (int, healthReport) {
	t.Helper()
	b.says(t, "health is served")
	answer := probe(t, healthURL.FindStringSubmatch(b.log.String())[1], "Bearer "+healthToken)
	defer answer.Body.Close()
	var report healthReport
	if err := json.NewDecoder(answer.Body).Decode(&report); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, report
}

// storedLimit is the retry limit of the first step of a template in the database, 0 when the template is not there.
func storedLimit(t *testing.T, pool *pgxpool.Pool, name string) (limit int) {
	t.Helper()
	const query = `SELECT coalesce((SELECT (content->'step_templates'->0->>'default_retry_limit')::int FROM tasker.templates WHERE name = $1), 0)`
	if err := pool.QueryRow(t.Context(), query, name).Scan(&limit); err != nil {
		t.Fatal(err)
	}
	return limit
}

func TestRunLeavesOutTheTemplatesThatItCannotServe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files  map[string]string
		faults []string
		limit  int // of the checkout in the database
	}{
		"no YAML": {map[string]string{"templates/broken.yaml": "name: ["}, []string{"templates/broken.yaml:1:7: sequence end token ']' not found"}, 3},
		"a misspelt key": {
			map[string]string{"templates/checkout.yaml": strings.ReplaceAll(checkoutTemplate, "handler_class", "handler_clas")},
			[]string{
				`templates/checkout.yaml:10:5: step "charge" lacks the required key "handler_class"`,
				`templates/checkout.yaml:10:20: unknown key "handler_clas" (did you mean "handler_class"?)`,
			},
			3,
		},
		"the same version with other content": {
			map[string]string{"templates/checkout.yaml": changed(checkoutTemplate, "5")},
			[]string{"templates/checkout.yaml: template shop/checkout@1.0.0 differs from the one in the database: step charge: default_retry_limit: 3 -> 5 " +
				"(give the change a new version, or run `tasker-worker template sync --replace`)"},
			3,
		},
		"a template in two files": {
			map[string]string{"templates/checkout2.yaml": changed(checkoutTemplate, "5")},
			[]string{"templates/checkout2.yaml:1:1: template shop/checkout@1.0.0 is also in templates/checkout.yaml (give one of them another version)"},
			3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, pool := newShop(t, "TASKER_HEALTH=127.0.0.1:0", "TASKER_HEALTH_TOKEN_FILE=token", "TASKER_TEMPLATES_DIR=templates")
			w.write(t, "token", healthToken)
			w.sync(t, pool)
			for file, content := range test.files {
				w.write(t, file, content)
			}
			w.write(t, "templates/pack.yaml", packTemplate)
			worker := w.start(t, "run")
			worker.says(t, "templates synced")
			complete(t, pool, "pack")
			complete(t, pool, "checkout") // as it is in the database
			if got := storedLimit(t, pool, "checkout"); got != test.limit {
				t.Errorf("the stored retry limit is %d, want %d", got, test.limit)
			}
			code, report := worker.health(t)
			if code != http.StatusServiceUnavailable || report.Status != "degraded" {
				t.Errorf("health answers %d, %s; want 503, degraded", code, report.Status)
			}
			if name == "a misspelt key" { // whose faults are as many as the shape has
				report.Templates = report.Templates[len(report.Templates)-1:]
				test.faults = test.faults[1:]
			}
			if diff := cmp.Diff(test.faults, report.Templates); diff != "" {
				t.Errorf("health names (-want +got):\n%s", diff)
			}
			worker.says(t, "template is left out")
		})
	}
}

func TestRunWatchMendsAndReplacesTemplates(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t, "TASKER_HEALTH=127.0.0.1:0", "TASKER_HEALTH_TOKEN_FILE=token")
	w.write(t, "token", healthToken)
	w.write(t, "templates/pack.yaml", strings.Replace(packTemplate, "name: pack,", "name: pack, queue: unworked,", 1))
	worker := w.start(t, "run", "--watch")
	worker.says(t, "files are watched")
	complete(t, pool, "checkout")
	hosts := len(worker.children(t))

	w.write(t, "templates/checkout.yaml", changed(checkoutTemplate, "5"))
	eventually(t, "a template is replaced that no open task has", func() bool { return storedLimit(t, pool, "checkout") == 5 })

	w.succeed(t, "task", "create", "shop/pack@1.0.0")
	w.write(t, "templates/pack.yaml", changed(packTemplate, "5"))
	worker.says(t, "a task of it is open: let it end, give the change a new version, or use --replace")
	if got := storedLimit(t, pool, "pack"); got != 3 {
		t.Errorf("a template of an open task has the retry limit %d, want the old one, 3", got)
	}
	if code, report := worker.health(t); code != http.StatusServiceUnavailable || len(report.Templates) != 1 {
		t.Errorf("health answers %d, %v; want 503 and the template", code, report.Templates)
	}

	if _, err := pool.Exec(t.Context(), `SELECT tasker.transition_task(2, 'cancelled', '{}')`); err != nil {
		t.Fatal(err)
	}
	w.write(t, "templates/pack.yaml", changed(packTemplate, "6"))
	eventually(t, "the template is replaced when its task has ended", func() bool { return storedLimit(t, pool, "pack") == 6 })
	eventually(t, "the worker is well again", func() bool { code, _ := worker.health(t); return code == http.StatusOK })
	if got := len(worker.children(t)); got != hosts {
		t.Errorf("%d handler processes were started after changes of templates alone, want none", got-hosts)
	}
}

func TestRunWatchReplacesUnderAnOpenTaskWhenAsked(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.write(t, "templates/pack.yaml", strings.Replace(packTemplate, "name: pack,", "name: pack, queue: unworked,", 1))
	worker := w.start(t, "run", "--watch", "--replace")
	worker.says(t, "files are watched")
	w.succeed(t, "task", "create", "shop/pack@1.0.0")
	w.write(t, "templates/pack.yaml", changed(packTemplate, "5"))
	eventually(t, "the template is replaced", func() bool { return storedLimit(t, pool, "pack") == 5 })
}

func TestRunWatchesFoldersThatWereAway(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	worker := w.start(t, "run", "--watch")
	worker.says(t, "files are watched")
	for _, folder := range []string{"executors", "templates"} {
		path := filepath.Join(w.dir, folder)
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		worker.says(t, `from it go on","folder":"./`+folder+`"`)
		complete(t, pool, "checkout")
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
		worker.says(t, `"folder is back","folder":"./`+folder+`"`)
	}
	w.write(t, "executors/python/shop/pack.py", "class Pack:\n    def process(self, task, sequence, step):\n        return {}\n")
	w.write(t, "templates/more/pack.yaml", "name: pack\nnamespace_name: shop\nversion: 1.0.0\nstep_templates:\n  - {name: pack, handler_class: shop.pack.Pack}\n")
	eventually(t, "a template of the folder that is back", func() bool { return storedLimit(t, pool, "pack") == 3 })
	complete(t, pool, "pack")
}
