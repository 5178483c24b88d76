package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTranscripts replays the transcripts that the hosts' own tests replay too: it sends the worker's lines and compares
// what the host says.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/transcripts/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			replay(t, referenceHost(t, ""), readTranscript(t, file))
		})
	}
}

// TestTranscriptsCanFail replays them with hosts that say something else.
func TestTranscriptsCanFail(t *testing.T) {
	t.Parallel()
	for broken, file := range map[string]string{
		"no cancel":            "cancel",
		"code -32006":          "shutdown",
		"code -32601":          "unknown_method",
		"defer":                "deferred",
		"echo":                 "success",
		"noise":                "initialize",
		"permanent is retried": "failure",
		"wrong execution":      "callback",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			lang, entries := referenceHost(t, broken), readTranscript(t, "testdata/transcripts/"+file+".jsonl")
			var rec recorder
			rec.run(func(tb T) { replay(tb, lang, entries) })
			if len(rec.faults) == 0 {
				t.Error("the transcript fits a host that is broken")
			}
		})
	}
}

func TestChecksAreRecorded(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new")
	host := referenceHost(t, "").argv
	if _, err := Run(t.Context(), host, Options{Only: []string{"F3", "F7", "H1", "K1", "S2"}, Record: folder}); err != nil {
		t.Fatal(err)
	}
	var got []string
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	for _, file := range files {
		got = append(got, filepath.Base(file)+": "+summary(readTranscript(t, file)))
	}
	want := []string{
		"F1-F2-F7-F8-lines-may-come-in-any-cut-with-CRLF-and-blank-lines-between.jsonl: 12 messages, 3 texts, 0 bytes, 1 ends of 1 processes",
		"F3-garbage-gets-a-parse-error.jsonl: 12 messages, 6 texts, 2 bytes, 1 ends of 1 processes",
		"K1-each-callback-goes-round.jsonl: 36 messages, 0 texts, 0 bytes, 6 ends of 6 processes",
		"S2-the-end-of-input-ends-an-idle-host.jsonl: 2 messages, 0 texts, 0 bytes, 4 ends of 2 processes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("transcripts (-want +got):\n%s", diff)
	}
}

func summary(entries []entry) string {
	var messages, texts, raw, ends, processes int
	for _, e := range entries {
		switch {
		case e.End:
			ends++
		case e.Message != nil:
			messages++
		case e.Text != nil:
			texts++
		case e.Bytes != nil:
			raw++
		}
		processes = max(processes, e.Process, 1)
	}
	return fmt.Sprintf("%d messages, %d texts, %d bytes, %d ends of %d processes", messages, texts, raw, ends, processes)
}

func readTranscript(tb T, file string) (entries []entry) {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range bytes.Lines(content) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		entries = append(entries, e)
	}
	return entries
}

// replayed is a transcript that is being replayed.
type replayed struct {
	p *peer
	// fill puts values into the placeholders of the worker's lines.
	fill map[string]string
}

func replay(tb T, lang language, entries []entry) {
	tb.Helper()
	r := replayed{startHost(tb, lang), map[string]string{`"<root>"`: line(tb, lang.root(tb))}}
	for _, e := range entries {
		switch {
		case e.From == fromWorker && e.End:
			r.p.closeInput()
		case e.From == fromWorker:
			r.p.send(r.filled(string(e.Message)) + "\n")
		case e.End:
			r.p.mustEnd()
		default:
			r.compare(e.Message)
		}
	}
}

func (r replayed) filled(text string) string {
	for placeholder, value := range r.fill {
		text = strings.ReplaceAll(text, placeholder, strings.TrimSpace(value))
	}
	return text
}

// compare fails unless the next message of the host, log records aside, fits.
func (r replayed) compare(message json.RawMessage) {
	r.p.tb.Helper()
	var raw []byte
	for raw == nil || bytes.Contains(raw, []byte(`"method":"log"`)) {
		select {
		case next, more := <-r.p.lines:
			if !more {
				r.p.tb.Fatalf("the host ended, want %s", message)
			}
			raw = next
		case <-time.After(patience):
			r.p.tb.Fatalf("the host says nothing, want %s", message)
		}
	}
	if !r.fits(parsed(r.p.tb, string(message)), parsed(r.p.tb, string(raw))) {
		r.p.tb.Fatalf("the host says\n%s, want\n%s", raw, message)
	}
}

// fits says whether got is want. Members that want does not name may be there.
func (r replayed) fits(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		return r.membersFit(want, got)
	case []any:
		got, _ := got.([]any)
		fit := got != nil && len(want) == len(got)
		for i := range want {
			fit = fit && r.fits(want[i], got[i])
		}
		return fit
	case string:
		return r.textFits(want, got)
	}
	return want == got
}

func (r replayed) membersFit(want map[string]any, got any) bool {
	members, isObject := got.(map[string]any)
	for name, value := range want {
		member, there := members[name]
		if there != (value != "<absent>") || there && !r.fits(value, member) {
			return false
		}
	}
	return isObject
}

func (r replayed) textFits(want string, got any) bool {
	text, isText := got.(string)
	switch want {
	case "<any>":
		return true
	case "<call>": // the worker's answer has it
		r.fill[`"<call>"`] = line(r.p.tb, text)
		return isText
	case "<number>":
		_, isNumber := got.(float64)
		return isNumber
	case "<text>":
		return isText && text != ""
	}
	return isText && text == want
}
