package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

func hygieneRules() []rule {
	return []rule{
		{name: "L4 heartbeats come before the result, with what the handler said", check: sendsHeartbeats},
		{name: "L5 nothing beats for a handler that does not", check: doesNotBeatByItself},
		{name: "L6 SIGUSR1 prints where the handlers are", check: dumpsStacks},
		{name: "I5 a changed folder, umask, environment or signal does not reach the next step, or the host asks to be replaced", check: keepsSurroundings},
		{name: "I5 nor the next step after one that ran beside the change", check: keepsSurroundingsOfNeighbours},
		{name: "I7 a message with line breaks stays one log record", check: keepsRecordsWhole},
		{name: "I8 a secret is never logged", check: keepsSecrets},
		{name: "S8 children that a handler left behind do not hold up the end", check: endsBesideChildren},
	}
}

func sendsHeartbeats(t T, lang language) {
	p := startReady(t, lang, nil)
	id := p.beginAs("beating", "Heartbeat", nil)
	p.outcome(id)
	if len(p.notes) == 0 {
		t.Fatal("no heartbeat came before the answer")
	}
	var got struct {
		ExecutionID string  `json:"execution_id"`
		Progress    float64 `json:"progress"`
		Message     string  `json:"message"`
	}
	if err := json.Unmarshal(p.notes[0].Params, &got); err != nil {
		t.Fatal(err)
	}
	if got.ExecutionID != "beating" || got.Progress != 0.5 || got.Message != "half" {
		t.Errorf("got %s", p.notes[0].Params)
	}
	p.notes = nil
	p.mustEcho()
	if len(p.notes) > 0 {
		t.Errorf("a heartbeat after the answer: %s", p.notes[0].Params)
	}
}

func doesNotBeatByItself(t T, lang language) {
	p := startReady(t, lang, nil)
	id, g := p.startGate()
	for range 20 {
		p.mustEcho()
	}
	g.open("")
	p.outcome(id)
	if len(p.notes) > 0 {
		t.Errorf("the handler said nothing, the host sent %s %s", p.notes[0].Method, p.notes[0].Params)
	}
}

func dumpsStacks(t T, lang language) {
	p := startReady(t, lang, nil)
	g := newGate(t)
	p.begin("Busy", object{}, object{"path": g.path, "ms": 600_000})
	g.mustRead()
	var asked time.Time
	for start := time.Now(); time.Since(start) < patience; time.Sleep(10 * time.Millisecond) {
		if time.Since(asked) >= time.Second { // a host that has just started may not be ready for it yet
			p.signal(syscall.SIGUSR1)
			asked = time.Now()
		}
		if text := strings.ToLower(p.stderr.String()); strings.Contains(text, "busy") || strings.Contains(text, "fixtures.") {
			return // languages name the function, or only its file
		}
		select {
		case <-p.exited:
			t.Fatal("SIGUSR1 ended the host")
		default:
		}
	}
	t.Error("stderr does not name the handler Busy after SIGUSR1")
}

func keepsSurroundings(t T, lang language) {
	p := startReady(t, lang, object{"max_concurrency": 1})
	before := p.mustSucceed("Surroundings", object{}, nil)
	p.mustSucceed("Pollute", object{}, nil)
	p.mustSee(before)
}

func keepsSurroundingsOfNeighbours(t T, lang language) {
	p := startReady(t, lang, nil)
	before := p.mustSucceed("Surroundings", object{}, nil)
	neighbour, g := p.startGate()
	p.mustSucceed("Pollute", object{}, nil)
	g.open("")
	p.outcome(neighbour)
	p.mustSee(before)
}

// mustSee fails when a step sees other surroundings and the host does not ask to be replaced.
func (p *peer) mustSee(before string) {
	p.tb.Helper()
	after := p.mustSucceed("Surroundings", object{}, nil)
	for after != before && !slices.ContainsFunc(p.notes, asksForReplacement) {
		m, err := p.next()
		if err != nil {
			p.tb.Fatalf("the next step sees %s, before it was %s", after, before)
		}
		p.keep(m)
	}
}

func asksForReplacement(m message) bool {
	return m.Method == "executor.status" && strings.Contains(string(m.Params), "recycle_me")
}

func keepsRecordsWhole(t T, lang language) {
	p := startReady(t, lang, nil)
	success(t, p.outcome(p.begin("LogInjection", object{}, nil)))
	if len(p.logs) != 1 {
		t.Fatalf("%d records, want 1", len(p.logs))
	}
	var got logRecord
	if err := json.Unmarshal(p.logs[0].Params, &got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.Message, "first\n") || !strings.Contains(got.Message, "forged") {
		t.Errorf("message %q", got.Message)
	}
}

func keepsSecrets(t T, lang language) {
	p := startOffering(t, lang, nil, "secrets.get")
	step := p.beginAs("caller", "Callback", object{"method": "secrets.get"})
	id, _ := p.called("secrets.get")
	p.reply(id, object{"value": secretValue})
	success(t, p.outcome(step))
	p.closeInput()
	p.exit()
	logged := func(m message) bool { return strings.Contains(string(m.Params), secretValue) }
	if strings.Contains(p.stdout.String()+p.stderr.String(), secretValue) || slices.ContainsFunc(p.logs, logged) {
		t.Error("the secret is in what the host printed or logged")
	}
}

func endsBesideChildren(t T, lang language) {
	p := startReady(t, lang, nil)
	for _, kind := range []string{"child", "daemon"} {
		var pid int
		if _, err := fmt.Sscan(p.mustSucceed("LeaveChild", object{}, object{"kind": kind}), &pid); err != nil || pid < 2 {
			t.Fatalf("the fixture returned no pid: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	}
	p.mustEndInTime()
	p.mustEnd()
}
