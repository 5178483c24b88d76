package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func textLogger(w *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

func TestDrainLogsOneRecordALine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := NewSink(textLogger(&out))
	input := "one\r\n\nlevel=ERROR msg=forged\x1b[31m\nlast without an end"
	s.Drain(iotest.HalfReader(strings.NewReader(input)), "stderr", true)
	want := `level=INFO msg=one stream=stderr
level=INFO msg="level=ERROR msg=forged\\x1b[31m" stream=stderr
level=INFO msg="last without an end" stream=stderr
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one", `level=ERROR msg=forged\x1b[31m`, "last without an end"}, s.Tail()); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
}

func TestDrainCutsLongLinesAndStaysInStep(t *testing.T) {
	t.Parallel()
	var lines []string
	s := splitter{emit: func(line []byte, _ int64, cut bool) { lines = append(lines, fmt.Sprintf("%d %v", len(line), cut)) }}
	s.drain(strings.NewReader(strings.Repeat("x", lineBytesMax) + "\n" + strings.Repeat("x", 1<<20) + "\nnext\n"))
	if diff := cmp.Diff([]string{"16384 false", "16384 true", "4 false"}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTailRemembersTheLastLines(t *testing.T) {
	t.Parallel()
	var last tail
	for i := range 100 {
		last.add(fmt.Sprint(i), nil)
	}
	if len(last.lines) != tailLines || last.lines[0].text != "80" || last.lines[tailLines-1].text != "99" {
		t.Errorf("tail is %v", last.lines)
	}
}

func TestLimiterAllowsARateAndCountsTheRest(t *testing.T) {
	t.Parallel()
	var l limiter
	now := time.Unix(1, 0)
	if !l.allow(now, BytesPerSecond) {
		t.Error("a burst of a second's worth is refused")
	}
	if l.allow(now, 100) || l.allow(now, 50) {
		t.Error("more is allowed at once")
	}
	if lines, n := l.takeDropped(); lines != 2 || n != 150 {
		t.Errorf("%d lines, %d bytes dropped, want 2 and 150", lines, n)
	}
	for i := range 1000 { // refills are not lost in small steps
		l.refill(now.Add(time.Duration(i+1) * 100 * time.Nanosecond))
	}
	if !l.allow(now.Add(100*time.Microsecond), 100) {
		t.Error("100 bytes are refused after 100µs")
	}
	if l.allow(now.Add(time.Hour), BytesPerSecond+1) {
		t.Error("an hour fills more than a second's worth")
	}
}

func TestEscapeSpellsOutWhatATerminalWouldObey(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"plain":       "plain",
		"tab\tstays":  "tab\tstays",
		"ü 漢 😀":       "ü 漢 😀",
		"\x1b[2J":     `\x1b[2J`,
		"\x00\x7f":    `\x00\x7f`,
		"a\u009bb":    `a\u009bb`,
		"\u202Eevil":  `\u202eevil`,
		"a\u2028b":    `a\u2028b`,
		"bad \xff ok": `bad \xff ok`,
	}
	for in, want := range tests {
		if got := escape([]byte(in)); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNotifyKeepsTheHandlersAttributesApart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := NewSink(textLogger(&out))
	n := &Notification{
		Attrs: map[string]json.RawMessage{"amount": json.RawMessage("12"), "task_id": json.RawMessage(`"forged"`)}, Level: "warning", Logger: "app", Message: "a\nb",
	}
	s.Notify(n, nil, slog.Int64("task_id", 7))
	want := `level=WARN msg=a\x0ab task_id=7 stream=log logger=app attrs.amount=12 attrs.task_id=forged` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestNotificationKeepsMembersOfOtherTypes(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		`{"message":{"a":1},"level":3}`:                  {`{"a":1}`},
		`{"message":"m","attrs":["x"]}`:                  {`m attrs="[\"x\"]"`},
		`{"message":"m","logger":7,"attrs":{"n":1}}`:     {"m n=1"},
		`{"message":null,"execution_id":5,"attrs":null}`: {""},
	}
	for params, want := range tests {
		var n Notification
		if err := json.Unmarshal([]byte(params), &n); err != nil {
			t.Errorf("%s: %v", params, err)
			continue
		}
		if diff := cmp.Diff(want, n.Lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", params, diff)
		}
	}
}
