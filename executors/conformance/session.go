package conformance

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// object is a JSON object to send.
type object = map[string]any

// ready is the result of initialize.
type ready struct {
	ProtocolVersion int `json:"protocol_version"`
	Executor        struct {
		Language        string `json:"language"`
		LanguageVersion string `json:"language_version"`
		SDK             string `json:"sdk"`
		SDKVersion      string `json:"sdk_version"`
		PID             int    `json:"pid"`
	} `json:"executor"`
	Capabilities struct {
		MaxConcurrency int    `json:"max_concurrency"`
		Cancel         string `json:"cancel"`
		Deferred       bool   `json:"deferred"`
		PayloadFiles   bool   `json:"payload_files"`
	} `json:"capabilities"`
	Handlers         []handlerEntry `json:"handlers"`
	HandlersComplete bool           `json:"handlers_complete"`
	LoadErrors       []loadError    `json:"load_errors"`
}

type handlerEntry struct {
	Name string `json:"name"`
	File string `json:"file"`
	// Exclusive says that the handler wants the process for itself.
	Exclusive bool `json:"exclusive"`
}

type loadError struct {
	File      string   `json:"file"`
	Class     string   `json:"class"`
	Message   string   `json:"message"`
	Backtrace []string `json:"backtrace"`
}

// outcome is the result of step.execute.
type outcome struct {
	Outcome string          `json:"outcome"`
	Result  json.RawMessage `json:"result"`
	Failure *failure        `json:"failure"`

	ResumeAfterMS *int64          `json:"resume_after_ms"`
	Checkpoint    json.RawMessage `json:"checkpoint"`
	ResultFile    *payloadFile    `json:"result_file"`
}

type failure struct {
	Kind         string          `json:"kind"`
	Class        string          `json:"class"`
	Message      string          `json:"message"`
	Code         string          `json:"code"`
	Backtrace    []string        `json:"backtrace"`
	Cause        *failure        `json:"cause"`
	RetryAfterMS *int64          `json:"retry_after_ms"`
	Details      json.RawMessage `json:"details"`
}

// initialization has the params of initialize for the handlers below root.
func initialization(root string, limits object) object {
	all := object{
		"max_message_bytes": 4 << 20, "max_inline_bytes": 1 << 20, "max_json_depth": 64, "max_concurrency": 4,
	}
	maps.Copy(all, limits)
	return object{
		"protocol_versions": []int{1},
		"worker":            object{"name": "tasker-worker", "version": "0", "id": "w"},
		"executor":          object{"id": "conformance-1", "generation": 1},
		"limits":            all,
		"timing":            object{"shutdown_grace_ms": 25000},
		"config":            object{"handler_root": root},
	}
}

// startReady starts a host that serves the fixtures.
func startReady(tb T, lang language, limits object) *peer {
	tb.Helper()
	p := startHost(tb, lang)
	p.initialize(initialization(lang.root(tb), limits))
	return p
}

func (p *peer) initialize(params object) ready {
	p.tb.Helper()
	p.ready = decode[ready](p.tb, p.call("initialize", params))
	return p.ready
}

// execution has the params of step.execute.
func execution(id, handler string, context, config any) object {
	return object{
		"execution_id":    id,
		"step":            object{"id": "8831", "name": "s", "attempt": 1, "max_attempts": 3, "inputs": object{}, "results": nil},
		"task":            object{"id": "1207", "namespace": "n", "name": "t", "version": "1.0.0", "context": context},
		"dependencies":    object{},
		"handler":         object{"name": handler, "config": config},
		"timeout_ms":      30000,
		"deadline_at":     "2026-01-01T00:00:00Z",
		"idempotency_key": "tasker:step:8831",
	}
}

// begin sends step.execute and returns the id of the request. handler is a fixture.
func (p *peer) begin(handler string, context, config any) string {
	p.tb.Helper()
	p.require(handler)
	id := "x" + strconv.Itoa(p.nextID+1)
	return p.request("step.execute", execution(id, "Fixtures::"+handler, context, config))
}

// execute runs a fixture and returns its outcome.
func (p *peer) execute(handler string, context, config any) outcome {
	p.tb.Helper()
	return p.outcome(p.begin(handler, context, config))
}

func (p *peer) outcome(id string) outcome {
	p.tb.Helper()
	return decode[outcome](p.tb, p.answer(id))
}

// mustSucceed runs a fixture and returns its result.
func (p *peer) mustSucceed(handler string, context, config any) string {
	p.tb.Helper()
	return success(p.tb, p.execute(handler, context, config))
}

func success(tb T, o outcome) string {
	tb.Helper()
	if o.Outcome != "success" {
		tb.Fatalf("want success, got %s: %+v", o.Outcome, o.Failure)
	}
	return string(o.Result)
}

// mustFail runs a fixture and returns its failure.
func (p *peer) mustFail(handler string, context, config any) failure {
	p.tb.Helper()
	o := p.execute(handler, context, config)
	if o.Outcome != "failure" || o.Failure == nil {
		p.tb.Fatalf("want a failure, got %s: %s", o.Outcome, o.Result)
	}
	return *o.Failure
}

// mustEcho shows that the host is alive and answers.
func (p *peer) mustEcho() {
	p.tb.Helper()
	if got := p.mustSucceed("Echo", object{"value": "still here"}, nil); got != `"still here"` {
		p.tb.Fatalf("echo returned %s", got)
	}
}

// mustRefuse fails unless m is an error with that code.
func mustRefuse(tb T, m message, code int) {
	tb.Helper()
	if m.Error == nil || m.Error.Code != code {
		tb.Fatalf("want error %d, got error %+v, result %s", code, m.Error, m.Result)
	}
}

func decode[V any](tb T, m message) V {
	tb.Helper()
	var v V
	if m.Error != nil {
		tb.Fatalf("the host refused: %d %s", m.Error.Code, m.Error.Message)
	}
	if err := json.Unmarshal(m.Result, &v); err != nil {
		tb.Fatalf("result %s: %v", m.Result, err)
	}
	return v
}

// gate holds one execution of the fixture Gate.
type gate struct {
	tb   T
	path string
	pipe *os.File
}

func newGate(tb T) *gate {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "gate")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		tb.Fatal(err)
	}
	return &gate{tb: tb, path: path}
}

func (g *gate) config() object { return object{"path": g.path} }

// reached returns once the handler runs: opening a named pipe waits for its reader.
func (g *gate) reached() {
	g.tb.Helper()
	opened := make(chan error, 1)
	go func() {
		var err error
		g.pipe, err = os.OpenFile(g.path, os.O_WRONLY, 0)
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			g.tb.Fatal(err)
		}
	case <-time.After(patience):
		g.tb.Fatal("the handler was not started")
	}
}

// open lets the handler return text.
func (g *gate) open(text string) {
	g.tb.Helper()
	if _, err := g.pipe.WriteString(text); err != nil {
		g.tb.Fatal(err)
	}
	closeAll(g.tb, g.pipe)
}

// mustRead returns once a handler has written to the pipe.
func (g *gate) mustRead() {
	g.tb.Helper()
	read := make(chan error, 1)
	go func() {
		_, err := os.ReadFile(g.path)
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			g.tb.Fatal(err)
		}
	case <-time.After(patience):
		g.tb.Fatal("the handler was not started")
	}
}

// require skips a check whose fixture the host does not serve.
func (p *peer) require(handler string) {
	p.tb.Helper()
	if len(p.ready.Handlers) > 0 && !slices.ContainsFunc(p.ready.Handlers, func(h handlerEntry) bool { return h.Name == "Fixtures::"+handler }) {
		p.tb.Skipf("the host does not serve the fixture handler Fixtures::%s", handler)
	}
}
