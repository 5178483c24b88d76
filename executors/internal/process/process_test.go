package process

import (
	"bufio"
	"io"
	"os"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 2 * time.Minute

func startShell(t *testing.T, script string) *Process {
	t.Helper()
	s := NewStarter()
	p, err := s.Start(Command{Args: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}})
	if err != nil {
		s.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
		p.Close()
		s.Close()
	})
	return p
}

func awaitEnd(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatal("the process has not ended")
	}
}

func TestDescriptorsAreWhatTheProtocolSays(t *testing.T) {
	t.Parallel()
	p := startShell(t, `read line <&3; echo "got $line" >&4; echo out; echo err >&2; cat`)
	if _, err := io.WriteString(p.In, "hello\n"); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, p)
	for name, tt := range map[string]struct {
		file io.Reader
		want string
	}{
		"fd 1": {p.Stdout, "out\n"},
		"fd 2": {p.Stderr, "err\n"},
	} {
		got, err := io.ReadAll(tt.file)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s gave %q, %v, want %q", name, got, err, tt.want)
		}
	}
	if got, err := io.ReadAll(p.Out); err != nil || string(got) != "got hello\n" {
		t.Errorf("fd 4 gave %q, %v", got, err)
	}
}

func TestHowSaysStatusAndSignal(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"exit 3":        "exited with status 3",
		"kill -SEGV $$": "was ended by signal 11 (segmentation fault)",
	} {
		p := startShell(t, script)
		awaitEnd(t, p)
		if got := p.How(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

func TestKillReachesTheWholeGroup(t *testing.T) {
	t.Parallel()
	p := startShell(t, "sleep 60 & sleep 60 & echo started; wait")
	if line, err := bufio.NewReader(p.Stdout).ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("%q, %v", line, err)
	}
	p.Kill()
	awaitEnd(t, p)
	began := time.Now()
	if _, err := io.ReadAll(p.Stderr); err != nil { // its end says that no sleep holds it any more
		t.Errorf("after %v: %v: a child lives on", time.Since(began), err)
	}
	p.Kill() // does nothing
}

func TestReadersEndThoughAGrandchildHoldsThePipes(t *testing.T) {
	t.Parallel()
	p := startShell(t, "setsid sh -c 'echo left >&4; sleep 300' & read line <&3")
	out := bufio.NewReader(p.Out)
	if line, err := out.ReadString('\n'); line != "left\n" { // the group, not before
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := io.WriteString(p.In, "end\n"); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, p)
	began := time.Now()
	_, err := io.ReadAll(out)
	if took := time.Since(began); took > patience {
		t.Errorf("reading took %v, error %v", took, err)
	}
}

func TestStartReportsAMissingProgram(t *testing.T) {
	t.Parallel()
	s := NewStarter()
	defer s.Close()
	if _, err := s.Start(Command{Args: []string{"/nonexistent/ruby"}}); err == nil || !strings.Contains(err.Error(), "/nonexistent/ruby") {
		t.Errorf("error is %v", err)
	}
}

// On Linux a child dies with the thread that started it: the threads of callers must not matter.
func TestProcessOutlivesTheThreadOfItsCaller(t *testing.T) {
	t.Parallel()
	s := NewStarter()
	var started [2]*Process
	var locked, callers sync.WaitGroup
	locked.Add(len(started))
	for i := range started {
		callers.Go(func() {
			goruntime.LockOSThread() // and never unlocked: the thread ends with the goroutine, unless it is the main one
			locked.Done()
			locked.Wait() // so that one of them is not on the main thread
			p, err := s.Start(Command{Args: []string{"/bin/sleep", "60"}})
			if err != nil {
				t.Error(err)
			}
			started[i] = p
		})
	}
	callers.Wait()
	for _, p := range started {
		select {
		case <-p.Done():
			t.Errorf("a process %s", p.How())
		case <-time.After(200 * time.Millisecond):
		}
		p.Kill()
		<-p.Done()
		p.Close()
	}
	s.Close()
}
