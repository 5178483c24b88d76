package conformance

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// referenceArgument makes the test binary a host that has all of the protocol. What follows it is a way in which that
// host is broken on purpose.
const referenceArgument = "reference-host"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == referenceArgument {
		newReference(append(os.Args, "")[2]).serve()
	}
	os.Exit(m.Run())
}

type reference struct {
	broken  string
	in, out *os.File

	writing sync.Mutex
	// mu protects the fields below.
	mu       sync.Mutex
	ready    bool
	draining bool
	offered  []string
	limits   map[string]int
	running  map[string]*refStep
	waiting  map[string]chan refReply
	calls    int
	waited   sync.WaitGroup
}

type refStep struct {
	host      *reference
	id        string
	params    refParams
	started   time.Time
	cancelled chan struct{}
	once      sync.Once
	lost      bool
}

type refParams struct {
	ExecutionID string `json:"execution_id"`
	ScratchDir  string `json:"scratch_dir"`
	ParamsFile  *payloadFile
	Step        map[string]json.RawMessage `json:"step"`
	Task        struct {
		ID      string          `json:"id"`
		Context json.RawMessage `json:"context"`
	} `json:"task"`
	Handler struct {
		Name   string         `json:"name"`
		Config map[string]any `json:"config"`
	} `json:"handler"`
}

type refReply struct {
	Result json.RawMessage
	Error  *rpcError
}

func newReference(broken string) *reference {
	return &reference{broken: broken, running: map[string]*refStep{}, waiting: map[string]chan refReply{}, limits: map[string]int{}}
}

func (r *reference) is(broken string) bool { return r.broken == broken }

func exitf(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(code)
}

// serve never returns.
func (r *reference) serve() {
	if os.Getenv("TASKER_PROTOCOL") != "1" && !r.is("no cookie") {
		exitf(64, "this is a host of tasker-worker; start it with `tasker-worker run`")
	}
	r.claim()
	if !r.is("SIGINT") {
		signal.Ignore(syscall.SIGINT)
	}
	fmt.Println("printed while loading")
	fmt.Print("no newline")
	_ = passOn(exec.Command("echo", "printed by a child while loading")).Run()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1) // before anybody can be told that this host is ready
	go r.obey(signals)
	r.read()
	if r.is("deaf to EOF") {
		select {}
	}
	os.Exit(0)
}

func passOn(cmd *exec.Cmd) *exec.Cmd {
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

func (r *reference) claim() {
	inFD, outFD := descriptor("TASKER_RPC_IN_FD"), descriptor("TASKER_RPC_OUT_FD")
	if os.Getenv("TASKER_RPC_IN_FD") == "" {
		inFD, _ = syscall.Dup(0)
		outFD, _ = syscall.Dup(1)
		_ = syscall.Dup3(2, 1, 0)
		null, _ := os.Open(os.DevNull)
		_ = syscall.Dup3(int(null.Fd()), 0, 0)
	}
	for _, fd := range []int{inFD, outFD} {
		var stat syscall.Stat_t
		if fd < 0 || syscall.Fstat(fd, &stat) != nil {
			exitf(78, "TASKER_RPC_IN_FD and TASKER_RPC_OUT_FD name no open descriptors")
		}
		if !r.is("inherited pipes") {
			syscall.CloseOnExec(fd)
		}
	}
	if !r.is("inherited pipes") {
		for _, name := range []string{"TASKER_PROTOCOL", "TASKER_RPC_IN_FD", "TASKER_RPC_OUT_FD"} {
			_ = os.Unsetenv(name)
		}
	}
	r.in, r.out = os.NewFile(uintptr(inFD), "in"), os.NewFile(uintptr(outFD), "out")
	if r.is("noise") {
		fmt.Fprintln(r.out, "loading")
	}
}

func descriptor(name string) int {
	fd, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return -1
	}
	return fd
}

func (r *reference) obey(signals <-chan os.Signal) {
	for s := range signals {
		switch {
		case s == syscall.SIGUSR1 && !r.is("no dump"):
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		case s == syscall.SIGTERM && !r.is("deaf to SIGTERM"):
			r.mu.Lock()
			r.draining = true
			grace := time.Duration(r.limits["shutdown_grace_ms"]) * time.Millisecond
			r.mu.Unlock()
			time.AfterFunc(grace, func() { os.Exit(1) })
			go func() {
				r.waited.Wait()
				os.Exit(0)
			}()
		}
	}
}

func (r *reference) send(v object) {
	v["jsonrpc"] = "2.0"
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	data = append(data, '\n')
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
	in := bufio.NewReaderSize(r.in, 1<<16)
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
		case over || len(strings.TrimRight(string(text), "\r\n")) > r.limit("max_message_bytes", limit):
			r.refuse(nil, -32007, "payload_too_large", nil)
		case trimmed == "" && !r.is("blank lines"):
		case r.is("CRLF") && strings.HasSuffix(string(text), "\r\n"):
			r.refuse(nil, -32700, "parse error", nil)
		default:
			r.receive(trimmed)
		}
	}
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

func (r *reference) resolve(id string, reply refReply) {
	r.mu.Lock()
	c := r.waiting[id]
	delete(r.waiting, id)
	r.mu.Unlock()
	if c != nil {
		c <- reply
	} else if r.is("answers strays") {
		r.send(object{"id": id, "result": object{}})
	}
}

func (r *reference) notice(method string, params json.RawMessage) {
	var p struct {
		ExecutionID string `json:"execution_id"`
	}
	_ = json.Unmarshal(params, &p)
	if method != "step.cancel" || r.is("no cancel") {
		return
	}
	if r.is("late cancels") {
		r.dieUnlessRunning(p.ExecutionID)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, s := range r.running {
		if id == p.ExecutionID || r.is("cancels all") {
			s.once.Do(func() { close(s.cancelled) })
		}
	}
}

func (r *reference) dieUnlessRunning(id string) {
	r.mu.Lock()
	running := r.running[id] != nil
	r.mu.Unlock()
	if !running {
		os.Exit(70)
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

func (r *reference) initialize(id any, params json.RawMessage) {
	var p struct {
		Versions     []int          `json:"protocol_versions"`
		Limits       map[string]int `json:"limits"`
		Timing       map[string]int `json:"timing"`
		Capabilities struct {
			Callbacks []string `json:"callbacks"`
		} `json:"capabilities"`
	}
	_ = json.Unmarshal(params, &p)
	one := false
	for _, v := range p.Versions {
		one = one || v == 1
	}
	switch {
	case r.ready && !r.is("initialize twice"):
		r.refuse(id, -32600, "initialized already", nil)
		return
	case !one:
		r.refuse(id, -32002, "unsupported_protocol_version", object{"supported": []int{1}})
		return
	}
	for name, n := range p.Limits {
		if n < 0 {
			r.refuse(id, -32602, name+" must be positive", nil)
			return
		}
	}
	r.mu.Lock()
	r.ready, r.limits, r.offered = true, p.Limits, p.Capabilities.Callbacks
	r.limits["shutdown_grace_ms"] = p.Timing["shutdown_grace_ms"]
	r.mu.Unlock()
	handlers := []object{}
	if _, err := os.Stat("/"); err == nil && !strings.HasSuffix(rootOf(params), "absent") {
		for _, f := range Fixtures() {
			if refHandlers[f.Name] != nil {
				handlers = append(handlers, object{"name": "Fixtures::" + f.Name, "file": "reference", "exclusive": f.Name == "Exclusive" && !r.is("not exclusive")})
			}
		}
	}
	most := p.Limits["max_concurrency"]
	if r.is("takes too many") {
		most++
	}
	pid := os.Getpid()
	if r.is("wrong pid") {
		pid++
	}
	r.send(object{"id": id, "result": object{
		"protocol_version": 1, "handlers": handlers, "handlers_complete": true,
		"executor": object{"language": "reference", "language_version": runtime.Version(), "sdk": "reference", "sdk_version": "1", "pid": pid},
		"capabilities": object{
			"max_concurrency": most, "cancel": "cooperative", "step_heartbeats": true, "structured_logs": true,
			"payload_files": true, "deferred": true, "reload": false,
		},
	}})
}

func rootOf(params json.RawMessage) string {
	var p struct {
		Config struct {
			Root string `json:"handler_root"`
		} `json:"config"`
	}
	_ = json.Unmarshal(params, &p)
	return p.Config.Root
}

func (r *reference) execute(id any, raw json.RawMessage) {
	var p refParams
	var byFile struct {
		File *payloadFile `json:"params_file"`
	}
	err := json.Unmarshal(raw, &p)
	_ = json.Unmarshal(raw, &byFile)
	if byFile.File != nil && !r.is("no params file") {
		content, readErr := os.ReadFile(filepath.Join(p.ScratchDir, byFile.File.Path))
		err = errors.Join(err, readErr, json.Unmarshal(content, &p))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	handler := refHandlers[strings.TrimPrefix(p.Handler.Name, "Fixtures::")]
	switch {
	case !r.ready:
		go r.refuse(id, -32001, "not_initialized", nil)
	case err != nil || p.ExecutionID == "" || p.Handler.Name == "":
		go r.refuse(id, -32602, "bad params", nil)
	case r.draining:
		go r.refuse(id, -32006, "shutting_down", nil)
	case r.running[p.ExecutionID] != nil:
		go r.refuse(id, -32009, "duplicate_execution", nil)
	case handler == nil || !strings.HasPrefix(p.Handler.Name, "Fixtures::"):
		go r.refuse(id, -32003, "handler_not_found", object{"name": p.Handler.Name})
	case len(r.running) >= r.limits["max_concurrency"]:
		go r.refuse(id, -32005, "overloaded", nil)
	default:
		s := &refStep{host: r, id: p.ExecutionID, params: p, started: time.Now(), cancelled: make(chan struct{})}
		r.running[s.id] = s
		r.waited.Add(1)
		if r.is("one at a time") {
			s.run(id, handler)
			return
		}
		go s.run(id, handler)
	}
}

var (
	errCancelled = errors.New("cancelled")
	errDeferred  = errors.New("deferred")
)

func (s *refStep) run(id any, handler func(*refStep) (any, error)) {
	r := s.host
	defer r.waited.Done()
	value, err := handler(s)
	answer := s.answer(value, err)
	if r.is("one at a time") {
		delete(r.running, s.id)
	} else {
		r.mu.Lock()
		delete(r.running, s.id)
		r.mu.Unlock()
	}
	r.send(object{"id": id, "result": answer})
	if answer["outcome"] == "cancelled" && r.is("answers twice") {
		r.send(object{"id": id, "result": answer})
	}
	if r.is("beats after") && s.params.Handler.Name == "Fixtures::Heartbeat" {
		r.send(object{"method": "step.heartbeat", "params": object{"execution_id": s.id}})
	}
}

func (s *refStep) answer(value any, err error) object {
	var f *refError
	switch {
	case errors.Is(err, errCancelled):
		return object{"outcome": "cancelled"}
	case errors.Is(err, errDeferred):
		ms := 5000
		if s.host.is("defer") {
			ms = 5
		}
		return object{"outcome": "deferred", "resume_after_ms": ms, "checkpoint": object{"page": 3}}
	case errors.As(err, &f):
		return object{"outcome": "failure", "failure": f.fields}
	case err != nil:
		return failed(object{"kind": "retryable", "class": "error", "message": err.Error()})
	}
	return s.success(value)
}

func failed(fields object) object { return object{"outcome": "failure", "failure": fields} }

func (s *refStep) success(value any) object {
	data, err := json.Marshal(value)
	if err == nil && strings.Contains(string(data), "\\u0000") && !strings.Contains(string(data), `\\u0000`) {
		err = errors.New("U+0000 in the result")
	}
	if err == nil && deepest(data) > s.host.limit("max_json_depth", 64) {
		err = errors.New("nested too deep")
	}
	if err != nil && !s.host.is("bad results") {
		return failed(object{"kind": "permanent", "class": "Tasker::InvalidResult", "message": err.Error()})
	}
	if err != nil {
		return failed(object{"kind": "retryable", "class": "error", "message": err.Error()})
	}
	if len(data) <= s.host.limit("max_inline_bytes", 1<<20) {
		return object{"outcome": "success", "result": json.RawMessage(data)}
	}
	if s.params.ScratchDir == "" {
		return failed(object{"kind": "permanent", "class": "Tasker::ResultTooLarge", "message": fmt.Sprintf("the result has %d bytes", len(data))})
	}
	_ = os.WriteFile(filepath.Join(s.params.ScratchDir, "out.json"), data, 0o600)
	hash := digest(data)
	if s.host.is("wrong hash") {
		hash = digest(data[1:])
	}
	return object{"outcome": "success", "result_file": payloadFile{Path: "out.json", Bytes: int64(len(data)), SHA256: hash}}
}

func deepest(data []byte) (most int) {
	depth := 0
	for _, b := range data {
		switch b {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth--
		}
	}
	return most
}

type refError struct{ fields object }

func (f *refError) Error() string { return fmt.Sprint(f.fields["message"]) }

func fail(fields object) error { return &refError{fields} }

// call is a callback to the worker.
func (s *refStep) call(method string, params object) (json.RawMessage, error) {
	r := s.host
	r.mu.Lock()
	allowed := r.is("sends what is not offered")
	for _, o := range r.offered {
		allowed = allowed || o == method
	}
	r.calls++
	id, c := "x"+strconv.Itoa(r.calls), make(chan refReply, 1)
	r.waiting[id] = c
	lost := s.lost
	r.mu.Unlock()
	if !allowed {
		return nil, fail(object{"kind": "permanent", "class": "Tasker::NotPermitted", "message": method + " is not offered by the worker"})
	}
	if lost && !r.is("effects after a lost lease") {
		return nil, errors.New("LeaseLost")
	}
	params["execution_id"] = s.id
	if r.is("wrong execution") {
		params["execution_id"] = "another"
	}
	r.send(object{"id": id, "method": method, "params": params})
	cancelled := s.cancelled
	if r.is("uncancellable calls") {
		cancelled = nil
	}
	select {
	case reply := <-c:
		if reply.Error != nil && reply.Error.Code == -32020 {
			s.lost = true
			return nil, errors.New("LeaseLost")
		}
		return reply.Result, nil
	case <-cancelled:
		return nil, errCancelled
	}
}

func (s *refStep) text(name string) string {
	text, _ := s.params.Handler.Config[name].(string)
	return text
}

func (s *refStep) log(message string, attrs object) {
	if len(message) > 16<<10 && !s.host.is("long logs") {
		message = message[:8000] + fmt.Sprintf(" (cut: %d bytes)", len(message))
	}
	lines := []string{message}
	if s.host.is("split logs") {
		lines = strings.Split(message, "\n")
	}
	for _, l := range lines {
		s.host.send(object{"method": "log", "params": object{
			"level": "info", "message": l, "ts": time.Now().UTC().Format(time.RFC3339Nano),
			"execution_id": s.id, "attrs": attrs,
		}})
	}
}

func spawnChild(daemon bool) (int, error) {
	cmd := passOn(exec.Command("sleep", "300"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: daemon}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

var refHandlers map[string]func(*refStep) (any, error)

func init() { //nolint:gochecknoinits // the table refers to itself through Fixtures
	refHandlers = map[string]func(*refStep) (any, error){
		"Echo": func(s *refStep) (any, error) {
			var c struct {
				Value json.RawMessage `json:"value"`
			}
			err := json.Unmarshal(s.params.Task.Context, &c)
			if s.host.is("echo") {
				c.Value = json.RawMessage(strings.ToUpper(string(c.Value)))
			}
			return c.Value, err
		},
		"Gate":               refGate,
		"CurrentStep":        func(s *refStep) (any, error) { _, err := refGate(s); return s.current().text("name"), err },
		"Busy":               refBusy,
		"WaitForCancel":      refWait,
		"AsyncWaitForCancel": refWait,
		"Callback":           refCallback,
		"CallbackInLoop": func(s *refStep) (any, error) {
			if s.host.is("blocks the loop") {
				return s.call("step.lease", object{})
			}
			return nil, errors.New("a blocking call on the event loop")
		},
		"LeaseThenEffect": func(s *refStep) (any, error) {
			_, first := s.call("step.lease", object{})
			_, second := s.call("step.publish_event", object{"name": "paid", "payload": object{}})
			return []string{fmt.Sprint(first), fmt.Sprint(second)}, nil
		},
		"Heartbeat": func(s *refStep) (any, error) {
			if !s.host.is("no heartbeat") {
				s.host.send(object{"method": "step.heartbeat", "params": object{"execution_id": s.id, "progress": 0.5, "message": "half"}})
			}
			return nil, nil
		},
		"Defer":     func(*refStep) (any, error) { return nil, errDeferred },
		"Exclusive": func(*refStep) (any, error) { return true, nil },
		"FailRetryable": func(s *refStep) (any, error) {
			fields := object{"kind": "retryable", "class": "Tasker::RetryableError", "message": "try later", "details": object{"why": "busy"}}
			if seconds, ok := s.params.Handler.Config["seconds"].(float64); ok && seconds >= 0 {
				fields["retry_after_ms"] = int64(seconds * 1000)
			}
			if s.host.is("retry after in seconds") {
				fields["retry_after_ms"] = 60
			}
			return nil, fail(fields)
		},
		"FailPermanent": func(s *refStep) (any, error) {
			kind := "permanent"
			if s.host.is("permanent is retried") {
				kind = "retryable"
			}
			return nil, fail(object{"kind": kind, "class": "Tasker::PermanentError", "message": "never", "code": "NO_FUNDS", "details": object{"card": 1}})
		},
		"FailUnknown": func(s *refStep) (any, error) {
			if s.host.is("unknown is permanent") {
				return nil, fail(object{"kind": "permanent", "class": "error", "message": "unexpected"})
			}
			return nil, errors.New("unexpected")
		},
		"DeepCause": func(s *refStep) (any, error) {
			var cause object
			depth := 6
			if s.host.is("endless causes") {
				depth = 20
			}
			for range depth {
				cause = object{"kind": "retryable", "class": "error", "message": "cause", "cause": cause}
			}
			return nil, fail(cause)
		},
		"Hostile": func(*refStep) (any, error) { return nil, errors.New("an error that says nothing") },
		"HardExit": func(s *refStep) (any, error) {
			os.Exit(map[bool]int{true: 0, false: 3}[s.host.is("exit code")])
			return nil, nil
		},
		"KillSelf": func(s *refStep) (any, error) {
			if s.host.is("forged end") {
				s.host.send(object{"id": "w2", "result": object{"outcome": "success", "result": nil}})
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		},
		"Noise": func(s *refStep) (any, error) {
			fmt.Print("printed")
			fmt.Fprint(os.Stderr, "warned")
			forged := []byte(`{"jsonrpc":"2.0","id":"forged","result":{}}` + "\n")
			_, _ = syscall.Write(1, forged)
			if s.host.is("noise in a step") {
				_, _ = s.host.out.Write([]byte("printed\n"))
			}
			return "quiet", passOn(exec.Command("sh", "-c", "echo printed by a child; echo warned by a child >&2")).Run()
		},
		"Flood": func(*refStep) (any, error) {
			_, err := io.WriteString(os.Stderr, strings.Repeat(strings.Repeat("x", 1023)+"\n", 10<<10))
			return "done", err
		},
		"ChildFds": func(s *refStep) (any, error) {
			script := "for fd in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && readlink /proc/self/fd/$fd; done; env | grep ^TASKER_"
			cmd := exec.Command("sh", "-c", script)
			if s.host.is("inherited pipes") {
				cmd.ExtraFiles = []*os.File{s.host.in, s.host.out}
			}
			out, err := cmd.Output()
			return string(out), err
		},
		"CloseStdio": func(s *refStep) (any, error) {
			for fd := range 3 {
				_ = syscall.Close(fd)
			}
			if s.host.is("dies without stdio") {
				os.Exit(1)
			}
			return "closed", nil
		},
		"LeaveChild": func(s *refStep) (any, error) {
			if s.host.is("waits for children") {
				go func() { s.host.waited.Wait() }()
				signal.Ignore(syscall.SIGTERM)
				s.host.broken = "deaf to EOF"
			}
			return spawnChild(s.text("kind") == "daemon")
		},
		"LogMessage": func(s *refStep) (any, error) {
			n, _ := s.params.Handler.Config["bytes"].(float64)
			s.log(strings.Repeat("x", int(n)), object{"amount": 12})
			return "logged", nil
		},
		"LogInjection": func(s *refStep) (any, error) { s.log("first\n{\"forged\":true}", nil); return nil, nil },
		"Pollute": func(s *refStep) (any, error) {
			if !s.host.is("pollution") {
				s.host.send(object{"method": "executor.status", "params": object{"state": "recycle_me", "reason": "the folder was changed"}})
			}
			return nil, os.Setenv("POLLUTED", "1")
		},
		"Surroundings": func(*refStep) (any, error) { return os.Getenv("POLLUTED"), nil },
		"Returns":      refReturns,
	}
}

func (s *refStep) current() *refStep {
	if !s.host.is("mixes steps up") {
		return s
	}
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	for _, other := range s.host.running {
		if other != s {
			return other
		}
	}
	return &refStep{}
}

func refGate(s *refStep) (any, error) {
	read := make(chan []byte, 1)
	if s.host.is("blocked by a step") {
		s.host.mu.Lock()
	}
	go func() {
		content, _ := os.ReadFile(s.text("path"))
		read <- content
	}()
	if s.host.is("answers what runs") || s.host.is("cancels all") {
		select {
		case <-s.cancelled:
			return nil, errCancelled
		case content := <-read:
			return string(content), nil
		}
	}
	return string(<-read), nil
}

func refBusy(s *refStep) (any, error) {
	if err := os.WriteFile(s.text("path"), []byte("started"), 0); err != nil {
		return nil, err
	}
	for x := 0; ; x++ {
		if x < 0 {
			return nil, nil
		}
	}
}

func refWait(s *refStep) (any, error) {
	if path := s.text("path"); path != "" {
		if err := os.WriteFile(path, []byte("started"), 0); err != nil {
			return nil, err
		}
	}
	<-s.cancelled
	return nil, errCancelled
}

func refCallback(s *refStep) (any, error) {
	params := map[string]object{
		"step.save_checkpoint": {"checkpoint": object{"page": 3}}, "step.publish_event": {"name": "paid", "payload": object{}},
		"step.spawn":   {"steps": []object{{"name": "more", "handler": "Fixtures::Echo"}}},
		"tasks.create": {"namespace": "n", "name": "t", "version": "1.0.0", "context": object{}},
		"secrets.get":  {"name": "key"}, "step.lease": {},
	}[s.text("method")]
	if s.host.is("drops params") {
		params = object{}
	}
	result, err := s.call(s.text("method"), params)
	if err != nil || s.text("method") != "secrets.get" {
		return result, err
	}
	var secret struct {
		Value string `json:"value"`
	}
	err = json.Unmarshal(result, &secret)
	if s.host.is("logs secrets") {
		s.log("got "+secret.Value, nil)
	}
	return secret.Value, err
}

func refReturns(s *refStep) (any, error) {
	switch s.text("what") {
	case "nan":
		return nil, invalid("result.items[1].price is NaN")
	case "infinity":
		return nil, invalid("result[0] is infinite " + fmt.Sprint(math.Inf(-1)))
	case "cycle", "deep":
		return nil, invalid("nested too deep")
	case "bytes":
		return nil, invalid("result.blob is no text")
	case "object":
		return nil, invalid("result.thing[0] is no data")
	case "bad text":
		return nil, invalid("no UTF-8")
	case "nul":
		return map[string]string{"text": "a\x00b"}, nil
	case "escaped nul":
		return map[string]string{"text": `a\u0000b`}, nil
	case "large":
		n, _ := s.params.Handler.Config["bytes"].(float64)
		return strings.Repeat("x", int(n)), nil
	case "nested":
		n, _ := s.params.Handler.Config["levels"].(float64)
		return json.RawMessage(strings.Repeat("[", int(n)) + "1" + strings.Repeat("]", int(n))), nil
	case "dates":
		return json.RawMessage(`{"at":"1970-01-01T00:00:00.250000Z","day":"2026-01-02","price":"12.3","tags":["a"],"sym":"b"}`), nil
	}
	if s.host.is("nothing is random") {
		return rand.Text(), nil
	}
	return nil, nil
}

func invalid(message string) error {
	return fail(object{"kind": "permanent", "class": "Tasker::InvalidResult", "message": message})
}
