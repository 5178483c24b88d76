package conformance

import (
	"strings"
	"time"
)

func livenessRules() []rule {
	return []rule{
		{name: "L1 a ping is answered within a second, before and after initialize", check: answersPings},
		{name: "L2 a ping is answered beside a handler that computes", only: []string{"ruby", "python"}, check: answersPingsWhileBusy},
		{name: "L2 a ping is answered beside a handler that waits", check: answersPingsWhileWaiting},
		{name: "L3 a ping is answered while a large result is written", check: answersPingsBesideLargeResults},
	}
}

type pong struct {
	InFlight int    `json:"in_flight"`
	OldestMS *int64 `json:"oldest_ms"`
}

func (p *peer) ping() pong {
	p.tb.Helper()
	return decode[pong](p.tb, p.call("ping", object{}))
}

func answersPings(t T, lang language) {
	p := startHost(t, lang)
	p.ping()
	p.initialize(initialization(lang.root(t), nil))
	if quickest := p.quickestPing(); quickest > time.Second {
		t.Errorf("the quickest of %d took %s", pings, quickest)
	}
}

// pings is how many are tried: on a busy machine one of them may be late, all of them only where the host is slow.
const pings = 5

// quickestPing stops at the first ping that was answered within a second.
func (p *peer) quickestPing() time.Duration {
	p.tb.Helper()
	quickest := patience
	for range pings {
		start := time.Now()
		if got := p.ping(); got.InFlight != 0 || got.OldestMS != nil {
			p.tb.Errorf("got %+v", got)
		}
		if quickest = min(quickest, time.Since(start)); quickest <= time.Second {
			break
		}
	}
	return quickest
}

func answersPingsWhileBusy(t T, lang language) {
	p := startReady(t, lang, nil)
	g := newGate(t)
	busy := p.begin("Busy", object{}, object{"path": g.path, "ms": 600_000})
	g.mustRead()
	if got := p.ping(); got.InFlight != 1 || got.OldestMS == nil {
		t.Errorf("got %+v", got)
	}
	if _, answered := p.answers[busy]; answered {
		t.Error("the handler was not busy any more")
	}
}

func answersPingsWhileWaiting(t T, lang language) {
	p := startReady(t, lang, nil)
	g := newGate(t)
	waiting := p.begin("Gate", object{}, g.config())
	g.reached()
	if got := p.ping(); got.InFlight != 1 || got.OldestMS == nil {
		t.Errorf("got %+v", got)
	}
	g.open("")
	p.outcome(waiting)
	if got := p.ping(); got.InFlight != 0 || got.OldestMS != nil {
		t.Errorf("got %+v", got)
	}
}

func answersPingsBesideLargeResults(t T, lang language) {
	p := startReady(t, lang, nil)
	value := strings.Repeat("x", 1<<20-2)
	id := p.begin("Echo", object{"value": value}, nil)
	p.ping()
	if got := success(t, p.outcome(id)); len(got) != 1<<20 {
		t.Errorf("got %d bytes", len(got))
	}
}
