package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

const engineTemplates = `name: bill_order
namespace_name: billing
version: 1.0.0
step_templates:
  - {name: load_order, handler_class: Billing::LoadOrder, handler_config: {tier: gold}}
  - {name: price_order, handler_class: Billing::PriceOrder, depends_on_step: load_order}
  - {name: assign_results, handler_class: Billing::AssignResults, depends_on_step: price_order}
  - {name: flaky_gateway, handler_class: Billing::FlakyGateway, depends_on_step: load_order}
  - {name: fetch_rates, handler_class: Billing::FetchRates, depends_on_step: load_order, handler_config: &api {type: api, url: "URL", enable_exponential_backoff: true}}
  - {name: parse_rates, handler_class: Billing::ParseRates, depends_on_step: fetch_rates, handler_config: *api}
---
name: find_invoice
namespace_name: billing
version: 1.0.0
step_templates:
  - {name: find_invoice, handler_class: Billing::FindInvoice, handler_config: {type: api, url: "URL"}}
---
name: decline
namespace_name: billing
version: 1.0.0
step_templates:
  - {name: decline, handler_class: Billing::Decline}
---
name: support
namespace_name: billing
version: 1.0.0
step_templates:
  - {name: support, handler_class: Billing::SupportHelpers}
`

const engineContext = `{"order_id": "A-77", "customer": {"name": "Ada"}, "lines": [{"price": 3, "quantity": 2}, {"price": 5, "quantity": 1}]}`

// service answers what the handlers of testdata/engine_handlers ask, the first question with "later".
func service(t *testing.T) string {
	t.Helper()
	var asked atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("GET /rates/A-77", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if asked.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintf(w, `{"base": %q, "accept": %q}`, r.URL.Query().Get("base"), r.Header.Get("Accept")) // the client may be gone
	})
	mux.HandleFunc("POST /convert", func(w http.ResponseWriter, r *http.Request) {
		var question struct{ Amount int }
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"amount": %d}`, 2*question.Amount) // the client may be gone
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// engineStage runs a worker on handlers that were written for the engine.
func engineStage(t *testing.T) *localStage {
	t.Helper()
	folder := t.TempDir()
	for i, document := range strings.Split(strings.ReplaceAll(engineTemplates, "URL", service(t)), "---\n") {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("t%d.yaml", i)), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newLocalStage(t, "TASKER_TEMPLATES_DIR="+folder, "TASKER_EXECUTORS_DIR="+filepath.Join(repository, "e2e", "testdata", "engine_handlers"))
	s.startWorker(t)
	return s
}

// results returns the results of the task's steps.
func results(t *testing.T, task *client.Task) map[string]any {
	t.Helper()
	all := make(map[string]any)
	for _, step := range task.Steps {
		var value any
		if err := json.Unmarshal(step.Results, &value); err != nil {
			t.Fatal(err)
		}
		all[step.Name] = value
	}
	return all
}

// TestHandlersOfTheEngineRunUnmodified: code that was written for the Rails engine's contract does here what it did there.
func TestHandlersOfTheEngineRunUnmodified(t *testing.T) {
	t.Parallel()
	s := engineStage(t)
	task := awaitEnd(t, s.pool(), create(t, s.pool(), "billing", "bill_order", "1.0.0", engineContext))
	got := results(t, task)
	if rates, ok := got["fetch_rates"].(map[string]any); ok {
		headers, _ := rates["response_headers"].(map[string]any)
		if headers["content-type"] == nil && headers["Content-Type"] == nil {
			t.Errorf("response_headers are %v", rates["response_headers"])
		}
		delete(rates, "response_headers")
		rates["body"] = parsed(rates["body"])
	}
	want := map[string]any{
		"load_order": map[string]any{
			"order_id": "A-77", "tier": "gold", "called": "bill_order/load_order",
			"customer": map[string]any{"name": "Ada", "tags": []any{"new", "vip"}},
			"lines": []any{
				map[string]any{"price": 3.0, "quantity": 2.0, "total": 6.0}, map[string]any{"price": 5.0, "quantity": 1.0, "total": 5.0},
			},
		},
		"price_order":    map[string]any{"total": 11.0, "currency": "EUR"},
		"assign_results": map[string]any{"seen": []any{"load_order", "price_order"}, "missing": "nil"},
		"flaky_gateway":  map[string]any{"charged": true, "after": "gateway is busy", "class": "Tasker::RetryableError"},
		"fetch_rates":    map[string]any{"status": 200.0, "body": map[string]any{"base": "EUR", "accept": "application/json"}},
		"parse_rates":    map[string]any{"status": 201.0, "converted": 24.0},
	}
	if task.State != engine.Complete {
		t.Errorf("the task is %s", task.State)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	for name, attempts := range map[string]int{"flaky_gateway": 2, "fetch_rates": 2, "parse_rates": 1} {
		if step := stepOf(t, task, name); step.Attempts != attempts {
			t.Errorf("%s took %d attempts, want %d", name, step.Attempts, attempts)
		}
	}
}

// parsed reads a body: with a middleware for JSON it is data already, without one a text.
func parsed(body any) any {
	text, ok := body.(string)
	var value any
	if !ok || json.Unmarshal([]byte(text), &value) != nil {
		return body
	}
	return value
}

func TestPermanentErrorsOfTheEngineEndTheTask(t *testing.T) {
	t.Parallel()
	s := engineStage(t)
	for name, code := range map[string]string{"find_invoice": "HTTP_404", "decline": "DECLINED"} {
		task := awaitEnd(t, s.pool(), create(t, s.pool(), "billing", name, "1.0.0", engineContext))
		step := stepOf(t, task, name)
		var got struct {
			Class string `json:"error_class"`
			Code  string `json:"error_code"`
		}
		if err := json.Unmarshal(step.Results, &got); err != nil {
			t.Fatal(err)
		}
		if task.State != engine.Error || step.Attempts != 1 || got.Class != "Tasker::PermanentError" || got.Code != code {
			t.Errorf("%s: task %s after %d attempts, results %s", name, task.State, step.Attempts, step.Results)
		}
	}
}

func TestHandlersOfTheEngineFindActiveSupport(t *testing.T) {
	t.Parallel()
	if err := exec.Command("ruby", "-e", `require "active_support/all"`).Run(); err != nil {
		withoutRails(t, "ActiveSupport is not installed here")
	}
	s := engineStage(t)
	task := awaitEnd(t, s.pool(), create(t, s.pool(), "billing", "support", "1.0.0", engineContext))
	want := map[string]any{"support": map[string]any{
		"present": true, "blank": true, "deadline": "2026-01-01T02:00:00Z", "slug": "order-a-77",
		"ids": []any{[]any{1.0, 2.0}, []any{3.0}}, "deep": []any{"customer", "lines"},
	}}
	if diff := cmp.Diff(want, results(t, task)); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
