package conformance

func concurrencyRules() []rule {
	return []rule{
		{name: "C1 C2 as many steps run at once as were agreed, and one more is refused", check: runsInParallel},
		{name: "C1 for coroutines", only: []string{"python"}, check: runsCoroutinesInParallel},
		{name: "C9 an execution that runs already is refused", check: refusesDuplicates},
	}
}

func runsInParallel(t T, lang language) { fillAndRelease(t, lang, "Gate") }

func runsCoroutinesInParallel(t T, lang language) { fillAndRelease(t, lang, "AsyncGate") }

// fillAndRelease starts as many gates as may run; each is reached only when all run at once.
func fillAndRelease(t T, lang language, handler string) {
	t.Helper()
	const most = 4
	p := startReady(t, lang, object{"max_concurrency": most})
	gates := map[string]*gate{}
	for range most {
		g := newGate(t)
		gates[p.begin(handler, object{}, g.config())] = g
	}
	for _, g := range gates {
		g.reached()
	}
	mustRefuse(t, p.call("step.execute", execution("more", "Fixtures::Echo", object{"value": 1}, nil)), -32005)
	for id, g := range gates {
		g.open(id)
		if got := success(t, p.outcome(id)); got != `"`+id+`"` {
			t.Errorf("%s returned %s", id, got)
		}
		p.mustEcho() // the place is free as soon as the answer is read
	}
}

func refusesDuplicates(t T, lang language) {
	p := startReady(t, lang, nil)
	g := newGate(t)
	first := p.request("step.execute", execution("same", "Fixtures::Gate", object{}, g.config()))
	g.reached()
	mustRefuse(t, p.call("step.execute", execution("same", "Fixtures::Echo", object{"value": 1}, nil)), -32009)
	g.open("first")
	if got := success(t, p.outcome(first)); got != `"first"` {
		t.Errorf("got %s", got)
	}
	again := p.call("step.execute", execution("same", "Fixtures::Echo", object{"value": 2}, nil))
	if got := success(t, decode[outcome](t, again)); got != "2" {
		t.Errorf("the id was not free again: %s", got)
	}
}
