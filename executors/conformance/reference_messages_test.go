package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// send writes the messages without anything between them.
func (r *reference) send(messages ...object) {
	var data []byte
	for _, v := range messages {
		v["jsonrpc"] = "2.0"
		encoded, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		data = append(append(data, encoded...), '\n')
	}
	if r.is("loses messages beside large results") && len(data) < 1000 && r.sawLarge() {
		return
	}
	if r.is("interleaves") {
		for len(data) > 5000 {
			_, _ = r.out.Write(data[:5000])
			data = data[5000:]
			time.Sleep(time.Millisecond)
		}
		_, _ = r.out.Write(data)
		return
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	_, _ = r.out.Write(data)
}

func (r *reference) refuse(id any, code int, text string, data any) {
	if r.is(fmt.Sprint("code ", code)) {
		code = -32603
	}
	r.send(object{"id": id, "error": object{"code": code, "message": text, "data": data}})
}

// read reads until the end of input.

func (r *reference) read() {
	in := bufio.NewReaderSize(cutInput{r}, 1<<16)
	for {
		var text []byte
		over := false
		for {
			part, err := in.ReadSlice('\n')
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
			if most := r.limit("max_message_bytes", limit); len(text)+len(part) > most+2 {
				over = true
			} else {
				text = append(text, part...)
			}
			if err == nil {
				break
			}
		}
		trimmed := strings.TrimSpace(string(text))
		switch {
		case over || r.tooLong(len(strings.TrimRight(string(text), "\r\n"))):
			r.refuse(nil, -32007, "payload_too_large", nil)
		case trimmed == "" && !r.is("blank lines"):
		case r.is("CRLF") && strings.HasSuffix(string(text), "\r\n"):
			r.refuse(nil, -32700, "parse error", nil)
		default:
			r.receive(trimmed)
		}
	}
}

func (r *reference) tooLong(bytes int) bool {
	most := r.limit("max_message_bytes", limit)
	return bytes > most || r.is("short lines") && bytes == most
}

func (r *reference) sawLarge() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.large
}

// cutInput is the input as a host reads it; one that is broken takes what a read returns for one line.
type cutInput struct{ host *reference }

// Read implements [io.Reader].
func (c cutInput) Read(p []byte) (int, error) {
	n, err := c.host.in.Read(p)
	switch end := bytes.IndexByte(p[:n], '\n') + 1; {
	case c.host.is("one read is a line") && n > 0:
		p[n-1] = '\n'
	case c.host.is("one line in a read") && end > 0:
		return end, err
	}
	return n, err
}

func (r *reference) limit(name string, otherwise int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n, ok := r.limits[name]; ok {
		return n
	}
	return otherwise
}

func (r *reference) receive(text string) {
	if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
		if r.is("dies of garbage") {
			os.Exit(70)
		}
		r.refuse(nil, -32700, "parse error", nil)
		return
	}
	var m struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  any             `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   *rpcError       `json:"error"`
	}
	if text[0] != '{' || json.Unmarshal([]byte(text), &m) != nil {
		r.refuse(nil, -32600, "invalid request", nil)
		return
	}
	method, named := m.Method.(string)
	var id any
	_ = json.Unmarshal(m.ID, &id)
	if n, ok := id.(string); ok && r.is("changes ids") {
		if f, err := strconv.ParseFloat(n, 64); err == nil {
			id = f
		}
	}
	switch {
	case m.Method == nil:
		r.resolve(fmt.Sprint(id), refReply{m.Result, m.Error})
	case !named || m.JSONRPC != "2.0":
		r.refuse(id, -32600, "invalid request", nil)
	case id == nil:
		r.notice(method, m.Params)
	default:
		r.request(id, method, m.Params)
	}
}

func (r *reference) notice(method string, params json.RawMessage) {
	var p struct {
		ExecutionID string `json:"execution_id"`
	}
	_ = json.Unmarshal(params, &p)
	if method != "step.cancel" && r.is("answers notifications") {
		r.refuse(nil, -32601, "unknown notification", nil)
	}
	if method != "step.cancel" || r.is("no cancel") {
		return
	}
	if r.is("dies of unknown cancels") && p.ExecutionID == "never-was" {
		os.Exit(70)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[p.ExecutionID] == nil {
		r.late[p.ExecutionID] = true
	}
	for id, s := range r.running {
		if id == p.ExecutionID || r.is("cancels all") {
			s.once.Do(func() { close(s.cancelled) })
		}
	}
}

func (r *reference) request(id any, method string, params json.RawMessage) {
	switch method {
	case "ping":
		if r.is("slow ping") {
			time.Sleep(1200 * time.Millisecond)
		}
		r.send(object{"id": id, "result": r.pong()})
	case "shutdown":
		r.mu.Lock()
		r.draining = true
		r.mu.Unlock()
		r.send(object{"id": id, "result": r.pong()})
	case "initialize":
		r.initialize(id, params)
	case "step.execute":
		r.execute(id, params)
	default:
		r.refuse(id, -32601, "unknown method", nil)
	}
}

func (r *reference) pong() object {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := object{"in_flight": len(r.running)}
	for _, s := range r.running {
		p["oldest_ms"] = time.Since(s.started).Milliseconds()
	}
	return p
}
