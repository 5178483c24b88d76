package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// side is who said a line.
type side string

const (
	fromWorker side = "worker"
	fromHost   side = "host"
)

// entry is a line of a transcript. One of Message, Text, Bytes and End is there.
type entry struct {
	From side `json:"from"`
	// Process counts the hosts that a check starts, from 2; the first has none.
	Process int   `json:"process,omitempty"`
	AtMS    int64 `json:"at_ms"`
	// Message is the line as it was, when it is JSON; Text when it is only text, Bytes (in base64) when it is not even that.
	Message json.RawMessage `json:"message,omitempty"`
	Text    *string         `json:"text,omitempty"`
	Bytes   []byte          `json:"bytes,omitempty"`
	// End says that this side has closed its pipe.
	End bool `json:"end,omitempty"`
}

// transcript is all that the worker and the hosts of one check said. A nil one records nothing.
type transcript struct {
	start time.Time
	// mu protects the fields below.
	mu        sync.Mutex
	processes int
	entries   []entry
}

// dialogue is the part of a transcript that belongs to one process.
type dialogue struct {
	transcript *transcript
	process    int
	begun      []byte // of a line that the worker has not ended
}

func (tr *transcript) begin() *dialogue {
	if tr == nil {
		return nil
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.processes++
	return &dialogue{transcript: tr, process: tr.processes}
}

// sent takes what was written to the host, in any cut.
func (d *dialogue) sent(text string) {
	if d == nil {
		return
	}
	d.begun = append(d.begun, text...)
	for {
		line, rest, ended := bytes.Cut(d.begun, []byte("\n"))
		if !ended {
			return
		}
		d.add(fromWorker, bytes.Clone(line))
		d.begun = rest
	}
}

func (d *dialogue) add(from side, line []byte) {
	if d == nil {
		return
	}
	e := entry{From: from}
	line = bytes.TrimRight(line, "\r\n")
	switch text := string(line); {
	case utf8.Valid(line) && json.Valid(line):
		e.Message = line
	case utf8.Valid(line):
		e.Text = &text
	default:
		e.Bytes = line
	}
	d.note(e)
}

func (d *dialogue) end(from side) {
	if d != nil {
		d.note(entry{From: from, End: true})
	}
}

func (d *dialogue) note(e entry) {
	if d.process > 1 {
		e.Process = d.process
	}
	d.transcript.mu.Lock()
	defer d.transcript.mu.Unlock()
	e.AtMS = time.Since(d.transcript.start).Milliseconds()
	d.transcript.entries = append(d.transcript.entries, e)
}

// write makes the file of a check in folder. A check in which nobody said anything has none.
func (tr *transcript) write(folder, check string) error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.entries) == 0 {
		return nil
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, e := range tr.entries {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, fileName(check)), lines.Bytes(), 0o600)
}

// fileName has the ids and the words of a check.
func fileName(check string) string {
	words := strings.FieldsFunc(check, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "-") + ".jsonl"
}
