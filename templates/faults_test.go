package templates_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

// head begins documents that test something in their steps.
const head = "name: t\nstep_templates:\n"

// ring is a list of steps of which each depends on the next one, and the last on the first.
func ring(steps int) string {
	var b strings.Builder
	for i := range steps {
		fmt.Fprintf(&b, "  - {name: s%d, handler_class: H, depends_on_step: s%d}\n", i, (i+1)%steps)
	}
	return b.String()
}

// TestFaults shows each fault with the line that its author reads.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		yaml string
		want string
	}{
		// The document.
		{"empty file", "", `t.yaml:1:1: file is empty (a template needs name and step_templates)`},
		{"only comments", "# later\n", `t.yaml:1:1: file is empty (a template needs name and step_templates)`},
		{"a list", "- a\n", `t.yaml:1:1: template must be a mapping, is a list (a template begins with keys such as name: and step_templates:)`},
		{"a word", "hello\n", `t.yaml:1:1: template must be a mapping, is a string (a template begins with keys such as name: and step_templates:)`},
		{
			"two documents", "name: a\nstep_templates: []\n---\nname: b\nstep_templates: []\n",
			`t.yaml:4:5: a second template in one file (put it into a file of its own)`,
		},
		{"syntax", "name: a\nstep_templates: [\n", `t.yaml:2:17: sequence end token ']' not found`},
		{"syntax in the middle", "name: a: b\n", `t.yaml:1:7: mapping value is not allowed in this context`},
		{"not UTF-8", "name: a\n# \xff\n", `t.yaml:2:3: not a text in UTF-8 (save the file as UTF-8)`},
		{"NUL byte", "name: a\x00\n", `t.yaml:1:8: not a text in UTF-8 (save the file as UTF-8)`},
		{"NUL character", `name: "a\0"`, `t.yaml:1:7: text holds a character that PostgreSQL cannot store`},
		{"infinity", head + "- {name: a, handler_class: H, handler_config: {x: .inf}}", `t.yaml:3:51: JSON has no number .inf`},
		{"huge exponent", "name: a\nschema: {maximum: 1e999}", `t.yaml:2:19: number 1e999 is too large or cannot be written in JSON (write it in quotes)`},
		{"unknown tag", "name: !ruby/object:Foo a\n", `t.yaml:1:7: tag !ruby/object:Foo is not supported (remove the tag)`},
		{"unknown alias", "name: *nam\n", `t.yaml:1:7: alias *nam has no anchor &nam before it`},
		{"alias in itself", "name: a\nschema: &s {x: *s}\n", `t.yaml:2:16: alias *s stands inside its own anchor`},
		{"duplicate key", "name: a\nversion: 1.0.0\nname: b\n", `t.yaml:3:1: key "name" is given twice, first on line 1`},
		{"CRLF", "name: a\r\nversion: 1\r\nstep_templates: []\r\n", `t.yaml:2:10: version must be a string, is a number (write it in quotes: "1")`},

		// Keys.
		{"no name", "step_templates: []\n", `t.yaml:1:1: template lacks the required key "name"`},
		{"empty name", "name:\nstep_templates: []\n", `t.yaml:1:1: template lacks the required key "name"`},
		{"no steps", "name: a\n", `t.yaml:1:1: template lacks the required key "step_templates"`},
		{"misspelt key", "nmae: a\nstep_templates: []\n", `t.yaml:1:1: unknown key "nmae" (did you mean "name"?)`},
		{
			"misspelt key of a step", head + "  - name: a\n    handlr_class: H\n",
			`t.yaml:4:5: unknown key "handlr_class" (did you mean "handler_class"?)`,
		},
		{
			"misspelt key of an environment", "name: a\nstep_templates: []\nenvironments:\n  test:\n    verson: 1.0.0\n",
			`t.yaml:5:5: unknown key "verson" (did you mean "version"?)`,
		},
		{"no handler", head + "  - name: a\n", `t.yaml:3:5: step "a" lacks the required key "handler_class"`},
		{"no step name", head + "  - handler_class: H\n", `t.yaml:3:5: step lacks the required key "name"`},
		{
			"event without name", head + "  - name: a\n    handler_class: H\n    custom_events: [{description: x}]\n",
			`t.yaml:5:21: event lacks the required key "name"`,
		},

		// Retry policies.
		{"retry is a number", "name: a\nretry: 3\nstep_templates: []\n", `t.yaml:2:8: retry must be a mapping, is a number (write retry: {policy: fixed, base_seconds: 5}; the number of attempts is default_retry_limit)`},
		{
			"unknown policy", head + "  - {name: a, handler_class: H, retry: {policy: expnential}}\n",
			`t.yaml:3:49: step_templates[0].retry.policy must be one of none, fixed, linear, exponential, is "expnential" (did you mean "exponential"?)`,
		},
		{
			"misspelt key of a policy", head + "  - name: a\n    handler_class: H\n    retry: {policy: fixed, base_second: 1}\n",
			`t.yaml:5:28: unknown key "base_second" (did you mean "base_seconds"?)`,
		},
		{
			"base above the maximum", head + "  - name: a\n    handler_class: H\n    retry:\n      policy: linear\n      base_seconds: 10\n      max_seconds: 5\n",
			`t.yaml:8:20: step_templates[0].retry: base_seconds is 10, more than max_seconds, 5 (max_seconds is 300 unless it is given)`,
		},
		{
			"base above the default maximum", "name: a\nretry: {policy: fixed, base_seconds: 301}\nstep_templates: []\n",
			`t.yaml:2:38: retry: base_seconds is 301, more than max_seconds, 300 (max_seconds is 300 unless it is given)`,
		},
		{
			"delay without a policy", "name: a\nretry: {base_seconds: 3}\nstep_templates: []\n",
			`t.yaml:2:23: retry.base_seconds has no effect without a policy (write policy: fixed, linear or exponential)`,
		},
		{
			"delay of no retry", "name: a\nretry: {policy: none, jitter: full}\nstep_templates: []\n",
			`t.yaml:2:31: retry.jitter has no effect: policy none never retries (write policy: fixed, linear or exponential)`,
		},
		{
			"classes of no retry", "name: a\nretry: {policy: none, on: [E]}\nstep_templates: []\n",
			`t.yaml:2:27: retry.on has no effect: policy none never retries`,
		},
		{
			"class in both lists", "name: a\nretry: {on: [E, F], never_on: [F]}\nstep_templates: []\n",
			`t.yaml:2:32: F is in both on and never_on`,
		},
		{"class is no list", "name: a\nretry: {on: E}\nstep_templates: []\n", `t.yaml:2:13: retry.on must be a list, is a string`},

		// Types and forms.
		{"name is a number", "name: 12\nstep_templates: []\n", `t.yaml:1:7: name must be a string, is a number (write it in quotes: "12")`},
		{"name is a Ruby boolean", "name: yes\nstep_templates: []\n", `t.yaml:1:7: name must be a string, is a boolean (write it in quotes: "yes")`},
		{"steps are a mapping", "name: a\nstep_templates:\n  x: y\n", `t.yaml:3:3: step_templates must be a list, is a mapping`},
		{"step is a string", head + "  - pack\n", `t.yaml:3:5: step_templates[0] must be a mapping, is a string`},
		{
			"dependencies are a string", head + "  - {name: a, handler_class: H}\n  - {name: b, handler_class: H, depends_on_steps: a}\n",
			`t.yaml:4:51: step_templates[1].depends_on_steps must be a list, is a string`,
		},
		{
			"retryable is a string", head + "  - {name: a, handler_class: H, default_retryable: maybe}\n",
			`t.yaml:3:52: step_templates[0].default_retryable must be true or false, is a string`,
		},
		{"schema is a list", "name: a\nschema: [1]\nstep_templates: []\n", `t.yaml:2:9: schema must be a mapping, is a list`},
		{"version of two parts", "name: a\nversion: \"1.0\"\nstep_templates: []\n", `t.yaml:2:10: version must be three numbers such as 1.0.0, is "1.0"`},
		{"version with a line feed", "name: a\nversion: \"1.0.0\\n\"\nstep_templates: []\n", `t.yaml:2:10: version must be three numbers such as 1.0.0, is "1.0.0\n"`},
		{"long version", "name: a\nversion: 1.0.12345678901234\nstep_templates: []\n", `t.yaml:2:10: version has 18 characters, more than the 16 allowed`},
		{"long name", "name: " + strings.Repeat("é", 65) + "\nstep_templates: []\n", `t.yaml:1:7: name has 65 characters, more than the 64 allowed`},
		{
			"long step name", head + "  - {name: " + strings.Repeat("s", 129) + ", handler_class: H}\n",
			`t.yaml:3:12: step_templates[0].name has 129 characters, more than the 128 allowed`,
		},
		{
			"long step description", head + "  - {name: a, handler_class: H, description: " + strings.Repeat("d", 256) + "}\n",
			`t.yaml:3:46: step_templates[0].description has 256 characters, more than the 255 allowed`,
		},
		{"long system", "name: a\ndefault_dependent_system: " + strings.Repeat("s", 65) + "\nstep_templates: []\n", `t.yaml:2:27: default_dependent_system has 65 characters, more than the 64 allowed`},
		{"empty text as name", "name: \"\"\nstep_templates: []\n", `t.yaml:1:7: name must not be empty or hold control characters, is ""`},
		{"tag character in a name", "name: \"a\\U000E0041\"\nstep_templates: []\n", `t.yaml:1:7: name must not hold invisible characters or marks that change the direction of writing, is "a\U000e0041"`},
		{"zero-width space in the name of a step", head + "  - {name: \"a\\u200bb\", handler_class: H}\n", `t.yaml:3:12: step_templates[0].name must not hold invisible characters or marks that change the direction of writing, is "a\u200bb"`},
		{"C1 control in the name of a system", "name: a\ndefault_dependent_system: \"s\\x9b\"\nstep_templates: []\n", `t.yaml:2:27: default_dependent_system must not hold invisible characters or marks that change the direction of writing, is "s\u009b"`},
		{"negative retry limit", head + "  - {name: a, handler_class: H, default_retry_limit: -1}\n", `t.yaml:3:54: step_templates[0].default_retry_limit must be a whole number from 0 to 2147483647, is -1`},
		{"large retry limit", head + "  - {name: a, handler_class: H, default_retry_limit: 2147483648}\n", `t.yaml:3:54: step_templates[0].default_retry_limit must be a whole number from 0 to 2147483647, is 2147483648`},
		{"broken retry limit", head + "  - {name: a, handler_class: H, default_retry_limit: 1.5}\n", `t.yaml:3:54: step_templates[0].default_retry_limit must be a whole number from 0 to 2147483647, is 1.5`},
		{"a part of a known key", head + "  - {name: s, handler_class: H, retry_limit: 5}\n", `t.yaml:3:33: unknown key "retry_limit" (did you mean "default_retry_limit"?)`},
		{"depends_on", head + "  - {name: s, handler_class: H, depends_on: [x]}\n", `t.yaml:3:33: unknown key "depends_on" (did you mean "depends_on_step"?)`},
		{"handler with a dash", head + "  - {name: a, handler_class: pack-order}\n", `t.yaml:3:30: step_templates[0].handler_class must be a name such as Orders::PackHandler or orders.pack.PackHandler, is "pack-order"`},
		{"handler out of the folder", head + "  - {name: a, handler_class: ../evil}\n", `t.yaml:3:30: step_templates[0].handler_class must be a name such as Orders::PackHandler or orders.pack.PackHandler, is "../evil"`},
		{"queue with a space", "name: a\nqueue: my queue\nstep_templates: []\n", `t.yaml:2:8: queue must be lower-case letters and digits, joined by - or _, is "my queue"`},
		{"the queue of ticks", "name: a\nqueue: ticks\nstep_templates: []\n", `t.yaml:2:8: queue is reserved; name another queue, is "ticks"`},

		// Keys that would be lost in silence.
		{"another system's needs", head + "  - {name: a, handler_class: H, needs: cart}\n", `t.yaml:3:33: unknown key "needs" of a step would have no effect (write depends_on_steps in the step that comes later, with the names of the steps that come first)`},
		{"another system's dependencies", head + "  - {name: a, handler_class: H, dependencies: [x]}\n", `t.yaml:3:33: unknown key "dependencies" of a step would have no effect (write depends_on_steps in the step that comes later, with the names of the steps that come first)`},
		{"another system's runAfter", head + "  - {name: a, handler_class: H, runAfter: [x]}\n", `t.yaml:3:33: unknown key "runAfter" of a step would have no effect (write depends_on_steps in the step that comes later, with the names of the steps that come first)`},
		{"another system's next", head + "  - {name: a, handler_class: H, next: x}\n", `t.yaml:3:33: unknown key "next" of a step would have no effect (write depends_on_steps in the step that comes later, with the names of the steps that come first)`},
		{"another system's retries", head + "  - {name: a, handler_class: H, retries: 3}\n", `t.yaml:3:33: unknown key "retries" of a step would have no effect (write default_retry_limit in the step: the number of attempts, the first one among them)`},
		{"another system's max-attempts", head + "  - {name: a, handler_class: H, max-attempts: 3}\n", `t.yaml:3:33: unknown key "max-attempts" of a step would have no effect (write default_retry_limit in the step: the number of attempts, the first one among them)`},
		{"another system's retryPolicy", head + "  - {name: a, handler_class: H, retryPolicy: {x: 1}}\n", `t.yaml:3:33: unknown key "retryPolicy" of a step would have no effect (write retry: {policy: fixed, base_seconds: 5}; the number of attempts is default_retry_limit)`},
		{"another system's timeout", head + "  - {name: a, handler_class: H, timeout: 30}\n", `t.yaml:3:33: unknown key "timeout" of a step would have no effect (write handler_config: {timeout_seconds: 30} in the step; it bounds one attempt)`},
		{"another system's start_to_close_timeout", head + "  - {name: a, handler_class: H, start_to_close_timeout: 30s}\n", `t.yaml:3:33: unknown key "start_to_close_timeout" of a step would have no effect (write handler_config: {timeout_seconds: 30} in the step; it bounds one attempt)`},
		{"another system's timeout_seconds", head + "  - {name: a, handler_class: H, timeout_seconds: 30}\n", `t.yaml:3:33: unknown key "timeout_seconds" of a step would have no effect (write handler_config: {timeout_seconds: 30} in the step; it bounds one attempt)`},
		{"another system's heartbeat_timeout", head + "  - {name: a, handler_class: H, heartbeat_timeout: 5}\n", `t.yaml:3:33: unknown key "heartbeat_timeout" of a step would have no effect (write handler_config: {heartbeat_timeout_seconds: 10} in the step)`},
		{"another system's retry_backoff", head + "  - {name: a, handler_class: H, retry_backoff: 5}\n", `t.yaml:3:33: unknown key "retry_backoff" of a step would have no effect (the wait between attempts doubles from 2 to 30 seconds; retry: {policy: fixed, base_seconds: 5} sets another)`},
		{"another system's if", head + "  - {name: a, handler_class: H, if: always}\n", `t.yaml:3:33: unknown key "if" of a step would have no effect (a step has no condition: it runs once its parents are complete; let its handler decide, or cancel the steps behind it)`},
		{"another system's for_each", head + "  - {name: a, handler_class: H, for_each: items}\n", `t.yaml:3:33: unknown key "for_each" of a step would have no effect (a template does not repeat a step; let a handler add steps to its task (step.spawn))`},
		{"another system's command", head + "  - {name: a, handler_class: H, command: [a]}\n", `t.yaml:3:33: unknown key "command" of a step would have no effect (write handler_config: {command: ["program", "argument"]})`},
		{"another system's steps", "name: a\nsteps: []\nstep_templates: []\n", `t.yaml:2:1: unknown key "steps" of a template would have no effect (the steps stand under step_templates)`},
		{"a timeout of the template", "name: a\ntimeout: 30\nstep_templates: []\n", `t.yaml:2:1: unknown key "timeout" of a template would have no effect (write handler_config: {timeout_seconds: 30} in the step; it bounds one attempt)`},
		{"a step's key in the template", "name: a\ndefault_retry_limit: 5\nstep_templates: []\n", `t.yaml:2:1: unknown key "default_retry_limit" of a template would have no effect (write default_retry_limit in each step that it is for)`},
		{"a step's key, misspelt, in the template", "name: a\ndepends_on_step: x\nstep_templates: []\n", `t.yaml:2:1: unknown key "depends_on_step" of a template would have no effect (write depends_on_step in each step that it is for)`},
		{"timout_seconds in handler_config", head + "  - {name: a, handler_class: H, handler_config: {timout_seconds: 1}}\n", `t.yaml:3:50: unknown key "timout_seconds" of handler_config would have no effect (did you mean "timeout_seconds"?)`},
		{"timeoutSeconds in handler_config", head + "  - {name: a, handler_class: H, handler_config: {timeoutSeconds: 1}}\n", `t.yaml:3:50: unknown key "timeoutSeconds" of handler_config would have no effect (did you mean "timeout_seconds"?)`},
		{"heartbeat_timeout_second in handler_config", head + "  - {name: a, handler_class: H, handler_config: {heartbeat_timeout_second: 1}}\n", `t.yaml:3:50: unknown key "heartbeat_timeout_second" of handler_config would have no effect (did you mean "heartbeat_timeout_seconds"?)`},
		{"isolaton in handler_config", head + "  - {name: a, handler_class: H, handler_config: {isolaton: process}}\n", `t.yaml:3:50: unknown key "isolaton" of handler_config would have no effect (did you mean "isolation"?)`},
		{"depends_on_step in handler_config", head + "  - {name: a, handler_class: H, handler_config: {depends_on_step: x}}\n", `t.yaml:3:50: unknown key "depends_on_step" of handler_config would have no effect (depends_on_step belongs to the step, beside handler_config)`},
		{"default_retry_limt in handler_config", head + "  - {name: a, handler_class: H, handler_config: {default_retry_limt: 1}}\n", `t.yaml:3:50: unknown key "default_retry_limt" of handler_config would have no effect (default_retry_limit belongs to the step, beside handler_config)`},
		{"misspelt key of handler_config in an environment", head + "  - {name: a, handler_class: H}\nenvironments: {test: {step_templates: [{name: a, handler_config: {timout_seconds: 1}}]}}\n", `t.yaml:4:67: unknown key "timout_seconds" of handler_config would have no effect (did you mean "timeout_seconds"?)`},

		// The graph.
		{
			"step twice", head + "  - {name: a, handler_class: H}\n  - {name: a, handler_class: I}\n",
			`t.yaml:4:12: step "a" is there twice, first on line 3`,
		},
		{
			"unknown parent", head + "  - {name: fetch_order, handler_class: H}\n  - name: ship\n    handler_class: H\n    depends_on_step: fetch_ordr\n",
			`t.yaml:6:22: step "ship" depends on "fetch_ordr", which is no step (did you mean "fetch_order"?)`,
		},
		{
			"unknown parent in the list", head + "  - name: ship\n    handler_class: H\n    depends_on_steps:\n      - elsewhere\n",
			`t.yaml:6:9: step "ship" depends on "elsewhere", which is no step`,
		},
		{
			"own parent", head + "  - {name: a, handler_class: H, depends_on_step: a}\n",
			`t.yaml:3:50: step "a" depends on itself`,
		},
		{
			"cycle", head + "  - {name: c, handler_class: H}\n  - {name: a, handler_class: H, depends_on_steps: [b, c]}\n  - {name: b, handler_class: H, depends_on_step: a}\n",
			`t.yaml:4:5: steps wait for each other: a -> b -> a (each step waits for the one before it; remove a dependency)`,
		},
		{
			"two cycles",
			head + "  - {name: a, handler_class: H, depends_on_step: b}\n  - {name: b, handler_class: H, depends_on_step: a}\n" +
				"  - {name: x, handler_class: H, depends_on_step: z}\n  - {name: y, handler_class: H, depends_on_step: x}\n  - {name: z, handler_class: H, depends_on_step: y}\n",
			"t.yaml:3:5: steps wait for each other: a -> b -> a (each step waits for the one before it; remove a dependency)\n" +
				"t.yaml:5:5: steps wait for each other: x -> y -> z -> x (each step waits for the one before it; remove a dependency)",
		},
		{
			"long cycle", head + ring(14),
			"t.yaml:3:5: steps wait for each other: s0 -> s13 -> s12 -> s11 -> s10 -> s9 -> s8 -> s7 -> s6 -> s5 -> … 4 more … -> s0 " +
				"(each step waits for the one before it; remove a dependency)",
		},
		{
			"not in named_steps", "name: t\nnamed_steps: [fetch, ship]\nstep_templates:\n  - {name: fetch, handler_class: H}\n  - {name: shipp, handler_class: H}\n",
			`t.yaml:5:12: step "shipp" is not in named_steps (did you mean "ship"?)`,
		},

		// The schema of the context.
		{
			"schema is none", "name: a\nschema:\n  type: object\n  properties:\n    id: {type: integr}\nstep_templates: []\n",
			`t.yaml:5:16: schema is no valid JSON Schema: /properties/id/type matches no alternative: must be one of "array", "boolean", "integer", "null", "number", "object", "string"; or must be an array, is a string`,
		},
		{
			"misspelt keyword of the schema", "name: a\nschema:\n  properties:\n    requird: {type: string}\n  requird: [id]\nstep_templates: []\n",
			`t.yaml:5:3: unknown keyword "requird" of a JSON Schema would check nothing (did you mean "required"?)`,
		},
		{
			"misspelt keyword within the schema", "name: a\nschema: {properties: {n: {anyOf: [{minmum: 3}]}}}\nstep_templates: []\n",
			`t.yaml:2:36: unknown keyword "minmum" of a JSON Schema would check nothing (did you mean "minimum"?)`,
		},
		{
			"schema refers elsewhere", "name: a\nschema: {$ref: \"https://example.com/s.json\"}\nstep_templates: []\n",
			`t.yaml:2:9: schema is not usable: it refers to "https://example.com/s.json"; only references within the schema are followed`,
		},
		{
			"schema refers to a file", "name: a\nschema: {$ref: \"file:///etc/passwd\"}\nstep_templates: []\n",
			`t.yaml:2:9: schema is not usable: it refers to "file:///etc/passwd"; only references within the schema are followed`,
		},

		{
			"all faults at once, in order", "version: 1\nnmae: a\nstep_templates:\n  - {name: 1, handler_class: \"-\"}\n",
			"t.yaml:1:10: version must be a string, is a number (write it in quotes: \"1\")\n" +
				"t.yaml:2:1: unknown key \"nmae\" (did you mean \"name\"?)\n" +
				"t.yaml:4:12: step_templates[0].name must be a string, is a number (write it in quotes: \"1\")\n" +
				"t.yaml:4:30: step_templates[0].handler_class must be a name such as Orders::PackHandler or orders.pack.PackHandler, is \"-\"",
		},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			template, _, err := templates.Parse("t.yaml", []byte(test.yaml), templates.Options{})
			if err == nil {
				t.Fatalf("loaded %+v, want an error", template)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if template != nil {
				t.Error("a template came with the error")
			}
		})
	}
}

// TestWarnings shows what is told without being refused.
func TestWarnings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		yaml string
		want string
	}{
		{"a key that nobody knows", "name: a\nteam: billing\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:1: unknown key "team" of a template has no effect`},
		{"no steps", "name: a\nstep_templates: []\n", `t.yaml:2:17: template has no steps; its tasks complete at once`},
		{"long description", "name: a\ndescription: " + strings.Repeat("d", 256) + "\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:14: description is cut to the 255 characters that are stored`},
		{"timeout that is none", head + "  - {name: s, handler_class: H, handler_config: {timeout_seconds: soon}}\n", `t.yaml:3:67: timeout_seconds is no positive number and sets no timeout`},
		{"heartbeat timeout that is none", head + "  - {name: s, handler_class: H, handler_config: {heartbeat_timeout_seconds: 0}}\n", `t.yaml:3:77: heartbeat_timeout_seconds is no positive number and sets no timeout`},
		{"a priority in words", "name: a\npriority: high\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:11: priority has no effect: it must be a whole number from 1 to 4, is "high" (tasks have the default priority, 2)`},
		{"a priority that River does not have", "name: a\npriority: 5\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:11: priority has no effect: it must be a whole number from 1 to 4, is 5 (tasks have the default priority, 2)`},
		{"a list of priorities", "name: a\npriority: [1]\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:11: priority has no effect: it must be a whole number from 1 to 4, is a list (tasks have the default priority, 2)`},
		{"required of draft 3", "name: a\nschema: {properties: {id: {required: true}}}\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:38: required of JSON Schema's draft 3 is read as required: [id] of the object`},
		{"required of draft 3 at the top", "name: a\nschema: {required: true}\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:20: required of JSON Schema's draft 3 has no effect here`},
		{"any type of draft 3", "name: a\nschema: {properties: {id: {type: any}}}\nstep_templates:\n  - {name: s, handler_class: H}\n", `t.yaml:2:34: type of JSON Schema's draft 3 is read as no type, so that any value fits`},
		{"a timeout that is the handler's own", head + "  - {name: s, handler_class: H, handler_config: {timeout: 5}}\n", `t.yaml:3:50: "timeout" is handed to the handler and has no other effect (the worker reads "timeout_seconds")`},
		{"a list that might be a command", head + "  - {name: s, handler_class: H, handler_config: {commands: [a]}}\n", `t.yaml:3:50: "commands" is handed to the handler and has no other effect (the worker reads "command")`},
		{"an isolation that is none", head + "  - {name: s, handler_class: H, handler_config: {isolation: thread}}\n", `t.yaml:3:61: isolation is handed to the handler and isolates nothing (write isolation: process for processes of its own)`},
		{
			"override of a step that is not there", head + "  - {name: ship, handler_class: H}\nenvironments:\n  test:\n    step_templates:\n      - {name: shipp}\n",
			`t.yaml:7:9: environment "test" changes step "shipp", which the template does not have (did you mean "ship"?)`,
		},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			template, warnings, err := templates.Parse("t.yaml", []byte(test.yaml), templates.Options{})
			if err != nil || template == nil {
				t.Fatalf("got %v, %v, want a template", template, err)
			}
			lines := make([]string, len(warnings))
			for i, warning := range warnings {
				lines[i] = warning.Error()
			}
			if diff := cmp.Diff(test.want, strings.Join(lines, "\n")); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuietKeys holds that keys which are the author's own are not talked about.
func TestQuietKeys(t *testing.T) {
	t.Parallel()
	for _, step := range []string{
		"handler_config: {timeouts: [1], comment: x, retries: 3, commands: many, queue: urls, seconds: 1}",
		"handler_config: {timeout: 3, timeout_seconds: 10, isolation: process}",
		"handler_config: {needs: cart, attempts: 3, type: api, url: x, retry_delay: 1}",
	} {
		document := "schema: {example: {requird: 1}, properties: {requird: {nullable: true, x-order: 1, title: needs}}}\n" +
			head + "  - {name: s, handler_class: H, " + step + "}\n"
		_, warnings, err := templates.Parse("t.yaml", []byte(document), templates.Options{})
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: error %v, warnings %v, want none", step, err, warnings)
		}
	}
}
