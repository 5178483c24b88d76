package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestLineReaderReadsLinesWholeAndDropsTheUnfinished(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("l", 200<<10)
	input := "a\r\n\n" + long + "\nshort\nhalf a li"
	want := []string{"a", "", long, "short"}
	readers := map[string]io.Reader{
		"at once":      strings.NewReader(input),
		"byte by byte": iotest.OneByteReader(strings.NewReader(input)),
		"data and EOF": iotest.DataErrReader(strings.NewReader(input)),
	}
	for name, r := range readers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := NewLineReader(r, 1<<20)
			var got []string
			line, err := lines.Next()
			for ; err == nil; line, err = lines.Next() {
				got = append(got, string(line))
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("error is %v, want EOF", err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLineReaderRefusesLinesBeyondTheLimit(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 101, 300 << 10} {
		lines := NewLineReader(strings.NewReader(strings.Repeat("x", size)+"\n"), 100)
		if _, err := lines.Next(); errors.Is(err, ErrLineTooLong) != (size > 100) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestAppendExecuteIsOneLineOfTheSpecifiedJSON(t *testing.T) {
	t.Parallel()
	a := &engine.Attempt{
		Token: 551201,
		Task: engine.TaskInfo{
			ID: 1207, Namespace: "shop", Name: "check\"out", Version: "1.2.0", Context: []byte("{\n \"big\": 9007199254740993}"),
			Tags: []byte(`["a"]`), Initiator: "ü", RequestedAt: time.Date(2026, 11, 22, 21, 40, 5, 120_000_000, time.FixedZone("", 3600)),
		},
		Step: engine.StepInfo{ID: 8831, Name: "charge", Attempt: 2, MaxAttempts: 3, Results: []byte(`{"error":1}`)},
		Dependencies: []engine.Dependency{
			{StepID: 9, Name: "z", Result: []byte(`{"valid":true}`)}, {StepID: 8, Name: "a", Result: nil},
		},
		Handler: engine.Handler{Name: "Payments::Charge", Config: []byte(`{"gateway":"stripe"}`)},
	}
	want := `{"jsonrpc":"2.0","id":"w12-00000000000000ff","method":"step.execute","params":{"execution_id":"8831-2-e",` +
		`"step":{"id":"8831","name":"charge","attempt":2,"max_attempts":3,"inputs":null,"results":{"error":1}},` +
		`"task":{"id":"1207","namespace":"shop","name":"check\"out","version":"1.2.0","context":{"big":9007199254740993},` +
		`"requested_at":"2026-11-22T20:40:05.120000Z","tags":["a"],"initiator":"ü","source_system":null,"reason":null},` +
		`"dependencies":{"z":{"step_id":"9","result":{"valid":true}},"a":{"step_id":"8","result":null}},` +
		`"handler":{"name":"Payments::Charge","config":{"gateway":"stripe"}},"timeout_ms":30000,` +
		`"deadline_at":"2026-11-22T21:00:00.000000Z","idempotency_key":"tasker:step:8831"}}` + "\n"
	deadline := time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)
	got := AppendExecute([]byte("before\n"), ID{12, 255}, &Params{Attempt: a, ExecutionID: "8831-2-e", Deadline: deadline, Timeout: 30 * time.Second})
	if diff := cmp.Diff("before\n"+want, string(got)); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestAppendStringIsReadBackByAnyJSONParser(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestParseTellsMessagesApart(t *testing.T) {
	t.Parallel()
	type kind struct {
		Response, Request, Known bool
		ID                       ID
	}
	tests := map[string]kind{
		`{"jsonrpc":"2.0","id":"w7-00000000000000ff","result":{"a":1}}`:                     {Response: true, Known: true, ID: ID{7, 255}},
		`{"id":"w7-00000000000000ff","jsonrpc":"2.0","result":null}`:                        {Response: true, Known: true, ID: ID{7, 255}},
		`{"jsonrpc":"2.0","id":"w7-00000000000000ff","error":{"code":-32601,"message":""}}`: {Response: true, Known: true, ID: ID{7, 255}},
		`{"jsonrpc":"2.0","id":"w07-00000000000000ff","result":1}`:                          {Response: true},
		`{"jsonrpc":"2.0","id":"w","result":1}`:                                             {Response: true},
		`{"jsonrpc":"2.0","id":"w7-0000000000000FF","result":1}`:                            {Response: true},
		`{"jsonrpc":"2.0","id":"w7-00000000000000FF","result":1}`:                           {Response: true},
		`{"jsonrpc":"2.0","id":"x7","result":1}`:                                            {Response: true},
		`{"jsonrpc":"2.0","id":7,"result":1}`:                                               {Response: true},
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}`:                  {Response: true},
		`{"jsonrpc":"2.0","id":"x1","method":"tasks.create","params":{}}`:                   {Request: true},
		`{"jsonrpc":"2.0","method":"log","params":{}}`:                                      {},
	}
	for line, want := range tests {
		m, err := Parse([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got := kind{ID: m.ID, Known: m.Known, Request: m.IsRequest(), Response: m.IsResponse()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	for _, line := range []string{`[]`, `[{"id":"w1-00000000000000ff"}]`, `hello`, `{"id":"w1-00000000000000ff"}`, `{"id":"w1-00000000000000ff","result":1,"error":{"code":1}}`, `{"method":1}`} {
		if m, err := Parse([]byte(line)); err == nil {
			t.Errorf("%s is read as %+v", line, m)
		}
	}
}

// The cheap path and the general one must never disagree, whatever a host writes.
func TestOutcomeOfTheCheapPathIsThatOfTheGeneralOne(t *testing.T) {
	t.Parallel()
	pieces := []string{
		`{"jsonrpc":"2.0","id":"w1-00000000000000ff"`, `,"result":`, `{"outcome":"success","result":`, `{"outcome":"failure"`, `1`, `"a}}"`, `{}`, `[1,{"result":2}]`,
		`}`, `}}`, `,`, `"metadata":{}`, `,"metadata":{"cpu_ms":`, `1.5`, `1e400`, `"result":2`, `,"error":{"code":1}`, ` `, `null`, `NaN`, `"\u0000"`,
	}
	rapid.Check(t, func(t *rapid.T) {
		line := []byte(pieces[0] + pieces[1] + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 6).Draw(t, "pieces"), ""))
		fast, ok := parseFast(line)
		strict, err := parseStrict(line)
		if !ok || err != nil {
			return
		}
		want := errorOutcomeOr(strict)
		if diff := cmp.Diff(want, fast.Outcome(nil)); diff != "" {
			t.Fatalf("%s (-general +cheap):\n%s", line, diff)
		}
	})
}

func TestMeasuredProcessorTimeIsReadOnTheCheapPathToo(t *testing.T) {
	t.Parallel()
	const measured = 1500 * time.Microsecond
	tests := map[string]engine.Usage{
		`{"outcome":"success","result":{"a":1},"metadata":{"cpu_ms":1.5}}`:                      {CPU: measured},
		`{"metadata":{"cpu_ms":1.5},"outcome":"success","result":{"a":1}}`:                      {CPU: measured},
		`{"outcome":"success","result":{"a":1},"metadata":{"gateway_ms":4,"cpu_ms":1.5}}`:       {CPU: measured},
		`{"outcome":"failure","failure":{"class":"E","message":"m"},"metadata":{"cpu_ms":1.5}}`: {CPU: measured},
		`{"outcome":"success","result":{"a":1},"metadata":{"cpu_ms":-3}}`:                       {},
		`{"outcome":"success","result":{"a":1},"metadata":{"cpu_ms":"much"}}`:                   {},
		`{"outcome":"success","result":{"a":1},"metadata":7}`:                                   {},
		`{"outcome":"success","result":",\"metadata\":{\"cpu_ms\":1.5}"}`:                       {},
		`{"outcome":"success","result":{"a":1,"metadata":{"cpu_ms":1.5}}}`:                      {},
	}
	for result, want := range tests {
		m, err := Parse([]byte(`{"jsonrpc":"2.0","id":"w1-00000000000000ff","result":` + result + `}`))
		if err != nil {
			t.Fatal(err)
		}
		got := m.Outcome(nil)
		if got.Usage != want || got.Kind == engine.OutcomeFailed && got.Failure.Class != "E" {
			t.Errorf("%s comes to %+v, want the usage %+v", result, got, want)
		}
	}
}

func errorOutcomeOr(m Message) engine.Outcome {
	if m.Error != nil {
		return errorOutcome(m.Error)
	}
	return decodeOutcome(m.Result, nil)
}

func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	line, _ := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": "w1-00000000000000ff",
		"result": map[string]any{"outcome": "failure", "failure": map[string]any{
			"backtrace":      slicesOf(strings.Repeat("b", 1000), 1000),
			"cause":          map[string]any{"class": "Inner", "message": "why"},
			"class":          strings.Repeat("c", 1000),
			"details":        map[string]any{"x": strings.Repeat("d", 100<<10)},
			"kind":           "retryable",
			"message":        "a\x00b",
			"retry_after_ms": 1e300,
		}},
	})
	m, err := Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	f := m.Outcome(nil).Failure
	if f == nil {
		t.Fatal("no failure")
	}
	if f.Message != "a\uFFFDb (caused by Inner: why)" {
		t.Errorf("message is %q", f.Message)
	}
	if len(f.Backtrace) != backtraceMax || len(f.Backtrace[0]) != backtraceBytesMax || len(f.Class) != nameBytesMax {
		t.Errorf("%d frames of %d bytes, class of %d", len(f.Backtrace), len(f.Backtrace[0]), len(f.Class))
	}
	if f.RetryAfter != durationMax {
		t.Errorf("retry after %v, want %v", f.RetryAfter, durationMax)
	}
	if !bytes.Contains(f.Details, []byte("dropped")) {
		t.Errorf("details are %.60s", f.Details)
	}
}

func TestMemberOfTheWrongTypeCostsNothingButItself(t *testing.T) {
	t.Parallel()
	busy := func(message string) engine.Failure { return engine.Failure{Class: "Busy", Message: message} }
	tests := map[string]engine.Failure{
		`{"class":"Busy","message":"busy","retry_after_ms":"soon"}`:            busy(`busy (ignored: retry_after_ms is "soon", which is not a number)`),
		`{"class":"Busy","message":"busy","retry_after_ms":{"s":1}}`:           busy(`busy (ignored: retry_after_ms is {"s":1}, which is not a number)`),
		`{"class":"Busy","message":"busy","retry_after_ms":null}`:              busy("busy"),
		`{"class":"Busy","message":"busy","kind":7}`:                           busy("busy (ignored: kind is 7, which is not permanent or retryable)"),
		`{"class":"Busy","message":"busy","kind":"fatal"}`:                     busy("busy (ignored: kind is fatal, which is not permanent or retryable)"),
		`{"class":"Busy","message":{"en":"busy"}}`:                             busy(`{"en":"busy"}`),
		`{"class":"Busy","message":null,"cause":"the bank"}`:                   busy(" (caused by the bank)"),
		`{"class":"Busy","message":"busy","cause":{"class":1,"message":[2]}}`:  {Class: "Busy", CauseClass: "1", Message: "busy (caused by 1: [2])"},
		`{"class":"Busy","message":"busy","ancestors":["Slow",7]}`:             {Class: "Busy", Message: "busy", Ancestors: []string{"Slow", "7"}},
		`{"class":7,"message":"busy"}`:                                         {Class: "7", Message: "busy"},
		`{"class":"Busy","message":"busy","code":{"n":1}}`:                     {Class: "Busy", Message: "busy", Code: `{"n":1}`},
		`{"class":"Busy","message":"busy","backtrace":"a.rb:1\nb.rb:2"}`:       {Class: "Busy", Message: "busy", Backtrace: []string{"a.rb:1", "b.rb:2"}},
		`{"class":"Busy","message":"busy","backtrace":["a.rb:1",{"line":2}]}`:  {Class: "Busy", Message: "busy", Backtrace: []string{"a.rb:1", `{"line":2}`}},
		`{"class":"Busy","message":"busy","kind":"permanent","cause":["why"]}`: {Class: "Busy", Message: `busy (caused by ["why"])`, Permanent: true},
		`"the bank is busy"`: {Class: engine.ClassProtocol, Message: "the bank is busy"},
		`["busy"]`:           {Class: engine.ClassProtocol, Message: `["busy"]`},
	}
	for said, want := range tests {
		m, err := Parse([]byte(`{"jsonrpc":"2.0","id":"w1-00000000000000ff","result":{"outcome":"failure","failure":` + said + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(engine.Failed(want), m.Outcome(nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", said, diff)
		}
	}
	m, err := Parse([]byte(`{"jsonrpc":"2.0","id":"w1-00000000000000ff","result":{"outcome":"deferred","resume_after_ms":"soon"}}`))
	if got := m.Outcome(nil); err != nil || got.Failure == nil || !strings.Contains(got.Failure.Message, `resume_after_ms is "soon"`) {
		t.Errorf("a deferral without a time comes to %+v, %v", got, err)
	}
}

func slicesOf(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestCleanIsValidAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "bytes"))
		got := Clean(s, 40)
		if len(got) > 40 || !utf8.ValidString(got) || strings.Contains(got, "\x00") {
			t.Fatalf("Clean(%q) = %q", s, got)
		}
	})
}

func BenchmarkAppendExecute(b *testing.B) {
	for name, size := range map[string]int{"500B": 500, "64kB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			a := &engine.Attempt{Task: engine.TaskInfo{Context: []byte(`"` + strings.Repeat("x", size) + `"`)}}
			var buf []byte
			for b.Loop() {
				buf = AppendExecute(buf[:0], ID{Number: 1}, &Params{Attempt: a, Timeout: time.Second})
			}
		})
	}
}

func BenchmarkOutcome(b *testing.B) {
	for name, size := range map[string]int{"500B": 500, "64kB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			line := []byte(`{"jsonrpc":"2.0","id":"w1-00000000000000ff","result":{"outcome":"success","result":"` + strings.Repeat("x", size) + `"}}`)
			for b.Loop() {
				m, err := Parse(line)
				if err != nil || m.Outcome(nil).Kind != engine.OutcomeSucceeded {
					b.Fatal("not read")
				}
			}
		})
	}
}
