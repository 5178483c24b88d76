package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

func callbackRules() []rule {
	return []rule{
		{name: "K1 each callback goes round", check: callsBack},
		{name: "K2 eight steps call at once, answered in another order", check: callsBackAtOnce},
		{name: "K3 a callback while nobody reads the output is not lost", check: callsBackBehindLargeResults},
		{name: "K4 a lost lease is raised, and later effects are refused without asking", check: stopsAfterLostLeases},
		{name: "K5 a callback that is not offered is refused without asking", check: refusesCallbacksNotOffered},
		{name: "K6 a step whose callback is never answered can be cancelled", check: cancelsWaitingCallbacks},
		{name: "K7 a blocking callback on the event loop is a clear error", check: refusesBlockingTheLoop},
	}
}

// callback is one of the methods that a handler may call, what it sends and what it is answered.
type callback struct {
	method string
	params []string // members that must be there
	answer object
}

func allCallbacks() []callback {
	return []callback{
		{"step.lease", nil, object{"current": true, "remaining_ms": 21_840}},
		{"step.save_checkpoint", []string{"checkpoint"}, object{"saved": true}},
		{"step.publish_event", []string{"name", "payload"}, object{"accepted": true}},
		{"step.spawn", []string{"steps"}, object{"accepted": 1}},
		{"tasks.create", []string{"namespace", "name", "version", "context"}, object{"task_id": "77", "created": true}},
		{"secrets.get", []string{"name"}, object{"value": secretValue}},
	}
}

const secretValue = "hunter2-never-in-logs"

// startOffering starts a host that may use these callbacks.
func startOffering(t T, lang language, limits object, methods ...string) *peer {
	t.Helper()
	p := startHost(t, lang)
	p.offered = append([]string{}, methods...)
	params := initialization(lang.root(t), limits)
	params["capabilities"] = object{"callbacks": p.offered, "payload_files": false}
	p.initialize(params)
	return p
}

// called returns the next callback of a handler, and its params.
func (p *peer) called(method string) (id string, params map[string]json.RawMessage) {
	p.tb.Helper()
	for len(p.requests) == 0 {
		m, err := p.next()
		if err != nil {
			p.tb.Fatalf("no %s came: %v", method, err)
		}
		p.keep(m)
		if len(p.answers) > 0 && len(p.requests) == 0 {
			p.tb.Fatalf("the step ended without calling %s: %s", method, anyAnswer(p.answers))
		}
	}
	m := p.requests[0]
	p.requests = p.requests[1:]
	if m.Method != method {
		p.tb.Fatalf("the host called %s, want %s", m.Method, method)
	}
	if err := json.Unmarshal(m.Params, &params); err != nil {
		p.tb.Fatalf("params of %s are %s: %v", method, m.Params, err)
	}
	return *m.ID, params
}

func anyAnswer(answers map[string]message) string {
	for _, m := range answers {
		return string(m.Result)
	}
	return ""
}

func (p *peer) reply(id string, result any) {
	p.tb.Helper()
	p.send(line(p.tb, object{"jsonrpc": "2.0", "id": id, "result": result}))
}

func (p *peer) replyError(id string, code int, text string) {
	p.tb.Helper()
	p.send(line(p.tb, object{"jsonrpc": "2.0", "id": id, "error": object{"code": code, "message": text}}))
}

func callsBack(t T, lang language) {
	for _, c := range allCallbacks() {
		p := startOffering(t, lang, nil, c.method)
		step := p.beginAs("caller", "Callback", object{"method": c.method})
		id, params := p.called(c.method)
		if string(params["execution_id"]) != `"caller"` {
			t.Errorf("%s: execution_id %s, want \"caller\"", c.method, params["execution_id"])
		}
		for _, member := range c.params {
			if len(params[member]) == 0 {
				t.Errorf("%s: params lack %s: %v", c.method, member, params)
			}
		}
		p.reply(id, c.answer)
		success(t, p.outcome(step))
	}
}

func callsBackAtOnce(t T, lang language) {
	const steps = 8
	p := startOffering(t, lang, object{"max_concurrency": steps}, "secrets.get")
	p.require("Callback")
	most := min(steps, p.ready.Capabilities.MaxConcurrency)
	byExecution := map[string]string{}
	for i := range most {
		execID := string(rune('a' + i))
		byExecution[execID] = p.beginAs(execID, "Callback", object{"method": "secrets.get"})
	}
	type asked struct{ id, execution string }
	var calls []asked
	for range most {
		id, params := p.called("secrets.get")
		calls = append(calls, asked{id, strings.Trim(string(params["execution_id"]), `"`)})
	}
	slices.Reverse(calls)
	for _, c := range calls {
		p.reply(c.id, object{"value": "for " + c.execution})
	}
	for execID, step := range byExecution {
		if got := success(t, p.outcome(step)); got != `"for `+execID+`"` {
			t.Errorf("step %s was given %s", execID, got)
		}
	}
}

func callsBackBehindLargeResults(t T, lang language) {
	p := startOffering(t, lang, nil, "step.lease")
	p.require("Callback")
	var large, caller, behind string
	var g *gate
	func() {
		p.reading.Lock()
		defer p.reading.Unlock()
		large = p.begin("Echo", object{"value": strings.Repeat("x", 1<<19)}, nil)
		caller = p.beginAs("caller", "Callback", object{"method": "step.lease"})
		behind, g = p.startGate() // steps begin in the order in which they came
	}()
	for len(p.requests) == 0 {
		m, err := p.next()
		if err != nil {
			t.Fatalf("the callback was lost: %v", err)
		}
		p.keep(m)
	}
	id, _ := p.called("step.lease")
	p.reply(id, object{"current": true, "remaining_ms": 1000})
	success(t, p.outcome(caller))
	success(t, p.outcome(large))
	g.open("")
	p.outcome(behind)
}

func stopsAfterLostLeases(t T, lang language) {
	p := startOffering(t, lang, nil, "step.lease", "step.publish_event")
	step := p.beginAs("stale", "LeaseThenEffect", nil)
	id, _ := p.called("step.lease")
	p.replyError(id, -32020, "stale_lease")
	if got := success(t, p.outcome(step)); got != `["LeaseLost","LeaseLost"]` {
		t.Errorf("the fixture caught %s, want LeaseLost from the lease and from the event after it", got)
	}
	if len(p.requests) > 0 {
		t.Errorf("an effect was asked for after the lease was lost: %s", p.requests[0].Method)
	}
}

func refusesCallbacksNotOffered(t T, lang language) {
	p := startOffering(t, lang, nil)
	for _, c := range allCallbacks() {
		got := p.mustFail("Callback", object{}, object{"method": c.method}) // keep fails when it is sent
		if !strings.Contains(got.Message, c.method) && !strings.Contains(got.Class, "NotPermitted") {
			t.Errorf("%s: the error does not say which callback is missing: %s: %s", c.method, got.Class, got.Message)
		}
	}
}

func cancelsWaitingCallbacks(t T, lang language) {
	p := startOffering(t, lang, nil, "step.lease")
	p.require("WaitForCancel")
	step := p.beginAs("waiting", "Callback", object{"method": "step.lease"})
	p.called("step.lease")
	p.cancel("waiting", "user")
	p.mustBeCancelled(step)
}

func refusesBlockingTheLoop(t T, lang language) {
	p := startOffering(t, lang, nil, "step.lease")
	start := time.Now()
	got := p.mustFail("CallbackInLoop", object{}, nil)
	if len(p.requests) > 0 {
		t.Error("the callback was sent")
	}
	if !strings.Contains(got.Message, "loop") {
		t.Errorf("the error does not name the event loop: %s", got.Message)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	p.mustEcho()
}
