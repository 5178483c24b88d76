package executors

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// fakeHost is the scripted host process: the test binary runs it when FAKEHOST is set. Each handler that it serves is a
// way to behave; FAKEHOST itself says how to boot and to end.
type fakeHost struct {
	boot string
	out  *os.File
	// released is closed by the handler "release" and ends every "hold".
	released chan struct{}
	// paused is set by "stop-reading".
	paused chan struct{}
	// mute is set by "mute" while it computes.
	mute atomic.Bool

	mu sync.Mutex
	// cancelled are the reasons with which executions were cancelled; answers are those to requests of our own.
	cancelled map[string]chan string
	answers   chan string
}

type fakeRequest struct {
	ID     string          `json:"id"`
	Method string          `json:"method"`
	Error  json.RawMessage `json:"error"`
	Params struct {
		ExecutionID string `json:"execution_id"`
		Handler     struct{ Name string }
		Config      struct {
			HandlerRoot string   `json:"handler_root"`
			SkipFiles   []string `json:"skip_files"`
		}
		Limits struct {
			MaxConcurrency int `json:"max_concurrency"`
		}
		Task       struct{ Context json.RawMessage }
		ScratchDir string                `json:"scratch_dir"`
		ParamsFile struct{ Path string } `json:"params_file"`
		Reason     string
	}
	Result json.RawMessage
}

func runFakeHost(boot string) {
	h := &fakeHost{
		boot: boot, out: os.NewFile(4, "out"), paused: make(chan struct{}), released: make(chan struct{}),
		answers: make(chan string, 1000), cancelled: make(map[string]chan string),
	}
	signal.Ignore(syscall.SIGINT)
	if boot == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	}
	if boot == "dumps" {
		h.dumpOnSignal()
	}
	reader := bufio.NewReaderSize(os.NewFile(3, "in"), 64<<10)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			break
		}
		var r fakeRequest
		if err := json.Unmarshal(line, &r); err != nil {
			panic(err)
		}
		h.handle(&r)
		select {
		case <-h.paused:
			time.Sleep(time.Hour)
		default:
		}
	}
	if boot == "stubborn" {
		time.Sleep(time.Hour)
	}
}

// dumpOnSignal prints something like stacks on SIGUSR1, and says so when it ends on SIGTERM.
func (h *fakeHost) dumpOnSignal() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGTERM)
	go func() {
		for s := range signals {
			if s == syscall.SIGUSR1 {
				fmt.Fprintln(os.Stderr, "Thread 1:\n  never at handlers.rb:7")
				continue
			}
			h.notify("asked to end", "")
			os.Exit(0)
		}
	}()
}

func (h *fakeHost) handle(r *fakeRequest) {
	switch r.Method {
	case "initialize":
		h.initialize(r)
	case "ping":
		if h.boot != "no-ping" && !h.mute.Load() {
			h.result(r.ID, `{"in_flight":0}`)
		}
	case "shutdown":
		h.result(r.ID, `{"in_flight":0}`)
	case "step.execute":
		if h.boot != "quiet" {
			h.notify("started", r.Params.ExecutionID)
		}
		switch r.Params.Handler.Name {
		case "close-in":
			_ = syscall.Close(3)
			h.notify("requests are closed", "")
			fallthrough
		case "stop-reading":
			close(h.paused)
			return
		}
		h.cancellation(r.Params.ExecutionID)
		if r.Params.ParamsFile.Path != "" {
			content, _ := os.ReadFile(filepath.Join(r.Params.ScratchDir, r.Params.ParamsFile.Path))
			if err := json.Unmarshal(content, &r.Params); err != nil {
				panic(err)
			}
		}
		go h.execute(r)
	case "step.cancel":
		h.cancellation(r.Params.ExecutionID) <- r.Params.Reason
	case "": // the answer to our own request
		h.answers <- string(r.Error) + string(r.Result)
		if strings.Contains(string(r.Error), "-32601") {
			close(h.released)
		}
	}
}

func (h *fakeHost) cancellation(executionID string) chan string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cancelled[executionID] == nil {
		h.cancelled[executionID] = make(chan string, 1)
	}
	return h.cancelled[executionID]
}

func (h *fakeHost) initialize(r *fakeRequest) {
	version, steps := 1, r.Params.Limits.MaxConcurrency
	switch h.boot {
	case "crash":
		fmt.Fprintln(os.Stderr, "boom at boot")
		os.Exit(78)
	case "silent":
		return
	case "version":
		version = 2
	case "boastful":
		steps = 1000
	case "idle":
		steps = 0
	}
	about := map[string]any{"language": "ruby"}
	if kind, version, ok := strings.Cut(h.boot, "="); ok { // language_version=2.7.8 or framework=rails 8.0.1
		about[kind] = version
	}
	if h.stuck(r) {
		return
	}
	names, loadErrors := h.handlers(r.Params.Config.HandlerRoot, r.Params.Config.SkipFiles)
	result, _ := json.Marshal(map[string]any{
		"protocol_version": version, "executor": about, "capabilities": map[string]any{
			"max_concurrency": steps, "cancel": h.boot == "session", "payload_files": h.boot == "session",
		},
		"handlers": names, "load_errors": loadErrors, "handlers_complete": true,
	})
	h.result(r.ID, string(result))
}

// stuck gives up when a file has the line STUCK and is not to be skipped. A host
// that is forgetful skips none.
func (h *fakeHost) stuck(r *fakeRequest) bool {
	files, _ := filepath.Glob(filepath.Join(r.Params.Config.HandlerRoot, "*"))
	for _, file := range files {
		name := filepath.Base(file)
		skipped := slices.Contains(r.Params.Config.SkipFiles, name) && h.boot != "forgetful"
		if content, _ := os.ReadFile(file); skipped || !strings.Contains(string(content), "STUCK") {
			continue
		}
		h.line(`{"jsonrpc":"2.0","id":%q,"error":{"code":-32004,"message":"stuck","data":{"load_error":`+
			`{"file":%q,"class":"Hang","message":"loads for ever","backtrace":["line 1"]}}}}`, r.ID, name)
		return true
	}
	return false
}

// handlers reads the names to serve from the files in root: a line that begins with ! is a load error, of a file that did not
// finish loading when it is !late, and BOOM is a crash.
func (h *fakeHost) handlers(root string, skipped []string) (names, loadErrors []map[string]any) {
	files, _ := filepath.Glob(filepath.Join(root, "*"))
	for _, file := range files {
		if slices.Contains(skipped, filepath.Base(file)) {
			continue
		}
		content, _ := os.ReadFile(file)
		for line := range strings.Lines(string(content)) {
			line = strings.TrimSpace(line)
			switch message, failed := strings.CutPrefix(line, "!"); {
			case line == "STUCK": // see stuck
			case line == "BOOM":
				fmt.Fprintln(os.Stderr, "boom in a file")
				os.Exit(78)
			case failed:
				loadErrors = append(loadErrors, map[string]any{
					"file": filepath.Base(file), "class": "SyntaxError", "message": message, "backtrace": []string{"line 1"},
					"stuck": message == "late",
				})
			default:
				name, exclusive := strings.CutSuffix(line, " exclusive")
				names = append(names, map[string]any{"name": name, "file": filepath.Base(file), "exclusive": exclusive})
			}
		}
	}
	return names, loadErrors
}

func (h *fakeHost) execute(r *fakeRequest) {
	name, argument, _ := strings.Cut(r.Params.Handler.Name, ":")
	switch name {
	case "echo":
		h.echo(r)
	case "hold":
		<-h.released
		h.echo(r)
	case "release":
		close(h.released)
		h.echo(r)
	case "raw":
		var result string
		_ = json.Unmarshal(r.Params.Task.Context, &result)
		h.result(r.ID, result)
	case "error":
		h.line(`{"jsonrpc":"2.0","id":%q,"error":{"code":%s,"message":"no"}}`, r.ID, argument)
		if argument == "-32009" {
			h.echo(r)
		}
	default:
		h.misbehave(name, argument, r)
	}
}

func (h *fakeHost) misbehave(name, argument string, r *fakeRequest) {
	times, _ := strconv.Atoi(argument)
	switch name {
	case "wrong-id":
		h.line(`{"jsonrpc":"2.0","id":"w99999","result":{"outcome":"success","result":"forged"}}`)
		h.line(`{"jsonrpc":"2.0","id":"x1","result":{}}`)
		h.line(`{"jsonrpc":"2.0","id":7,"result":{}}`)
		h.echo(r)
	case "unasked":
		for i := range times {
			h.line(`{"jsonrpc":"2.0","id":"w%d","result":{"outcome":"success","result":"forged"}}`, 1000+i)
		}
		h.echo(r)
	case "repeat":
		for range times {
			h.echo(r)
		}
	case "garbage":
		for range times {
			h.line("Segmentation fault (not really)")
		}
		h.echo(r)
	case "half-line":
		_, _ = fmt.Fprintf(h.out, `{"jsonrpc":"2.0","id":%q,"result":{"outcome":"success","resu`, r.ID)
		os.Exit(0)
	case "huge-line":
		h.result(r.ID, `{"outcome":"success","result":"`+strings.Repeat("x", 5<<20)+`"}`)
	case "exit":
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(times)
	case "answer-and-exit":
		h.echo(r)
		os.Exit(1)
	case "close-out":
		_ = h.out.Close()
	case "flood":
		line := strings.Repeat("e", 1023) + "\n"
		for range 10 << 10 {
			_, _ = io.WriteString(os.Stderr, line)
		}
		h.echo(r)
	case "grandchild":
		h.grandchild(argument)
		os.Exit(1)
	case "orphan": // ends at once, but after its parent, and returns its id
		out, err := exec.Command("sh", "-c", "sleep 0.1 >&- 2>&- & echo $!").Output()
		if err != nil {
			panic(err)
		}
		h.result(r.ID, fmt.Sprintf(`{"outcome":"success","result":%s}`, out[:len(out)-1]))
	case "request":
		h.line(`{"jsonrpc":"2.0","id":"x1","method":"tasks.create","params":{}}`)
		<-h.released
		h.echo(r)
	case "status":
		h.line(`{"jsonrpc":"2.0","method":"executor.status","params":%s}`, argument)
		h.echo(r)
	case "mute": // computes for so many milliseconds
		h.mute.Store(true)
		time.Sleep(time.Duration(times) * time.Millisecond)
		h.echo(r)
	case "never":
	default:
		h.session(name, argument, r)
	}
}

// session are the ways of handlers that talk with the worker while they run.
func (h *fakeHost) session(name, argument string, r *fakeRequest) {
	id := r.Params.ExecutionID
	switch name {
	case "obey": // answers a cancellation, with its reason as the checkpoint
		h.result(r.ID, fmt.Sprintf(`{"outcome":"cancelled","checkpoint":%q}`, <-h.cancellation(id)))
	case "finish": // succeeds in spite of it
		<-h.cancellation(id)
		h.echo(r)
	case "beat": // tells its progress until it is released
		for {
			h.line(`{"jsonrpc":"2.0","method":"step.heartbeat","params":{"execution_id":%q,"progress":0.5,"message":"half"}}`, id)
			select {
			case <-h.released:
				h.echo(r)
				h.line(`{"jsonrpc":"2.0","method":"step.heartbeat","params":{"execution_id":%q}}`, id)
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	case "ask": // sends the context's requests, and succeeds with the answers; argument "hasty" waits for none
		var requests []string
		_ = json.Unmarshal(r.Params.Task.Context, &requests)
		answers := []string{}
		for i, request := range requests {
			h.line(`{"jsonrpc":"2.0","id":"x%d",%s}`, i, strings.ReplaceAll(request, "$ID", id))
			if argument != "hasty" {
				answers = append(answers, <-h.answers)
			}
		}
		result, _ := json.Marshal(answers)
		if argument == "fail" {
			h.result(r.ID, fmt.Sprintf(`{"outcome":"failure","failure":{"class":"E","message":%q}}`, result))
			return
		}
		h.result(r.ID, fmt.Sprintf(`{"outcome":"success","result":%s}`, result))
	case "blurt": // prints a secret wherever it can, and then crashes or hangs
		h.line(`{"jsonrpc":"2.0","id":"x1","method":"secrets.get","params":{"execution_id":%q,"name":"key"}}`, id)
		h.blurt(<-h.answers, id)
		if argument == "hang" {
			h.notify("hangs", id)
			select {}
		}
		os.Exit(1)
	case "say": // writes the context's lines, and waits where one of them says so
		var lines []string
		_ = json.Unmarshal(r.Params.Task.Context, &lines)
		h.say(lines, r)
	case "file": // answers with a file, after a shell command in the scratch folder has made it
		var answer struct{ Make, File string }
		_ = json.Unmarshal(r.Params.Task.Context, &answer)
		command := exec.Command("sh", "-c", answer.Make)
		command.Dir = r.Params.ScratchDir
		if out, err := command.CombinedOutput(); err != nil {
			panic(string(out) + err.Error())
		}
		h.result(r.ID, fmt.Sprintf(`{"outcome":"success","result_file":%s}`, answer.File))
	}
}

func (h *fakeHost) blurt(secret, executionID string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			fmt.Fprintln(os.Stderr, "the stack holds", secret)
		}
	}()
	fmt.Fprintln(os.Stdout, "printed", secret)
	fmt.Fprintln(os.Stderr, strings.Repeat("e", 483), secret) // a line that is cut in the secret
	fmt.Fprintln(os.Stderr, "wrote", secret)
	h.notify("logged "+secret, executionID)
	h.line(`{"jsonrpc":"2.0","method":"log","params":{"logger":"stderr","message":%q,"execution_id":%q}}`, "warned "+secret, executionID)
}

func (h *fakeHost) say(lines []string, r *fakeRequest) {
	id := r.Params.ExecutionID
	count, secret, _ := strings.Cut(strings.TrimPrefix(r.ID, "w"), "-")
	number, _ := strconv.Atoi(count)
	fill := strings.NewReplacer("$ID", id, "$NEXT", fmt.Sprintf("w%d-%s", number+1, secret), "$NUMBER", count, "$RPC", r.ID, "$SECRET", secret)
	for _, line := range lines {
		switch line {
		case "await cancel":
			<-h.cancellation(id)
		case "await release":
			<-h.released
		default:
			h.line("%s", fill.Replace(line))
		}
	}
}

// grandchild leaves a child behind that keeps every pipe open; argument "setsid" takes it out of the process group.
func (h *fakeHost) grandchild(argument string) {
	child := exec.Command("sleep", "60")
	child.Stdout, child.Stderr, child.ExtraFiles = os.Stdout, os.Stderr, []*os.File{h.out, h.out}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: argument == "setsid"}
	if err := child.Start(); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, child.Process.Pid)
}

func (h *fakeHost) echo(r *fakeRequest) {
	h.result(r.ID, fmt.Sprintf(`{"outcome":"success","result":{"executor":%q,"pid":%d}}`,
		os.Getenv("TASKER_EXECUTOR_ID"), os.Getpid()))
}

func (h *fakeHost) notify(message, executionID string) {
	h.line(`{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":%q,"execution_id":%q,"attrs":{"level":"forged"}}}`,
		message, executionID)
}

func (h *fakeHost) result(id, result string) {
	h.line(`{"jsonrpc":"2.0","id":%q,"result":%s}`, id, result)
}

func (h *fakeHost) line(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = fmt.Fprintf(h.out, format+"\n", args...)
}
