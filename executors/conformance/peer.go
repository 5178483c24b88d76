package conformance

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// patience bounds every wait for a host, unless its language says otherwise; it is only reached by a host that is wrong.
const patience = 20 * time.Second

// peer plays the worker for one host process.
type peer struct {
	tb    T
	cmd   *exec.Cmd
	in    *os.File
	lines chan []byte // written by the reader goroutine, closed at the end of the host's output

	stdout, stderr *syncBuffer

	// patience bounds every wait for the host.
	patience time.Duration

	nextID  int
	answers map[string]message
	logs    []message
	// notes are heartbeats and states, requests the callbacks that wait for an answer.
	notes, requests []message
	// ready is what the host said in initialize, offered the callbacks that it may use.
	ready   ready
	offered []string
	said    *dialogue
	// reading is held while nothing may be read from the host.
	reading sync.Mutex
	inOnce  sync.Once
	exited  chan struct{}
}

// message is any message of the host.
type message struct {
	ID     *string         `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
}

type rpcError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// startHost starts the host with the protocol on descriptors 3 and 4.
func startHost(tb T, lang language) *peer {
	tb.Helper()
	cmd := lang.command(tb)
	inRead, inWrite := pipe(tb)
	outRead, outWrite := pipe(tb)
	cmd.ExtraFiles = []*os.File{inRead, outWrite}
	cmd.Env = environ("TASKER_RPC_IN_FD=3", "TASKER_RPC_OUT_FD=4")
	p := startPeer(tb, lang, cmd, inWrite, outRead)
	closeAll(tb, inRead, outWrite)
	return p
}

// startPeer starts cmd, which reads what is written to in and whose messages come from out.
func startPeer(tb T, lang language, cmd *exec.Cmd, in, out *os.File) *peer {
	tb.Helper()
	p := &peer{
		tb: tb, cmd: cmd, in: in, lines: make(chan []byte, 256),
		stdout: &syncBuffer{}, stderr: &syncBuffer{}, patience: cmp.Or(lang.patience, patience),
		answers: map[string]message{}, exited: make(chan struct{}), said: lang.transcript.begin(),
	}
	if cmd.Stdout == nil {
		cmd.Stdout = p.stdout
	}
	cmd.Stderr = p.stderr
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go p.read(out)
	go p.wait()
	tb.Cleanup(p.end)
	return p
}

// read owns out. Half a line at the end is not delivered.
func (p *peer) read(out *os.File) {
	defer close(p.lines)
	defer p.said.end(fromHost)
	defer out.Close()
	r := bufio.NewReaderSize(heldReader{out, &p.reading}, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		p.said.add(fromHost, line)
		p.lines <- line
	}
}

// heldReader reads nothing while a check holds the lock.
type heldReader struct {
	from io.Reader
	held *sync.Mutex
}

// Read implements [io.Reader].
func (h heldReader) Read(b []byte) (int, error) {
	n, err := h.from.Read(b)
	h.held.Lock()
	defer h.held.Unlock()
	return n, err
}

func (p *peer) wait() {
	_ = p.cmd.Wait()
	close(p.exited)
}

// end kills what is left of the host and waits for everything that startPeer started.
func (p *peer) end() {
	_ = p.in.Close()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
	for range p.lines {
	}
	if p.tb.Failed() {
		p.tb.Logf("stderr of the host:\n%s", p.stderr.tail())
	}
}

// send writes text as it is.
func (p *peer) send(text string) {
	p.tb.Helper()
	if err := p.in.SetWriteDeadline(time.Now().Add(p.patience)); err != nil {
		p.tb.Fatal(err)
	}
	p.said.sent(text)
	if _, err := io.WriteString(p.in, text); err != nil {
		p.tb.Fatalf("write to the host: %v", err)
	}
}

// request sends a request and returns its id.
func (p *peer) request(method string, params any) string {
	p.tb.Helper()
	p.nextID++
	id := "w" + strconv.Itoa(p.nextID)
	p.send(line(p.tb, map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
	return id
}

// call sends a request and returns its answer.
func (p *peer) call(method string, params any) message {
	p.tb.Helper()
	return p.answer(p.request(method, params))
}

// answer returns the answer to the request with that id. Other answers are kept, log records are collected.
func (p *peer) answer(id string) message {
	p.tb.Helper()
	for {
		if m, ok := p.answers[id]; ok {
			delete(p.answers, id)
			return m
		}
		m, err := p.next()
		if err != nil {
			p.tb.Fatalf("no answer to %s: %v", id, err)
		}
		p.keep(m)
	}
}

func (p *peer) keep(m message) {
	p.tb.Helper()
	switch {
	case m.Method == "log":
		p.logs = append(p.logs, m)
	case m.ID == nil && (m.Method == "step.heartbeat" || m.Method == "executor.status"):
		p.notes = append(p.notes, m)
	case m.ID != nil && slices.Contains(p.offered, m.Method):
		p.requests = append(p.requests, m)
	case m.Method != "":
		p.tb.Fatalf("unexpected %s from the host", m.Method)
	case m.ID == nil:
		p.tb.Fatalf("unexpected answer without id: %+v", m.Error)
	default:
		if _, twice := p.answers[*m.ID]; twice {
			p.tb.Fatalf("two answers to %s", *m.ID)
		}
		p.answers[*m.ID] = m
	}
}

var errEnd = errors.New("the host closed its output")

// next returns the next message of the host.
func (p *peer) next() (message, error) {
	p.tb.Helper()
	select {
	case raw, ok := <-p.lines:
		if !ok {
			return message{}, errEnd
		}
		var m message
		if err := json.Unmarshal(raw, &m); err != nil {
			p.tb.Fatalf("stray line %.200q: %v", raw, err)
		}
		return m, nil
	case <-time.After(p.patience):
		return message{}, fmt.Errorf("nothing within %s", p.patience)
	}
}

// mustEnd fails when the host still says anything; half a line does not count.
func (p *peer) mustEnd() {
	p.tb.Helper()
	if m, err := p.next(); !errors.Is(err, errEnd) {
		p.tb.Fatalf("want the end of output, got %+v (%v)", m, err)
	}
}

// exit waits for the process and returns its exit code, -1 after a signal.
func (p *peer) exit() int {
	p.tb.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(p.patience):
		p.tb.Fatalf("the host is alive after %s", p.patience)
		return 0
	}
}

func (p *peer) closeInput() {
	p.inOnce.Do(func() {
		p.said.end(fromWorker)
		_ = p.in.Close()
	})
}

func (p *peer) signal(sig syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.tb.Fatal(err)
	}
}

func pipe(tb T) (r, w *os.File) {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	return r, w
}

func closeAll(tb T, files ...*os.File) {
	tb.Helper()
	for _, f := range files {
		if err := f.Close(); err != nil {
			tb.Fatal(err)
		}
	}
}

func line(tb T, v any) string {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data) + "\n"
}

// syncBuffer collects what a process prints.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *syncBuffer) tail() string {
	s := b.String()
	return s[max(0, len(s)-4000):]
}
