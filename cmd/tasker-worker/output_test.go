package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableAlignsColumns(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := table(&out, [][]string{{"A", "B", "C"}, {"é", "", "x\ny"}, {"long", "1"}}); err != nil {
		t.Fatal(err)
	}
	want := "A     B  C\né        x·y\nlong  1\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestTaskShowNamesAFewParentsOfAStep(t *testing.T) {
	t.Parallel()
	for want, names := range map[string]string{
		"":                           "",
		"a":                          "a",
		"a, b, c, d, e, f":           "a b c d e f",
		"a, b, c, d, e, f, … 2 more": "a b c d e f g h",
	} {
		if got := parents(strings.Fields(names)); got != want {
			t.Errorf("%q are shown as %q, want %q", names, got, want)
		}
	}
}

func TestDumbTerminalsAreNotDrawnOn(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]bool{"": false, "dumb": false, "xterm-256color": true, "linux": true} {
		if got := drawable(kind); got != want {
			t.Errorf("TERM=%s is drawn on: %t, want %t", kind, got, want)
		}
	}
}

func TestScreenNeverDrawsMoreThanFits(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &screen{out: &out, size: func() (int, int, bool) { return 12, 4, true }}
	for _, frame := range []string{"1\n2\n3\n4\n5\n", "1\ntoo long for it\n"} {
		if err := s.draw(frame); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.last("1\n2\n3\n4\n5\n"); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[?7l1\x1b[K\n2\x1b[K\n… 3 more l…\x1b[K\n\x1b[J\x1b[?7h" +
		"\x1b[?7l\x1b[3A\r1\x1b[K\ntoo long f…\x1b[K\n\x1b[J\x1b[?7h" +
		"\x1b[2A\r1\x1b[K\n2\x1b[K\n3\x1b[K\n4\x1b[K\n5\x1b[K\n\x1b[J"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("drawn (-want +got):\n%s", diff)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestOutputThatCannotBeWrittenIsAFailure(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	code := execute(t.Context(), []string{"version"}, full{}, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit code %d and stderr %q, want 1 and the reason", code, stderr.String())
	}
}

// Each character is named by its code in what the commands and the worker print.
func TestUnseenCharactersAreMadeVisible(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ char, escape string }{
		"escape":             {"\x1b", `\u001b`},
		"C1 sequence":        {"\u009b", `\u009b`},
		"right to left":      {"\u202e", `\u202e`},
		"zero-width space":   {"\u200b", `\u200b`},
		"zero-width joiner":  {"\u200d", `\u200d`},
		"word joiner":        {"\u2060", `\u2060`},
		"byte order mark":    {"\ufeff", `\ufeff`},
		"tag":                {"\U000e0041", `\udb40\udc41`},
		"end of the tags":    {"\U000e007f", `\udb40\udc7f`},
		"separator of lines": {"\u2028", `\u2028`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := printable("a" + row.char + "b"); got != "a·b" {
				t.Errorf("a table shows %q", got)
			}
			for _, format := range []string{"text", "json"} {
				var out strings.Builder
				log := newLogger(config{LogFormat: format, LogLevel: "info"}, &out)
				log.Info("step m"+row.char+"n", "step", "a"+row.char+"b")
				if strings.ContainsFunc(strings.TrimSuffix(out.String(), "\n"), steers) {
					t.Errorf("a record as %s holds the character: %q", format, out.String())
				}
			}
			var out strings.Builder
			if err := printJSONLine(&out, "a"+row.char+"b"); err != nil || out.String() != `"a`+row.escape+`b"`+"\n" {
				t.Errorf("JSON is %s, %v", out.String(), err)
			}
		})
	}
}
