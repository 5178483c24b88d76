package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// BenchmarkExecute measures round trips of step.execute with a payload of 500 bytes that the handler echoes. The Go side
// is as lean as possible: what is measured is the host.
func BenchmarkExecute(b *testing.B) {
	for _, h := range languages {
		for _, handler := range []string{"Echo", "AsyncEcho"} {
			if h.name == "ruby" && handler == "AsyncEcho" {
				continue
			}
			for _, inFlight := range []int{1, 16} {
				b.Run(fmt.Sprintf("%s/%s/in_flight=%d", h.name, handler, inFlight), func(b *testing.B) {
					benchmarkExecute(b, hostOf(b, h.name), handler, inFlight)
				})
			}
		}
	}
}

func benchmarkExecute(b *testing.B, lang language, handler string, inFlight int) {
	p := startReady(b, lang, object{"max_concurrency": inFlight})
	requests := make([][]byte, inFlight)
	for i := range requests {
		requests[i] = benchmarkRequest(b, i, handler)
	}
	b.ResetTimer()
	for i := range min(inFlight, b.N) {
		mustWrite(b, p.in, requests[i])
	}
	sent := min(inFlight, b.N)
	for range b.N {
		slot := answered(b, <-p.lines)
		if sent < b.N {
			mustWrite(b, p.in, requests[slot])
			sent++
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	p.closeInput()
	p.exit()
	cpu := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime() // with the host's start
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "host-µs/op")
}

// answered is the slot whose request raw answers.
func answered(b *testing.B, raw []byte) int {
	b.Helper()
	const head = `{"jsonrpc":"2.0","id":"s`
	text := string(raw)
	if !strings.HasPrefix(text, head) || !strings.Contains(text[:80], `"success"`) {
		b.Fatalf("unexpected answer %.200s", text)
	}
	slot := 0
	for _, c := range text[len(head):] {
		if c == '"' {
			break
		}
		slot = slot*10 + int(c-'0')
	}
	return slot
}

func mustWrite(b *testing.B, w io.Writer, data []byte) {
	b.Helper()
	if _, err := w.Write(data); err != nil {
		b.Fatal(err)
	}
}

func benchmarkRequest(b *testing.B, slot int, handler string) []byte {
	b.Helper()
	value := object{"order_id": "A-77", "items": []int{1, 2, 3, 4, 5, 6, 7, 8}, "note": strings.Repeat("n", 380), "total": 19.99}
	data, err := json.Marshal(value)
	if err != nil || len(data) < 430 || len(data) > 500 {
		b.Fatalf("payload of %d bytes: %v", len(data), err)
	}
	params := execution(fmt.Sprintf("e%d", slot), "Fixtures::"+handler, object{"value": value}, nil)
	head := fmt.Sprintf(`{"jsonrpc":"2.0","id":"s%d","method":"step.execute","params":`, slot)
	return []byte(head + strings.TrimSpace(line(b, params)) + "}\n")
}
