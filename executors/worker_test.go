package executors

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// runFakeWorker is a worker that prints its scratch folder and the ids of its handler processes, and waits to be killed.
func runFakeWorker(dir string) {
	log := &recorder{changed: make(chan struct{})}
	c := Config{Dir: dir, Environ: []string{"FAKEHOST=stubborn"}, Logger: slog.New(log), Processes: 2}
	if os.Getenv("FAKEWORKER_LIMITED") != "" {
		c.Limits.Processes = 256
	}
	s, err := New(c)
	if err != nil {
		panic(err)
	}
	if os.Getenv("FAKEWORKER_HOSTS") != "real" {
		s.launch = func(runtime, string) ([]string, error) { return []string{os.Args[0]}, nil }
	}
	s.ungrouped = os.Getenv("FAKEWORKER_UNGROUPED") != ""
	if err := s.Start(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(s.scratch.Path)
	for _, pid := range log.pids() {
		fmt.Println(pid)
	}
	fmt.Println("ready")
	for handler := range strings.FieldsSeq(os.Getenv("FAKEWORKER_RUNS")) {
		go func() {
			slot, err := s.Acquire(context.Background(), handler)
			if err != nil {
				panic(err)
			}
			a := attempt(handler)
			a.Handler.Config = json.RawMessage(os.Getenv("FAKEWORKER_CONFIG"))
			panic(describe(slot.Execute(context.Background(), a)))
		}()
	}
	select {}
}

func TestHandlerProcessesDieWithTheWorker(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"fake": newScene(t, sceneOptions{handlers: "echo"}).dir,
		"real": "testdata/handlers",
	}
	for hosts, dir := range tests {
		t.Run(hosts, func(t *testing.T) {
			t.Parallel()
			worker := exec.Command(os.Args[0])
			worker.Env = append(os.Environ(), "FAKEWORKER="+dir, "FAKEWORKER_HOSTS="+hosts)
			worker.Stderr = t.Output()
			out, err := worker.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := worker.Start(); err != nil {
				t.Fatal(err)
			}
			scratch, pids := readWorker(t, out)
			t.Cleanup(func() { _ = os.RemoveAll(scratch) })
			if err := worker.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = worker.Wait() // killed, as it should be
			for _, pid := range pids {
				awaitGone(t, pid)
			}
		})
	}
}

// readWorker reads what runFakeWorker prints.
func readWorker(t *testing.T, out io.Reader) (scratch string, pids []int) {
	t.Helper()
	lines := bufio.NewScanner(out)
	lines.Scan()
	scratch = lines.Text()
	for lines.Scan() && lines.Text() != "ready" {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		if syscall.Kill(pid, 0) != nil {
			t.Fatalf("process %d does not run", pid)
		}
		pids = append(pids, pid)
	}
	if len(pids) < 2 {
		t.Fatalf("the worker started %d processes, want at least 2", len(pids))
	}
	return scratch, pids
}
