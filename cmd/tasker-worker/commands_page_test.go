package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

const commandsPage = "../../docs/commands.md"

// pageHandler fails at its first attempt, so that there is something to see.
const pageHandler = `module Shop
  class Charge
    def process(task, sequence, step)
      puts "charging #{task.context["amount"]}" unless task.context["sure"]
      raise "the bank is busy" if step.attempt == 1 && !task.context["sure"]
      { charged: task.context["amount"] }
    end
  end
end
`

// unchecked are the examples that show what no run repeats.
var unchecked = []string{
	"TASKER_LOG_FORMAT=text tasker-worker run", "tasker-worker doctor", "tasker-worker doctor --release-abandoned --older-than 10m", "tasker-worker demo", "tasker-worker sdk path ruby",
	`ruby -I"$(tasker-worker sdk path ruby)" executors/ruby/shop/_charge_test.rb`, `eval "$(tasker-worker sdk env)"`,
	"python3 -m unittest shop._charge_test", "node --test executors/node/shop/_charge.test.js",
	"tasker-worker executor check --only F3,S2 -- python3 tasker_host/host.py",
}

// asOnPage makes what differs from run to run the same.
var asOnPage = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(workerName()), "web-4711"},
	{regexp.MustCompile(`/\S+/00\d/`), "/srv/app/"},
	{regexp.MustCompile(`(?m)^(version |tasker-worker )dev.*$`), "${1}dev"},
}

var fleeting = []struct {
	pattern *regexp.Regexp
	instead string
}{
	// Attempts that are so short are measured or not.
	{regexp.MustCompile(`(?m)^(ATTEMPT .* WORKER)( +CPU)?( +PEAK MEMORY)?`), "$1"},
	{regexp.MustCompile(`(?m)^(\S+ \d+ .* \d\d:\d\d:\d\d +\S+ +\S+)( +\d\S*s)?( +\d+ MiB)?`), "$1"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DATE"},
	{regexp.MustCompile(`\d\d:\d\d:\d\d(\.\d+)?`), "TIME"},
	{regexp.MustCompile(`\b(\d+m)?\d+(\.\d+)? ?m?s\b`), "TOOK"},
	{regexp.MustCompile(`version \d+`), "version N"},
	{regexp.MustCompile(` {2,}`), "  "},
	{regexp.MustCompile(`(?m) +$`), ""},
}

// example is a command of the page with what it prints.
type example struct{ command, printed string }

func examplesOf(t *testing.T) []example {
	t.Helper()
	var all []example
	for _, block := range indented(t, commandsPage) {
		for line := range strings.Lines(block) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, example{command: strings.TrimSpace(command)})
			} else if strings.HasPrefix(block, "$ ") {
				all[len(all)-1].printed += line
			}
		}
	}
	for i := range all {
		all[i].printed = strings.TrimRight(all[i].printed, "\n")
	}
	return all
}

// TestCommandsPageShowsWhatCommandsPrint runs the page's examples in their order.
func TestCommandsPageShowsWhatCommandsPrint(t *testing.T) {
	t.Parallel()
	pool := sqltest.NewEmpty(t)
	w := newWorld(t, "DATABASE_URL="+sqltest.URL(t, pool), "TASKER_TEMPLATES_DIR=templates")
	w.write(t, "executors/ruby/shop/charge.rb", pageHandler)
	w.write(t, "templates/checkout.yaml", checkoutTemplate)
	w.onPath(t)
	prepare := map[string]func(){
		"tasker-worker task show 1": func() {
			worker := w.start(t, "run")
			worker.says(t, "worker started")
			w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`)
			if _, err := client.New(pool).Wait(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the lines of both attempts", func() bool { return strings.Count(w.shell(t, "tasker-worker task logs 1"), "charging") == 2 })
			worker.signal(t, syscall.SIGINT)
			worker.wait(t)
		},
		"tasker-worker task create shop/checkout@1.0.0 --context '{\"a\": 1}'": func() { w.succeed(t, "template", "sync") },
		"tasker-worker template validate --no-handlers": func() {
			w.write(t, "templates/checkout.yaml", strings.Replace(checkoutTemplate, "{name: charge,", "{name: charge, depends_on_stp: pay,", 1))
		},
		"tasker-worker task cancel 2 --reason 'ordered twice' --by ann": func() {
			w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 9}`)
		},
		"tasker-worker template list": func() { w.write(t, "templates/checkout.yaml", checkoutTemplate) },
		"tasker-worker template sync": func() { w.write(t, "templates/checkout.yaml", changed(checkoutTemplate, "5")) },
	}
	var got []example
	for _, one := range examplesOf(t) {
		if slices.Contains(unchecked, one.command) {
			got = append(got, one)
			continue
		}
		if first := prepare[one.command]; first != nil {
			first()
		}
		printed := strings.TrimRight(w.shell(t, "{ "+one.command+"; } 2>&1 || true"), "\n")
		for _, r := range asOnPage {
			printed = r.pattern.ReplaceAllString(printed, r.instead)
		}
		got = append(got, example{one.command, printed})
	}
	if *update {
		writePage(t, got)
	}
	want := examplesOf(t)
	for i := range want {
		if diff := cmp.Diff(settled(want[i].printed), settled(got[i].printed)); diff != "" {
			t.Errorf("%s prints something else than docs/commands.md has; run this test with -update (-want +got):\n%s", want[i].command, diff)
		}
	}
}

// settled is a text without what differs from run to run.
func settled(text string) string {
	for _, f := range fleeting {
		text = f.pattern.ReplaceAllString(text, f.instead)
	}
	return text
}

// onPath puts the program on the world's PATH under its own name, for programs that it starts too.
func (w *world) onPath(t *testing.T) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n" + beProgram + "=1 exec '" + program + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(w.dir, "tasker-worker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	w.environ = append(w.environ, "PATH="+w.dir+":"+os.Getenv("PATH"))
}

// writePage puts what the commands print below them.
func writePage(t *testing.T, all []example) {
	t.Helper()
	text, err := os.ReadFile(commandsPage)
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	skipping := false
	for line := range strings.Lines(string(text)) {
		command, is := strings.CutPrefix(line, "    $ ")
		switch {
		case is:
			skipping = true
			page.WriteString(line)
			i := slices.IndexFunc(all, func(e example) bool { return e.command == strings.TrimSpace(command) })
			for printed := range strings.Lines(all[i].printed) {
				page.WriteString(strings.TrimRight("    "+strings.TrimSuffix(printed, "\n"), " ") + "\n")
			}
		case skipping && (strings.HasPrefix(line, "    ") || strings.TrimSpace(line) == ""):
			if strings.TrimSpace(line) == "" {
				page.WriteString("\x00")
			}
		default:
			skipping = false
			page.WriteString(line)
		}
	}
	out := regexp.MustCompile("\x00+").ReplaceAllString(page.String(), "\n")
	if err := os.WriteFile(commandsPage, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPageOfCommandsHoldsWhateverIsMeasured: what differs from run to run is taken out of the attempts, and nothing else.
func TestPageOfCommandsHoldsWhateverIsMeasured(t *testing.T) {
	t.Parallel()
	const page = `ATTEMPT   STATE     STARTED (UTC)  TOOK  WORKER    ERROR
charge 1  error     18:43:49       1ms   web-4711  RuntimeError: the bank is busy
charge 2  complete  18:43:51       0ms   web-4711`
	for name, measured := range map[string]string{
		"memory": `ATTEMPT   STATE     STARTED (UTC)  TOOK   WORKER    PEAK MEMORY  ERROR
charge 1  error     19:10:24       34ms   web-4711               RuntimeError: the bank is busy
charge 2  complete  19:10:26       1.5s   web-4711  15 MiB`,
		"both": `ATTEMPT   STATE     STARTED (UTC)  TOOK    WORKER    CPU    PEAK MEMORY  ERROR
charge 1  error     19:10:24       2m1.5s  web-4711  340ms  64 MiB       RuntimeError: the bank is busy
charge 2  complete  19:10:26       0ms     web-4711  1.2s`,
	} {
		if diff := cmp.Diff(settled(page), settled(measured)); diff != "" {
			t.Errorf("%s (-page +measured):\n%s", name, diff)
		}
	}
	if settled(page) == settled(strings.Replace(page, "bank is busy", "bank is shut", 1)) {
		t.Error("an error is taken out too")
	}
}
