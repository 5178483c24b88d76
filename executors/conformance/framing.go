package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
)

func framingRules() []rule {
	return []rule{
		{name: "F1 F2 F7 F8 lines may come in any cut, with CRLF and blank lines between", check: readsAnyCut},
		{name: "F3 garbage gets a parse error", check: survivesGarbage},
		{name: "F4 what is no request object is invalid", check: refusesInvalidRequests},
		{name: "F5 a message just below the limit is read", check: readsLargeMessages},
		{name: "F6 a message over the limit is refused and the next one read", check: refusesOversizeMessages},
		{name: "F9 text goes round unchanged", check: echoesUnicode},
		{name: "F10 ids come back as they were", check: echoesIDs},
		{name: "F11 an unknown method is refused", check: refusesUnknownMethods},
		{name: "F12 F13 unknown notifications and stray answers are ignored", check: ignoresWhatItDoesNotKnow},
		{name: "F14 large answers at once do not interleave", check: doesNotInterleave},
	}
}

const ping = `{"jsonrpc":"2.0","id":"p","method":"ping","params":{}}`

func readsAnyCut(t T, lang language) {
	p := startHost(t, lang)
	for _, text := range []string{ping + "\r\n", "\n\r\n  \n" + ping + "\n", ping + "\n" + strings.Replace(ping, `"p"`, `"q"`, 1) + "\n"} {
		p.send(text)
		p.answer("p")
	}
	p.answer("q")
	p.send(paddedPing(200_000) + "\n") // takes several reads, because it is more than a pipe holds
	p.answer("p")
	for _, b := range []byte(ping + "\n") {
		p.send(string(b))
	}
	p.answer("p")
}

// refusal is the next message, which must be an error without id.
func (p *peer) refusal(code int) {
	p.tb.Helper()
	m, err := p.next()
	if err != nil {
		p.tb.Fatal(err)
	}
	if m.ID != nil {
		p.tb.Fatalf("want an error without id, got %+v", m)
	}
	mustRefuse(p.tb, m, code)
}

func survivesGarbage(t T, lang language) {
	p := startReady(t, lang, nil)
	garbage := []string{
		"nonsense", `{"jsonrpc":"2.0","id":"1"`, "\x00\x01", "\xff\xfe{}", `{"id":NaN}`, "{}{}",
		strings.Repeat("[", 100_000), `{"a":"` + "\xc3\x28" + `"}`,
	}
	for _, text := range garbage {
		p.send(text + "\n")
		p.refusal(-32700)
	}
	p.mustEcho()
}

func refusesInvalidRequests(t T, lang language) {
	p := startReady(t, lang, nil)
	for _, text := range []string{"[" + ping + "]", "[]", "3", `"x"`, "null"} {
		p.send(text + "\n")
		p.refusal(-32600)
	}
	p.send(`{"jsonrpc":"2.0","id":"m","method":7}` + "\n")
	mustRefuse(t, p.answer("m"), -32600)
	p.send(`{"id":"v","method":"ping"}` + "\n")
	mustRefuse(t, p.answer("v"), -32600)
	for _, params := range []any{[]int{1}, "x", object{"execution_id": "e"}, object{"handler": object{"name": "Fixtures::Echo"}}} {
		mustRefuse(t, p.call("step.execute", params), -32602)
	}
	p.mustEcho()
}

const limit = 4 << 20

func readsLargeMessages(t T, lang language) {
	p := startReady(t, lang, object{"max_inline_bytes": limit})
	for _, size := range []int{limit - 1, limit} {
		p.send(paddedPing(size) + "\n")
		p.answer("p")
	}
}

func refusesOversizeMessages(t T, lang language) {
	p := startReady(t, lang, nil)
	for _, size := range []int{limit + 1, 3 * limit} {
		p.send(paddedPing(size) + "\n" + ping + "\n")
		p.refusal(-32007)
		p.answer("p")
	}
	small := startReady(t, lang, object{"max_message_bytes": 10_000})
	small.send(paddedPing(10_001) + "\n")
	small.refusal(-32007)
	small.mustEcho()
}

// paddedPing is a ping of exactly size bytes.
func paddedPing(size int) string {
	head, tail := `{"jsonrpc":"2.0","id":"p","method":"ping","params":{"pad":"`, `"}}`
	return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
}

func echoesUnicode(t T, lang language) {
	p := startReady(t, lang, nil)
	want := "emoji \U0001F600, combining e\u0301, separators \u2028\u2029, controls \u0001\u001f\u007f, BOM \ufeff, \"\\/\b\f\n\r\t"
	var got string
	result := p.mustSucceed("Echo", object{"value": want}, nil)
	if err := json.Unmarshal([]byte(result), &got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func echoesIDs(t T, lang language) {
	p := startReady(t, lang, nil)
	for _, id := range []string{"1", "007", "a.b-c_D", strings.Repeat("z", 64), "1e3"} {
		p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"ping"}`+"\n", id))
		p.answer(id)
		params := execution("x"+id, "Fixtures::Echo", object{"value": 1}, nil)
		p.send(line(t, object{"jsonrpc": "2.0", "id": id, "method": "step.execute", "params": params}))
		p.answer(id)
	}
}

func refusesUnknownMethods(t T, lang language) {
	p := startReady(t, lang, nil)
	for _, method := range []string{"step.dance", "initialized", "constructor", "__proto__", "receive", ""} {
		mustRefuse(t, p.call(method, object{}), -32601)
	}
	p.mustEcho()
}

func ignoresWhatItDoesNotKnow(t T, lang language) {
	p := startReady(t, lang, nil)
	p.send(`{"jsonrpc":"2.0","method":"step.cancel","params":{"execution_id":"nobody","reason":"user"}}` + "\n")
	p.send(`{"jsonrpc":"2.0","method":"from.the.future","params":{}}` + "\n")
	p.send(`{"jsonrpc":"2.0","method":"ping"}` + "\n")
	p.send(`{"jsonrpc":"2.0","id":"stray","result":{}}` + "\n")
	p.mustEcho()
	if len(p.answers) > 0 {
		t.Errorf("answers to no request: %v", p.answers)
	}
}

func doesNotInterleave(t T, lang language) {
	p := startReady(t, lang, object{"max_concurrency": 64})
	want := map[string]string{}
	for i := range 64 {
		value := strings.Repeat(string(rune('a'+i%26)), 100<<10)
		want[p.begin("Echo", object{"value": value}, nil)] = `"` + value + `"`
	}
	for id, value := range want {
		if got := success(t, p.outcome(id)); got != value {
			t.Errorf("%s: %d bytes of another answer", id, len(got))
		}
	}
}
