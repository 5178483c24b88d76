package conformance

import (
	"syscall"
	"time"
)

func stopRules() []rule {
	return []rule{
		{name: "S1 after shutdown running steps finish and new ones are refused", check: drainsOnShutdown},
		{name: "S2 the end of input ends an idle host", check: endsWhenIdle},
		{name: "S3 the end of input ends a host with running steps", check: endsWhenRunning},
		{name: "S3 the end of input ends a host that computes", only: []string{"ruby", "python"}, check: endsWhenBusy},
		{name: "S4 a host that computes dies with the worker", check: diesWithTheWorker},
		{name: "S5 SIGTERM drains and ends the host", check: drainsOnSIGTERM},
		{name: "S5 SIGTERM ends an idle host", check: endsOnSIGTERM},
		{name: "S5 SIGTERM ends the host when the grace is over", check: endsAfterTheGrace},
		{name: "S6 SIGINT is ignored", check: ignoresSIGINT},
		{name: "S7 a host that is killed says nothing more", check: endsSilently},
		{name: "S9 a handler that ends the process is seen by its exit code", check: exitsWithTheHandlersCode},
		{name: "S10 a host that was stopped goes on", check: survivesSIGSTOP},
	}
}

// exitDeadline is how long a host may take to end once its input is closed.
const exitDeadline = 5 * time.Second

// mustEndInTime closes the input, waits for the host to end by itself and returns its exit code.
func (p *peer) mustEndInTime() int {
	p.tb.Helper()
	start := time.Now()
	p.closeInput()
	code := p.exit()
	if took := time.Since(start); took > exitDeadline {
		p.tb.Errorf("took %s", took)
	}
	return code
}

// startGate starts a step that waits at a gate.
func (p *peer) startGate() (id string, g *gate) {
	p.tb.Helper()
	g = newGate(p.tb)
	id = p.begin("Gate", object{}, g.config())
	g.reached()
	return id, g
}

func drainsOnShutdown(t T, lang language) {
	p := startReady(t, lang, nil)
	id, g := p.startGate()
	if got := decode[pong](t, p.call("shutdown", object{"grace_ms": 1000})); got.InFlight != 1 {
		t.Errorf("in_flight %d, want 1", got.InFlight)
	}
	mustRefuse(t, p.call("step.execute", execution("late", "Fixtures::Echo", object{"value": 1}, nil)), -32006)
	g.open("finished")
	if got := success(t, p.outcome(id)); got != `"finished"` {
		t.Errorf("got %s", got)
	}
	if got := decode[pong](t, p.call("shutdown", object{"grace_ms": 1000})); got.InFlight != 0 {
		t.Errorf("in_flight %d, want 0", got.InFlight)
	}
	if got := p.mustEndInTime(); got != 0 {
		t.Errorf("exit code %d", got)
	}
	p.mustEnd()
}

func endsWhenIdle(t T, lang language) {
	for _, p := range []*peer{startReady(t, lang, nil), startHost(t, lang)} {
		if got := p.mustEndInTime(); got != 0 {
			t.Errorf("exit code %d", got)
		}
	}
}

func endsWhenRunning(t T, lang language) {
	p := startReady(t, lang, nil)
	_, g := p.startGate()
	defer g.pipe.Close()
	p.mustEndInTime()
	p.mustEnd()
}

func endsWhenBusy(t T, lang language) {
	p := startReady(t, lang, nil)
	g := newGate(t)
	p.begin("Busy", object{}, object{"path": g.path, "ms": 600_000})
	g.mustRead()
	p.mustEndInTime()
}

func drainsOnSIGTERM(t T, lang language) {
	p := startReady(t, lang, nil)
	id, g := p.startGate()
	p.signal(syscall.SIGTERM)
	mustRefuse(t, p.firstRefusal(), -32006)
	g.open("finished")
	if got := success(t, p.outcome(id)); got != `"finished"` {
		t.Errorf("got %s", got)
	}
	if got := p.exit(); got != 0 {
		t.Errorf("exit code %d", got)
	}
	p.mustEnd()
}

// firstRefusal sends steps until one is refused; a signal may take effect a little later than what was sent after it.
func (p *peer) firstRefusal() message {
	p.tb.Helper()
	for start := time.Now(); time.Since(start) < patience; {
		m := p.call("step.execute", execution("late", "Fixtures::Echo", object{"value": 1}, nil))
		if m.Error != nil {
			return m
		}
	}
	p.tb.Fatal("no step was refused")
	return message{}
}

func endsOnSIGTERM(t T, lang language) {
	p := startReady(t, lang, nil)
	p.signal(syscall.SIGTERM)
	if got := p.exit(); got != 0 {
		t.Errorf("exit code %d", got)
	}
}

func endsAfterTheGrace(t T, lang language) {
	p := startHost(t, lang)
	params := initialization(lang.root(t), nil)
	params["timing"] = object{"shutdown_grace_ms": 50}
	p.initialize(params)
	_, g := p.startGate()
	defer g.pipe.Close()
	p.signal(syscall.SIGTERM)
	p.exit()
	p.mustEnd()
}

func ignoresSIGINT(t T, lang language) {
	p := startReady(t, lang, nil)
	for range 3 {
		p.signal(syscall.SIGINT)
		p.mustEcho()
	}
}

func endsSilently(t T, lang language) {
	p := startReady(t, lang, nil)
	p.begin("KillSelf", object{}, nil)
	p.mustEnd()
	if got := p.exit(); got != -1 {
		t.Errorf("exit code %d, want the signal", got)
	}
}

func exitsWithTheHandlersCode(t T, lang language) {
	p := startReady(t, lang, nil)
	p.begin("HardExit", object{}, nil)
	p.mustEnd()
	if got := p.exit(); got != 3 {
		t.Errorf("exit code %d, want 3", got)
	}
}

func survivesSIGSTOP(t T, lang language) {
	p := startReady(t, lang, nil)
	p.signal(syscall.SIGSTOP)
	id := p.request("ping", object{})
	p.signal(syscall.SIGCONT)
	p.answer(id)
	for range 50 { // a signal may take effect a little later than what was sent after it
		p.mustEcho()
	}
}
