package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
)

// referenceArgument makes the test binary a host that has all of the protocol. What follows it is a way in which that
// host is broken on purpose.
const referenceArgument = "reference-host"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == referenceArgument {
		newReference(append(os.Args, "")[2]).serve()
	}
	process.CloseInherited()
	os.Exit(m.Run())
}

// reference is a host in Go that passes the whole list, unless it is broken.
type reference struct {
	broken   string
	handlers map[string]refHandler
	in, out  *os.File

	writing sync.Mutex
	// mu protects the fields below.
	mu       sync.Mutex
	ready    bool
	draining bool
	offered  []string
	limits   map[string]int
	running  map[string]*refStep
	large    bool            // a step with large params was sent
	late     map[string]bool // executions that were cancelled when they did not run
	waiting  map[string]chan refReply
	calls    int
	waited   sync.WaitGroup
}

func newReference(broken string) *reference {
	return &reference{
		broken: broken, handlers: refHandlers(), late: map[string]bool{}, limits: map[string]int{},
		running: map[string]*refStep{}, waiting: map[string]chan refReply{},
	}
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
	r.settleSIGINT()
	fmt.Println("printed while loading")
	fmt.Print("no newline")
	_ = passOn(exec.Command("echo", "printed by a child while loading")).Run()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGCONT) // before anybody can be told that this host is ready
	go r.obey(signals)
	r.read()
	if r.is("deaf to EOF") {
		select {}
	}
	os.Exit(0)
}

// settleSIGINT ignores the signal. The host that is broken dies of it, also where the tests run in the background of a
// shell, which has its children ignore it.
func (r *reference) settleSIGINT() {
	if !r.is("SIGINT") {
		signal.Ignore(syscall.SIGINT)
		return
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT)
	go func() {
		<-interrupts
		os.Exit(130)
	}()
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
		if !r.is("prints where it answers") {
			_ = syscall.Dup3(2, 1, 0)
		}
		null, _ := os.Open(os.DevNull)
		_ = syscall.Dup3(int(null.Fd()), 0, 0)
	}
	for _, fd := range []int{inFD, outFD} {
		var stat syscall.Stat_t
		if fd < 0 || syscall.Fstat(fd, &stat) != nil {
			if r.is("silent about descriptors") {
				os.Exit(1)
			}
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
		case s == syscall.SIGCONT && r.is("does not wake up"):
			os.Exit(70)
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
