package templates_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

// load parses a document that has no faults.
func load(t *testing.T, document string) *templates.Template {
	t.Helper()
	return loadFor(t, document, "")
}

func loadFor(t *testing.T, document, environment string) *templates.Template {
	t.Helper()
	template, _, err := templates.Parse("t.yaml", []byte(document), templates.Options{Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got := load(t, "name: t\nstep_templates:\n  - name: a\n    handler_class: H\n")
	want := &templates.Template{
		File: "t.yaml", Line: 1, Name: "t", Namespace: "default", Priority: 2, Queue: "default", Version: "0.1.0",
		Steps: []templates.Step{{
			Name: "a", Description: "a", DependentSystem: "unknown", Handler: "H", Retryable: true, RetryLimit: 3, Queue: "default",
			Line: 3, Column: 5, HandlerLine: 4, HandlerColumn: 20,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

const everyKey = `# Every key that the engine knows, priority and queue.
name: orders/import
namespace_name: shop
version: 2.10.3
description: Imports orders
task_handler_class: OrdersImportHandler
module_namespace: Shop
concurrent: false
default_dependent_system: shop_system
queue: imports
named_steps: [fetch, check-all, store]
schema:
  type: object
  required: [day]
  properties:
    day: {type: string}
step_templates:
  - name: fetch
    description: Fetches them
    handler_class: Shop::FetchHandler
    dependent_system: ftp
    handler_config:
      timeout_seconds: 1.5
      ratio: 1.10
      nested: {list: [1, 0x10, yes, ~, "1"]}
    custom_events:
      - name: fetched
        description: All are here
  - name: check-all
    handler_class: shop.check.CheckHandler
    depends_on_step: fetch
    default_retryable: false
    default_retry_limit: 0
    skippable: true
    queue: slow
  - name: store
    handler_class: shop/store
    depends_on_step: check-all
    depends_on_steps: [fetch, check-all]
    default_retry_limit: 2147483647
    handler_config:
custom_events: anything
priority: 3
handler_config: {ignored: true}
environments:
  test: {description: other}
`

func TestEveryKey(t *testing.T) {
	t.Parallel()
	got := load(t, everyKey)
	want := &templates.Template{
		File: "t.yaml", Line: 2, Name: "orders/import", Namespace: "shop", Priority: 3, Queue: "imports", Version: "2.10.3",
		Description: "Imports orders", HandlerClass: "OrdersImportHandler", DefaultDependentSystem: "shop_system",
		NamedSteps: []string{"fetch", "check-all", "store"},
		Schema:     json.RawMessage(`{"type":"object","required":["day"],"properties":{"day":{"type":"string"}}}`),
		Steps: []templates.Step{
			{
				Name: "fetch", Description: "Fetches them", DependentSystem: "ftp", Handler: "Shop::FetchHandler",
				Retryable: true, RetryLimit: 3, Queue: "imports", Timeout: 1500 * time.Millisecond,
				Config: json.RawMessage(`{"timeout_seconds":1.5,"ratio":1.10,"nested":{"list":[1,16,true,null,"1"]}}`),
				Line:   18, Column: 5, HandlerLine: 20, HandlerColumn: 20,
			},
			{
				Name: "check-all", Description: "check-all", DependentSystem: "shop_system", Handler: "shop.check.CheckHandler",
				DependsOn: []string{"fetch"}, RetryLimit: 0, Skippable: true, Queue: "slow",
				Line: 29, Column: 5, HandlerLine: 30, HandlerColumn: 20,
			},
			{
				Name: "store", Description: "store", DependentSystem: "shop_system", Handler: "shop/store",
				DependsOn: []string{"check-all", "fetch"}, Retryable: true, RetryLimit: math.MaxInt32, Queue: "imports",
				Line: 36, Column: 5, HandlerLine: 37, HandlerColumn: 20,
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

// TestConfigSpelling shows how values of handler_config become JSON.
func TestConfigSpelling(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, want string }{
		{"1.10", "1.10"},
		{"1e3", "1e3"},
		{"-0", "-0"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},
		{"1_000", "1000"},
		{"0x1F", "31"},
		{"0o17", "15"},
		{"+12", "12"},
		{".5", "0.5"},
		{"1.", "1"},
		{`"1.10"`, `"1.10"`},
		{"1.0.0", `"1.0.0"`},
		{"2026-01-02", `"2026-01-02"`},
		{"12:30", `"12:30"`},
		{"true", "true"},
		{"Off", "false"},
		{`"off"`, `"off"`},
		{"~", "null"},
		{"", "null"},
		{"null", "null"},
		{"'it''s'", `"it's"`},
		{`"tab\t é <&>"`, `"tab\t é <&>"`},
		{"|\n      one\n      two", `"one\ntwo\n"`},
		{">-\n      one\n      two", `"one two"`},
		{"one\n      two", `"one two"`},
		{"!!str 12", `"12"`},
		{"!!str yes", `"yes"`},
		{"[]", "[]"},
		{"{}", "{}"},
		{"{1: a, true: b, ~: c}", `{"1":"a","true":"b","~":"c"}`},
		{"${HOME}", `"${HOME}"`},
	}
	for _, test := range tests {
		t.Run(test.yaml, func(t *testing.T) {
			t.Parallel()
			got := load(t, head+"  - name: a\n    handler_class: H\n    handler_config:\n     v: "+test.yaml+"\n")
			if diff := cmp.Diff(`{"v":`+test.want+`}`, string(got.Steps[0].Config)); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	if got := load(t, "\ufeffname: t\nstep_templates: []\n").Name; got != "t" {
		t.Errorf("name is %q, want t", got)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	t.Parallel()
	got := load(t, `
name: t
step_templates:
  - &first
    name: a
    handler_class: H
    handler_config: &config {url: here, retries: 1}
  - <<: *first
    name: b
    depends_on_step: a
    handler_config:
      <<: [{retries: 2}, *config]
      more: *config
`)
	b := got.Steps[1]
	if b.Name != "b" || b.Handler != "H" || b.Line != 8 {
		t.Errorf("step b is %+v", b)
	}
	want := `{"more":{"url":"here","retries":1},"retries":2,"url":"here"}`
	if diff := cmp.Diff(want, string(b.Config)); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		seconds string
		want    time.Duration
	}{
		{"30", 30 * time.Second},
		{"0.25", 250 * time.Millisecond},
		{"0", 0},
		{"-1", 0},
		{`"30"`, 0},
		{"1e300", math.MaxInt64},
	}
	for _, test := range tests {
		t.Run(test.seconds, func(t *testing.T) {
			t.Parallel()
			got := load(t, head+"  - {name: a, handler_class: H, handler_config: {timeout_seconds: "+test.seconds+"}}\n")
			if got.Steps[0].Timeout != test.want {
				t.Errorf("timeout is %v, want %v", got.Steps[0].Timeout, test.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	const document = `
name: t
description: base
schema: {type: object, required: [a, b]}
step_templates:
  - name: a
    handler_class: H
    handler_config: {url: live, params: {page: 1, size: 2}, list: [1, 2]}
  - {name: b, handler_class: H, depends_on_step: a}
environments:
  test:
    description: changed
    version: 9.9.9
    schema: {required: [c]}
    step_templates:
      - {name: b, default_retry_limit: 7}
      - {name: a, handler_config: {url: local, params: {page: 5}, list: [3]}}
      - {name: stranger, handler_class: H}
  empty:
`
	tests := []struct{ environment, description, schema, config string }{
		{"", "base", `{"type":"object","required":["a","b"]}`, `{"url":"live","params":{"page":1,"size":2},"list":[1,2]}`},
		{"empty", "base", `{"type":"object","required":["a","b"]}`, `{"url":"live","params":{"page":1,"size":2},"list":[1,2]}`},
		{"unknown", "base", `{"type":"object","required":["a","b"]}`, `{"url":"live","params":{"page":1,"size":2},"list":[1,2]}`},
		{"test", "changed", `{"type":"object","required":["c"]}`, `{"url":"local","params":{"page":5,"size":2},"list":[3]}`},
	}
	for _, test := range tests {
		t.Run(test.environment, func(t *testing.T) {
			t.Parallel()
			template := loadFor(t, document, test.environment)
			got := []string{template.Description, string(template.Schema), string(template.Steps[0].Config)}
			if diff := cmp.Diff([]string{test.description, test.schema, test.config}, got); diff != "" {
				t.Errorf("template (-want +got):\n%s", diff)
			}
			if names := template.Steps[0].Name + template.Steps[1].Name; names != "ab" || len(template.Steps) != 2 {
				t.Errorf("steps are %+v, want a and b", template.Steps)
			}
		})
	}
	if limit := loadFor(t, document, "test").Steps[1].RetryLimit; limit != 7 {
		t.Errorf("retry limit of b in test is %d, want 7", limit)
	}
}

// TestEnvironmentCompletes shows that what is required may come from the environment.
func TestEnvironmentCompletes(t *testing.T) {
	t.Parallel()
	document := head + "  - name: a\nenvironments: {test: {step_templates: [{name: a, handler_class: H}]}}\n"
	if got := loadFor(t, document, "test").Steps[0].Handler; got != "H" {
		t.Errorf("handler is %q, want H", got)
	}
	_, _, err := templates.Parse("t.yaml", []byte(document), templates.Options{})
	if err == nil || !strings.Contains(err.Error(), "lacks the required key") {
		t.Errorf("without the environment the error is %v", err)
	}
}

func TestCheckHandlers(t *testing.T) {
	t.Parallel()
	template := load(t, head+"  - {name: a, handler_class: Shop::Fetch}\n  - {name: b, handler_class: Shop::FetchHandlr}\n  - name: c\n    handler_class: other\n")
	var got []string
	for _, err := range template.CheckHandlers([]string{"Shop::Fetch", "Shop::FetchHandler"}) {
		got = append(got, err.Error())
	}
	want := []string{
		`t.yaml:4:30: nobody serves the handler "Shop::FetchHandlr" of step "b" (did you mean "Shop::FetchHandler"?)`,
		`t.yaml:6:20: nobody serves the handler "other" of step "c"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		candidates []string
		want       string
	}{
		{"pcak", []string{"ship", "pack"}, "pack"},
		{"PACK", []string{"pack"}, "pack"},
		{"fetch_order", []string{"fetch_borders", "fetch_orders"}, "fetch_orders"},
		{"a", []string{"completely", "different"}, ""},
		{"ab", []string{"xy"}, ""},
		{"x", nil, ""},
		{strings.Repeat("x", 5000), []string{strings.Repeat("x", 4999)}, ""},
	}
	for _, test := range tests {
		t.Run(test.name[:min(12, len(test.name))], func(t *testing.T) {
			t.Parallel()
			got, ok := templates.Nearest(test.name, test.candidates)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("Nearest = %q, %v, want %q", got, ok, test.want)
			}
		})
	}
}
