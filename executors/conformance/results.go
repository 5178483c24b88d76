package conformance

import (
	"encoding/json"
	"strings"
)

func resultsRules() []rule {
	return []rule{
		{name: "E20 arguments carry everything that was sent", check: passesArguments},
		{name: "E1 JSON goes round", check: echoesJSON},
		{name: "E2 nothing returned is null", check: returnsNull},
		{name: "E3 a retryable error carries its delay and context", check: failsRetryable},
		{name: "E4 a permanent error carries its code and context", check: failsPermanent},
		{name: "E5 any other error is retryable", check: failsUnknown},
		{name: "E6 the chain of causes is bounded", check: boundsCauses},
		{name: "E21 an error that cannot be described is answered", check: survivesHostileErrors},
		{name: "E7 E11 a result that JSON cannot hold fails for good", check: refusesResults},
		{name: "E8 without payload files a result over the limit fails for good", check: refusesLargeResults},
		{name: "E22 results may be nested as deep as the limit", check: limitsDepth},
		{name: "E23 dates, decimals and sets are converted", check: convertsResults},
		{name: "E24 a member named __proto__ survives conversion", only: []string{"node"}, check: keepsOddKeys},
		{name: "E10 large integers are exact, or said to be rounded", check: keepsIntegers},
		{name: "E25 exit in a handler ends the step", only: []string{"ruby", "python"}, check: survivesSoftExit},
		{name: "E26 a handler that ends its thread is answered", only: []string{"ruby"}, check: survivesEndedThreads},
		{name: "E27 sys.exit in a task ends neither the loop nor the host", only: []string{"python"}, check: survivesAsyncExit},
		{name: "E28 an error that nothing caught fails its step", only: []string{"node"}, check: attributesStrayErrors},
		{name: "E29 coroutines and promises are awaited", only: []string{"python", "node"}, check: awaitsResults},
	}
}

func passesArguments(t T, lang language) {
	p := startReady(t, lang, nil)
	p.require("Arguments")
	params := execution("x", "Fixtures::Arguments", object{"order": "A-1"}, object{"k": []int{1}})
	step, task := params["step"].(object), params["task"].(object)
	step["attempt"], step["inputs"], step["results"] = 3, object{"i": 1}, object{"error": "before"}
	task["tags"], task["initiator"], task["source_system"] = []string{"a"}, "me", "shop"
	task["reason"], task["requested_at"] = "because", "2026-01-01T00:00:00Z"
	p.send(`{"jsonrpc":"2.0","id":"a","method":"step.execute","params":` + withDependencies(t, params,
		`{"b":{"step_id":"11","result":{"n":1}},"a":{"step_id":"12","result":null}}`) + "}\n")
	got := canonical(t, success(t, p.outcome("a")))
	if want := canonical(t, wantArguments); got != want {
		t.Errorf("arguments\n%s, want\n%s", got, want)
	}
}

const wantArguments = `{
	"task": {"task_id": 1207, "namespace": "n", "name": "t", "version": "1.0.0", "context": {"order": "A-1"}, "tags": ["a"],
		"initiator": "me", "source_system": "shop", "reason": "because", "requested_at": "2026-01-01T00:00:00Z"},
	"step": {"workflow_step_id": 8831, "name": "s", "attempts": 2, "attempt": 3, "retry_limit": 3, "inputs": {"i": 1},
		"results": {"error": "before"}, "config": {"k": [1]}, "idempotency_key": "tasker:step:8831"},
	"steps": [[11, "b", {"n": 1}], [12, "a", null]],
	"found": {"n": 1},
	"missing": null
}`

// withDependencies keeps the order of the members, which a map would lose.
func withDependencies(t T, params object, dependencies string) string {
	t.Helper()
	params["dependencies"] = json.RawMessage(dependencies)
	return strings.TrimSuffix(line(t, params), "\n")
}

func echoesJSON(t T, lang language) {
	p := startReady(t, lang, nil)
	values := []string{
		`0`, `-1`, `1.5`, `1e-7`, `9007199254740991`, `""`, `"x"`, `true`, `false`, `null`, `[]`, `{}`, `[[],{}]`,
		`{"a":{"b":[1,"2",null,{"c":false}]}}`, `{"":0}`, `{"__proto__":1,"constructor":2}`, `{"json_class":"String"}`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64),
	}
	for _, value := range values {
		got := p.mustSucceed("Echo", object{"value": json.RawMessage(value)}, nil)
		if canonical(t, got) != canonical(t, value) {
			t.Errorf("%s came back as %s", value, got)
		}
	}
}

func parsed(t T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// canonical has no spaces and sorted members.
func canonical(t T, text string) string {
	t.Helper()
	return line(t, parsed(t, text))
}

func returnsNull(t T, lang language) {
	if got := startReady(t, lang, nil).mustSucceed("Returns", object{}, object{"what": "nothing"}); got != "null" {
		t.Errorf("got %s, want null", got)
	}
}

func failsRetryable(t T, lang language) {
	p := startReady(t, lang, nil)
	for seconds, want := range map[float64]int64{60: 60_000, 1.5: 1500, 0: 0} {
		got := p.mustFail("FailRetryable", object{}, object{"seconds": seconds})
		if got.Kind != "retryable" || got.Message != "try later" || !strings.HasSuffix(got.Class, "RetryableError") {
			t.Errorf("got %+v", got)
		}
		if got.RetryAfterMS == nil || *got.RetryAfterMS != want {
			t.Errorf("%v s: retry_after_ms %v, want %d", seconds, got.RetryAfterMS, want)
		}
		if canonical(t, string(got.Details)) != canonical(t, `{"why":"busy"}`) {
			t.Errorf("details %s", got.Details)
		}
	}
	for _, seconds := range []any{nil, -1, "soon", []int{}} {
		if got := p.mustFail("FailRetryable", object{}, object{"seconds": seconds}); got.RetryAfterMS != nil && *got.RetryAfterMS != 0 {
			t.Errorf("%v: retry_after_ms %d, want none", seconds, *got.RetryAfterMS)
		}
	}
}

func failsPermanent(t T, lang language) {
	got := startReady(t, lang, nil).mustFail("FailPermanent", object{}, nil)
	if got.Kind != "permanent" || got.Code != "NO_FUNDS" || got.Message != "never" || got.RetryAfterMS != nil {
		t.Errorf("got %+v", got)
	}
	if canonical(t, string(got.Details)) != canonical(t, `{"card":1}`) {
		t.Errorf("details %s", got.Details)
	}
}

func failsUnknown(t T, lang language) {
	got := startReady(t, lang, nil).mustFail("FailUnknown", object{}, nil)
	class := map[string]string{"ruby": "ArgumentError", "python": "ValueError", "node": "RangeError"}[lang.name]
	if got.Kind != "retryable" || got.Class == "" || class != "" && got.Class != class || got.Message != "unexpected" {
		t.Errorf("got %+v", got)
	}
	trace := strings.Join(got.Backtrace, "\n")
	if class != "" && !strings.Contains(trace, "fixtures.") || strings.Contains(trace, "tasker_host") {
		t.Errorf("want the handler's frames only, got\n%s", trace)
	}
}

func boundsCauses(t T, lang language) {
	p := startReady(t, lang, nil)
	got := p.mustFail("DeepCause", object{}, nil)
	causes := 0
	for f := &got; f != nil; f = f.Cause {
		causes++
		if len(f.Message) > 4096 || len(f.Backtrace) > 100 {
			t.Errorf("%d bytes of message, %d frames", len(f.Message), len(f.Backtrace))
		}
		for _, frame := range f.Backtrace {
			if len(frame) > 500 {
				t.Errorf("frame of %d bytes", len(frame))
			}
		}
	}
	if causes != 6 {
		t.Errorf("%d errors in the chain, want the error and 5 causes", causes)
	}
	p.mustEcho()
}

func survivesHostileErrors(t T, lang language) {
	p := startReady(t, lang, nil)
	if got := p.mustFail("Hostile", object{}, nil); got.Kind != "retryable" || got.Message == "" {
		t.Errorf("got %+v", got)
	}
	p.mustEcho()
}

func refusesResults(t T, lang language) {
	p := startReady(t, lang, nil)
	wants := map[string]string{ // what the message must say
		"nan": "result.items[1].price", "infinity": "result[0]", "cycle": "nested", "deep": "nested",
		"bytes": "result.blob", "bad text": "", "object": "result.thing[0]", "nul": "U+0000",
	}
	if lang.name == "node" {
		wants["bigint"], wants["function"], wants["hole"] = "result.count is a BigInt", "result.call", "result.list[1]"
	}
	for what, want := range wants {
		got := p.mustFail("Returns", object{}, object{"what": what})
		if got.Kind != "permanent" || got.Class != "Tasker::InvalidResult" || !strings.Contains(got.Message, want) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if got := p.mustSucceed("Returns", object{}, object{"what": "escaped nul"}); got != `{"text":"a\\u0000b"}` {
		t.Errorf("a backslash before u0000 came back as %s", got)
	}
	p.mustEcho()
}

func refusesLargeResults(t T, lang language) {
	p := startReady(t, lang, nil)
	fits := (1 << 20) - len(`""`)
	if got := p.mustSucceed("Returns", object{}, object{"what": "large", "bytes": fits}); len(got) != 1<<20 {
		t.Errorf("got %d bytes", len(got))
	}
	got := p.mustFail("Returns", object{}, object{"what": "large", "bytes": fits + 1})
	if got.Kind != "permanent" || got.Class != "Tasker::ResultTooLarge" || !strings.Contains(got.Message, "1048577 bytes") {
		t.Errorf("got %+v", got)
	}
}

func limitsDepth(t T, lang language) {
	p := startReady(t, lang, object{"max_json_depth": 40})
	p.mustSucceed("Returns", object{}, object{"what": "nested", "levels": 40})
	if got := p.mustFail("Returns", object{}, object{"what": "nested", "levels": 41}); got.Class != "Tasker::InvalidResult" {
		t.Errorf("got %+v", got)
	}
}

func convertsResults(t T, lang language) {
	got := startReady(t, lang, nil).mustSucceed("Returns", object{}, object{"what": "dates"})
	at := map[string]string{"node": "1970-01-01T00:00:00.250Z"}[lang.name]
	if at == "" {
		at = "1970-01-01T00:00:00.250000Z"
	}
	want := `{"at":"` + at + `","day":"2026-01-02","price":"12.3","tags":["a"],"sym":"b"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func keepsOddKeys(t T, lang language) {
	got := startReady(t, lang, nil).mustSucceed("Returns", object{}, object{"what": "odd keys"})
	if want := `{"__proto__":{"a":1},"tags":[]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func keepsIntegers(t T, lang language) {
	p := startReady(t, lang, nil)
	const big = `9223372036854775809`
	for _, harmless := range []string{`"4111111111111111"`, `9007199254740992`, `0.12345678901234567890`, `"\"9223372036854775809"`} {
		p.mustSucceed("Echo", object{"value": json.RawMessage(harmless)}, nil)
	}
	if len(p.logs) > 0 {
		t.Errorf("warned of numbers that are exact: %s", p.logs[0].Params)
	}
	got := p.mustSucceed("Echo", object{"value": json.RawMessage(big)}, nil)
	if got == big {
		return
	}
	if len(p.logs) != 1 || !strings.Contains(string(p.logs[0].Params), big) {
		t.Errorf("rounded to %s without a warning: %v", got, p.logs)
	}
}

func survivesSoftExit(t T, lang language) {
	p := startReady(t, lang, nil)
	if got := p.mustFail("SoftExit", object{}, nil); got.Kind != "retryable" || got.Class != "SystemExit" {
		t.Errorf("got %+v", got)
	}
	p.mustEcho()
}

func survivesEndedThreads(t T, lang language) {
	p := startReady(t, lang, object{"max_concurrency": 1})
	for range 3 {
		if got := p.mustFail("EndThread", object{}, nil); got.Kind != "retryable" {
			t.Errorf("got %+v", got)
		}
	}
	p.mustEcho()
}

func survivesAsyncExit(t T, lang language) {
	p := startReady(t, lang, nil)
	if got := p.mustFail("AsyncSoftExit", object{}, nil); got.Class != "SystemExit" {
		t.Errorf("got %+v", got)
	}
	if got := p.mustSucceed("AsyncEcho", object{"value": 1}, nil); got != "1" {
		t.Errorf("got %s", got)
	}
}

func attributesStrayErrors(t T, lang language) {
	p := startReady(t, lang, nil)
	g := newGate(t)
	neighbour := p.begin("Gate", object{}, g.config())
	g.reached()
	for handler, message := range map[string]string{"StrayRejection": "nobody awaits me", "StrayThrow": "thrown in a callback"} {
		if got := p.mustFail(handler, object{}, nil); got.Class != "TypeError" || got.Message != message {
			t.Errorf("%s: %+v", handler, got)
		}
	}
	g.open("fine")
	if got := success(t, p.outcome(neighbour)); got != `"fine"` {
		t.Errorf("neighbour: %s", got)
	}
}

func awaitsResults(t T, lang language) {
	if got := startReady(t, lang, nil).mustSucceed("AsyncEcho", object{"value": "later"}, nil); got != `"later"` {
		t.Errorf("got %s", got)
	}
}
