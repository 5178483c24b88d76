package conformance

import "time"

func cancelRules() []rule {
	return []rule{
		{name: "C3 a running step that is cancelled is answered so, once", check: cancelsRunning},
		{name: "C4 a cancel right behind its step finds it", check: cancelsAtOnce},
		{name: "C5 C6 a cancel of what has ended or never was is ignored", check: ignoresLateCancels},
		{name: "C7 a cancel leaves the neighbours alone", check: sparesNeighbours},
		{name: "C8 a handler that does not heed a cancel is not answered before it ends", check: answersOnlyWhatEnded},
		{name: "C10 a cancel reaches a handler that awaits", check: cancelsAwaiting},
		{name: "C11 an exclusive handler is declared, and nothing runs beside it", check: runsExclusiveAlone},
		{name: "C12 a step sees its own arguments, never those of a neighbour", check: keepsStepsApart},
	}
}

// cancel sends step.cancel.
func (p *peer) cancel(execution, reason string) {
	p.tb.Helper()
	params := object{"execution_id": execution, "reason": reason, "grace_ms": 10_000}
	p.send(line(p.tb, object{"jsonrpc": "2.0", "method": "step.cancel", "params": params}))
}

// beginAs is begin with an execution id of the caller's.
func (p *peer) beginAs(execID, handler string, config any) string {
	p.tb.Helper()
	p.require(handler)
	return p.request("step.execute", execution(execID, "Fixtures::"+handler, object{}, config))
}

// mustBeCancelled waits for the one answer.
func (p *peer) mustBeCancelled(id string) {
	p.tb.Helper()
	start := time.Now()
	if got := p.outcome(id); got.Outcome != "cancelled" {
		p.tb.Fatalf("want cancelled, got %s: %s %+v", got.Outcome, got.Result, got.Failure)
	}
	if took := time.Since(start); took > 10*time.Second {
		p.tb.Errorf("cancelled after %s, the grace is 10 s", took)
	}
	p.mustEcho()
	if _, twice := p.answers[id]; twice {
		p.tb.Errorf("%s was answered twice", id)
	}
}

func cancelsRunning(t T, lang language) { cancelFixture(t, lang, "WaitForCancel") }

func cancelsAwaiting(t T, lang language) { cancelFixture(t, lang, "AsyncWaitForCancel") }

func cancelFixture(t T, lang language, handler string) {
	t.Helper()
	p := startReady(t, lang, nil)
	for _, reason := range []string{"timeout", "user", "lease_lost", "shutdown"} {
		g := newGate(t)
		id := p.beginAs("cancel-"+reason, handler, g.config())
		g.mustRead()
		p.cancel("cancel-"+reason, reason)
		p.mustBeCancelled(id)
	}
}

func cancelsAtOnce(t T, lang language) {
	p := startReady(t, lang, nil)
	p.require("WaitForCancel")
	params := execution("soon", "Fixtures::WaitForCancel", object{}, nil)
	p.send(line(t, object{"jsonrpc": "2.0", "id": "soon", "method": "step.execute", "params": params}) +
		line(t, object{"jsonrpc": "2.0", "method": "step.cancel", "params": object{"execution_id": "soon", "reason": "user", "grace_ms": 1000}}))
	p.mustBeCancelled("soon")
}

func ignoresLateCancels(t T, lang language) {
	p := startReady(t, lang, nil)
	id := p.beginAs("ended", "Returns", object{"what": "nothing"})
	p.outcome(id)
	p.cancel("ended", "user")
	p.cancel("never-was", "user")
	p.mustEcho()
	again := p.beginAs("ended", "Returns", object{"what": "nothing"})
	if got := success(t, p.outcome(again)); got != "null" {
		t.Errorf("the late cancel struck a later execution: %s", got)
	}
	if len(p.answers) > 0 {
		t.Errorf("answers to no request: %v", p.answers)
	}
}

func sparesNeighbours(t T, lang language) {
	p := startReady(t, lang, nil)
	p.require("WaitForCancel")
	neighbour, gate := p.startGate()
	g := newGate(t)
	id := p.beginAs("struck", "WaitForCancel", g.config())
	g.mustRead()
	p.cancel("struck", "user")
	p.mustBeCancelled(id)
	gate.open("unharmed")
	if got := success(t, p.outcome(neighbour)); got != `"unharmed"` {
		t.Errorf("the neighbour returned %s", got)
	}
}

func answersOnlyWhatEnded(t T, lang language) {
	p := startReady(t, lang, nil)
	g := newGate(t)
	id := p.beginAs("deaf", "Gate", g.config())
	g.reached()
	p.cancel("deaf", "timeout")
	if got := p.ping(); got.InFlight != 1 {
		t.Errorf("in_flight %d while the handler runs, want 1", got.InFlight)
	}
	for range 100 { // a host that does not wait for the handler answers meanwhile
		p.mustEcho()
	}
	if _, answered := p.answers[id]; answered {
		t.Fatal("answered while the handler still runs")
	}
	g.open("late")
	p.outcome(id)
}

// runsExclusiveAlone sends what a worker never sends, because a host must not depend on it.
func runsExclusiveAlone(t T, lang language) {
	p := startReady(t, lang, nil)
	p.require("Exclusive")
	for _, h := range p.ready.Handlers {
		if want := h.Name == "Fixtures::Exclusive"; h.Exclusive != want {
			t.Errorf("%s: exclusive is %v, want %v", h.Name, h.Exclusive, want)
		}
	}
	neighbour, beside := p.startGate()
	alone := newGate(t)
	mustRefuse(t, p.answer(p.begin("Exclusive", object{}, alone.config())), -32005)
	beside.open("")
	p.outcome(neighbour)
	exclusive := p.begin("Exclusive", object{}, alone.config())
	alone.reached()
	mustRefuse(t, p.answer(p.begin("Echo", object{"value": 1}, nil)), -32005)
	mustRefuse(t, p.answer(p.begin("Exclusive", object{}, newGate(t).config())), -32005)
	alone.open("alone")
	if got := success(t, p.outcome(exclusive)); got != `"alone"` {
		t.Errorf("got %s", got)
	}
	p.mustEcho()
}

func keepsStepsApart(t T, lang language) {
	p := startReady(t, lang, nil)
	p.require("CurrentStep")
	gates, ids := map[string]*gate{}, map[string]string{}
	for _, name := range []string{"a", "b", "c", "d"} {
		gates[name] = newGate(t)
		ids[name] = p.begin("CurrentStep", object{}, object{"path": gates[name].path, "name": name})
	}
	for _, name := range []string{"d", "c", "b", "a"} {
		gates[name].reached()
	}
	for name, g := range gates {
		g.open("")
		if got := success(t, p.outcome(ids[name])); got != `"`+name+`"` {
			t.Errorf("step %s saw itself as %s", name, got)
		}
	}
}
