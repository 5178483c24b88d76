package executors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tasker-systems/tasker-worker/engine"
)

// runFakeInit is a worker that is process 1, as in a container without an init: a step in it leaves an orphan, and it says what
// has become of that.
func runFakeInit(dir string) {
	must := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	must(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must(unix.Mount("proc", "/proc", "proc", 0, ""))
	s, err := New(Config{Dir: dir, Environ: []string{"FAKEHOST="}, Logger: slog.New(slog.DiscardHandler)})
	must(err)
	s.launch = func(runtime, string) ([]string, error) { return []string{os.Args[0]}, nil }
	ctx := context.Background()
	must(s.Start(ctx))
	slot, err := s.Acquire(ctx, "orphan")
	must(err)
	var orphan int
	must(json.Unmarshal(slot.Execute(ctx, &engine.Attempt{Handler: engine.Handler{Name: "orphan"}}).Result, &orphan))
	slot.Release()
	fate := "a zombie"
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if errors.Is(syscall.Kill(orphan, 0), syscall.ESRCH) {
			fate = "gone"
			break
		}
	}
	fmt.Printf("process %d: the orphan is %s\n", os.Getpid(), fate)
	must(s.Stop(ctx))
}

func TestWorkerThatIsProcessOneReapsOrphans(t *testing.T) {
	t.Parallel()
	worker := exec.CommandContext(t.Context(), os.Args[0])
	worker.Env = append(os.Environ(), "FAKEINIT="+newScene(t, sceneOptions{handlers: "orphan"}).dir)
	worker.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		worker.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		worker.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	out, err := worker.CombinedOutput()
	if errors.Is(err, unix.EPERM) {
		t.Skipf("this system allows no process of a namespace of its own: %v", err)
	}
	if err != nil || strings.TrimSpace(string(out)) != "process 1: the orphan is gone" {
		t.Errorf("%v: %s", err, out)
	}
}
