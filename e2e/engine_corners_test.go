package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// corner is the body of a handler's process, and what the engine makes of it.
type corner struct {
	rule string
	body string
	// more is what else is in the class.
	more string
	api  bool
	// support says that the body leans on ActiveSupport.
	support bool
	want    any
	fails   failed
}

// failed is what is stored of an attempt that failed.
type failed struct {
	Message string `json:"error"`
	Class   string `json:"error_class"`
	Code    string `json:"error_code"`
	// Pause is the seconds that the handler asked for.
	Pause int `json:"-"`
}

func corners() []corner {
	const apiAnswered = "the API answered with status "
	return []corner{
		{rule: "nil is stored as null", body: `nil`},
		{rule: "a scalar is stored as it is", body: `"done"`, want: "done"},
		{rule: "keys become strings at any depth", body: `{ a: [{ b: :c }], 2 => nil }`, want: map[string]any{"a": []any{map[string]any{"b": "c"}}, "2": nil}},
		{
			rule: "dates, decimals and sets are converted", body: `[Date.new(2026, 1, 2), Time.at(0), BigDecimal("1.50"), Set[1]]`,
			more: `require "bigdecimal"; require "date"; require "set"`, want: []any{"2026-01-02", "1970-01-01T00:00:00Z", "1.5", []any{1.0}},
		},
		{
			rule: "what ActiveSupport knows as JSON is stored so", support: true,
			body: `{ at: Time.zone.local(2026), for: 5.minutes, hash: { a: 1 }.with_indifferent_access, pair: Pair.new(1, 2..3) }`,
			more: `Pair = Struct.new(:left, :right)`,
			want: map[string]any{"at": "2026-01-01T00:00:00Z", "for": 300.0, "hash": map[string]any{"a": 1.0}, "pair": map[string]any{"left": 1.0, "right": "2..3"}},
		},
		{rule: "assigned results win over returned ones", body: `step.results = { by: "hand" }; "returned"`, want: map[string]any{"by": "hand"}},
		{rule: "results may be assigned in a thread", body: `Thread.new { step.results = [1] }.join; nil`, want: []any{1.0}},
		{
			rule: "process_results assigns, and what it returns is ignored", body: `3`,
			more: `def process_results(step, output, _initial) = (step.results = { stored: output }) && "ignored"`, want: map[string]any{"stored": 3.0},
		},
		{rule: "the last parameter of process_results may be optional", body: `3`, more: `def process_results(step, output, _ = nil) = step.results = output + 1`, want: 4.0},
		{rule: "a step is found by symbol and string", body: `[:first, "first", :none].map { |name| sequence.find_step_by_name(name)&.results }`, want: []any{7.0, 7.0, nil}},
		{rule: "finished steps are enumerated", body: `sequence.steps.map { |s| [s.name, s.results, s.status] }`, want: []any{[]any{"first", 7.0, "complete"}}},
		{rule: "the context has string keys", body: `[task.context["x"], task.context[:x], step.inputs["x"], step.task.context["x"]]`, want: []any{1.0, nil, 1.0, 1.0}},
		{rule: "attempts are those before", body: `[step.attempts, step.name == "s" + step.config["row"].to_s, step.task_id == task.task_id]`, want: []any{0.0, true, true}},
		{rule: "throw fails the attempt", body: `throw :done`, fails: failed{Message: "uncaught throw :done", Class: "UncaughtThrowError"}},
		{rule: "exit fails the attempt", body: `exit 3`, fails: failed{Message: "exit", Class: "SystemExit"}},
		{rule: "a timeout fails the attempt", body: `raise Timeout::Error, "slow"`, more: `require "timeout"`, fails: failed{Message: "slow", Class: "Timeout::Error"}},
		{rule: "what a joined thread raises fails the attempt", body: `Thread.new { raise KeyError, "inner" }.join`, fails: failed{Message: "inner", Class: "KeyError"}},
		{rule: "an error names its cause", body: `begin; raise KeyError, "a"; rescue KeyError; raise ArgumentError, "b"; end`, fails: failed{Message: "b (caused by KeyError: a)", Class: "ArgumentError"}},
		{rule: "retry_after is the pause", body: `raise Tasker::RetryableError.new("busy", retry_after: 17)`, fails: failed{Message: "busy", Class: "Tasker::RetryableError", Pause: 17}},
		{rule: "backoff_request_seconds is the pause", body: `step.backoff_request_seconds = 18; raise "busy"`, fails: failed{Message: "busy", Class: "RuntimeError", Pause: 18}},
		{
			rule: "an object without a JSON form fails for good", body: `Object.new`,
			fails: failed{Message: "result is a Object, which JSON cannot hold; return hashes, arrays, strings and numbers", Class: "Tasker::InvalidResult"},
		},
		{rule: "401 fails for good", api: true, body: `connection.get("/401")`, fails: failed{Message: apiAnswered + "401", Class: "Tasker::PermanentError", Code: "HTTP_401"}},
		{rule: "302 is retried", api: true, body: `connection.get("/302")`, fails: failed{Message: apiAnswered + "302", Class: "Tasker::RetryableError"}},
		{rule: "500 is retried at no pause of its own", api: true, body: `connection.get("/500?after=7")`, fails: failed{Message: apiAnswered + "500", Class: "Tasker::RetryableError"}},
		{rule: "429 is retried after the seconds", api: true, body: `connection.get("/429?after=7")`, fails: failed{Message: apiAnswered + "429", Class: "Tasker::RetryableError", Pause: 7}},
		{
			rule: "503 is retried at the date, within 300 seconds", api: true, body: `connection.get("/503", { after: "Fri, 01 Jan 2100 00:00:00 GMT" })`,
			fails: failed{Message: apiAnswered + "503", Class: "Tasker::RetryableError", Pause: 300},
		},
		{
			rule: "a service that is not there is an error of Faraday", api: true,
			body: `begin; connection.get("http://127.0.0.1:1/"); rescue Faraday::ConnectionFailed => e; e.is_a?(Faraday::Error); end`, want: true,
		},
		{
			rule: "process_results may refuse a body", api: true, body: `connection.get("/200")`,
			more:  `def process_results(_step, response, _initial) = raise(Tasker::PermanentError.new(response.body, error_code: "B1"))`,
			fails: failed{Message: "no JSON", Class: "Tasker::PermanentError", Code: "B1"},
		},
	}
}

// answers is a service that answers with the status in the path, and the Retry-After that is asked for.
func answers(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil {
			status = http.StatusTeapot
		}
		if after := r.URL.Query().Get("after"); after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
		if status == http.StatusOK {
			_, _ = w.Write([]byte("no JSON")) // the client may be gone
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// cornerHandlers makes one handler of each row, and a template in which each is a step with one attempt.
func cornerHandlers(rows []corner, service string) (ruby, template string) {
	var code, steps strings.Builder
	code.WriteString("module Corners\n  class First < Tasker::StepHandler::Base\n    def process(*) = 7\n  end\n")
	steps.WriteString("name: corners\nnamespace_name: billing\nversion: 1.0.0\nstep_templates:\n  - {name: first, handler_class: Corners::First}\n")
	for i, row := range rows {
		base, config := "Base", fmt.Sprintf("{row: %d}", i)
		if row.api {
			base, config = "Api", fmt.Sprintf("{type: api, url: %q}", service)
		}
		fmt.Fprintf(&code, "  class Row%d < Tasker::StepHandler::%s\n    %s\n    def process(task, sequence, step)\n      %s\n    end\n  end\n", i, base, row.more, row.body)
		fmt.Fprintf(&steps, "  - {name: s%d, handler_class: Corners::Row%d, depends_on_step: first, default_retry_limit: 1, handler_config: %s}\n", i, i, config)
	}
	return code.String() + "end\n", steps.String()
}

// TestCornersOfTheEnginesContract: what a handler returns, assigns, raises or is answered means what it means in the engine.
func TestCornersOfTheEnginesContract(t *testing.T) {
	t.Parallel()
	rows, support := corners(), exec.Command("ruby", "-e", `require "active_support/all"`).Run() == nil
	folder := t.TempDir()
	ruby, template := cornerHandlers(rows, answers(t))
	for name, text := range map[string]string{"executors/ruby/corners.rb": ruby, "templates/corners.yaml": template} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newLocalStage(t, "TASKER_TEMPLATES_DIR="+filepath.Join(folder, "templates"), "TASKER_EXECUTORS_DIR="+filepath.Join(folder, "executors"))
	s.startWorker(t)
	task := awaitEnd(t, s.pool(), create(t, s.pool(), "billing", "corners", "1.0.0", `{"x": 1}`))
	for i, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			if row.support && !support {
				withoutRails(t, "ActiveSupport is not installed here")
			}
			step := stepOf(t, task, fmt.Sprintf("s%d", i))
			if row.fails != (failed{}) {
				s.checkFailed(t, step, row.fails)
				return
			}
			var got any
			if err := json.Unmarshal(step.Results, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" || step.State != engine.Complete {
				t.Errorf("the step is %s, results (-want +got):\n%s", step.State, diff)
			}
		})
	}
}

func (s *localStage) checkFailed(t *testing.T, step sql.Step, want failed) {
	t.Helper()
	var got failed
	if err := json.Unmarshal(step.Results, &got); err != nil {
		t.Fatal(err)
	}
	err := s.pool().QueryRow(t.Context(), `SELECT coalesce(backoff_request_seconds, 0) FROM public.tasker_workflow_steps WHERE workflow_step_id = $1`, step.StepID).
		Scan(&got.Pause)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || step.State != engine.Error {
		t.Errorf("the step is %s, its failure (-want +got):\n%s", step.State, diff)
	}
}
