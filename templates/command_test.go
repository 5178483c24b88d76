package templates

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommandNeedsNoHandlerClass(t *testing.T) {
	t.Parallel()
	for _, class := range []string{"", `handler_class: "Shop::Import", `} {
		data := "name: t\nstep_templates:\n  - {name: a, " + class + `handler_config: {command: ["./bin/import", "--fast"]}}` + "\n"
		tpl, warnings, err := Parse("t.yaml", []byte(data), Options{})
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%v, %v", err, warnings)
		}
		step := tpl.Steps[0]
		if diff := cmp.Diff([]string{"./bin/import", "--fast"}, step.Command); diff != "" || step.Handler != "command:import" {
			t.Errorf("handler %s, command (-want +got):\n%s", step.Handler, diff)
		}
		stored, err := FromContent(tpl.Content())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.Command, stored.Steps[0].Command); diff != "" || stored.Digest() != tpl.Digest() || stored.Steps[0].Handler != step.Handler {
			t.Errorf("as stored: %+v", stored.Steps[0])
		}
		if faults := tpl.CheckHandlers(nil); len(faults) > 0 {
			t.Errorf("CheckHandlers: %v", faults)
		}
		faults := tpl.CheckCommands(func(string) (string, string) { return "is not there", "make it" })
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "t.yaml:3:") || !strings.Contains(faults[0].Error(), "is not there (make it)") {
			t.Errorf("CheckCommands: %v", faults)
		}
	}
}

func TestCommandFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ step, want string }{
		{`handler_config: {command: bin/import}`, `3:41: step_templates[0].handler_config.command must be a list of the program and its arguments`},
		{`handler_config: {command: []}`, "must be a list of the program"},
		{`handler_config: {command: [""]}`, "names no program"},
		{`handler_config: {command: ["a", 5]}`, `command[1] must be a string, is a number (write it in quotes: "5")`},
		{`handler_config: {command: ["../a"]}`, `command[0] leaves its folder with ..`},
		{`handler_config: {command: ["bin/../../a"]}`, `command[0] leaves its folder with ..`},
		{`handler_config: {comand: ["a"]}`, `did you mean "command"?`},
		{`handler_config: {size: 1}`, `step "a" lacks the required key "handler_class"`},
		{`queue: x`, `step "a" lacks the required key "handler_class"`},
	}
	for _, test := range tests {
		data := "name: t\nstep_templates:\n  - {name: a, " + test.step + "}\n"
		_, _, err := Parse("t.yaml", []byte(data), Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.step, err, test.want)
		}
	}
}

// TestCommandOfAHandlersOwn leaves a handler alone whose configuration has always had a key of this name.
func TestCommandOfAHandlersOwn(t *testing.T) {
	t.Parallel()
	data := "name: t\nstep_templates:\n  - {name: a, handler_class: A, handler_config: {command: start}}\n"
	tpl, warnings, err := Parse("t.yaml", []byte(data), Options{})
	if err != nil || len(warnings) != 1 || tpl.Steps[0].Handler != "A" || tpl.Steps[0].Command != nil {
		t.Errorf("%v, warnings %v", err, warnings)
	}
}
