package conformance

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// The fixtures that do something to their process: print, fork, exit.

func refNoise(s *refStep) (any, error) {
	fmt.Print("printed")
	fmt.Fprint(os.Stderr, "warned")
	forged := []byte(`{"jsonrpc":"2.0","id":"forged","result":{}}` + "\n")
	_, _ = syscall.Write(1, forged)
	if s.host.is("noise in a step") {
		_, _ = s.host.out.Write([]byte("printed\n"))
	}
	return "quiet", passOn(exec.Command("sh", "-c", "echo printed by a child; echo warned by a child >&2")).Run()
}

func refFlood(s *refStep) (any, error) {
	lines := 10 << 10
	if s.host.is("cuts floods") {
		lines = 1 << 10
	}
	_, err := io.WriteString(os.Stderr, strings.Repeat(strings.Repeat("x", 1023)+"\n", lines))
	return "done", err
}

func refChildFds(s *refStep) (any, error) {
	script := "for fd in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && readlink /proc/self/fd/$fd; done; env | grep ^TASKER_"
	cmd := exec.Command("sh", "-c", script)
	if s.host.is("inherited pipes") {
		cmd.ExtraFiles = []*os.File{s.host.in, s.host.out}
	}
	out, err := cmd.Output()
	return string(out), err
}

func refCloseStdio(s *refStep) (any, error) {
	for fd := range 3 {
		_ = syscall.Close(fd)
	}
	if s.host.is("dies without stdio") {
		os.Exit(1)
	}
	return "closed", nil
}

func refHardExit(s *refStep) (any, error) {
	if s.host.is("exit code") {
		os.Exit(0)
	}
	os.Exit(3)
	return nil, nil
}

func refKillSelf(s *refStep) (any, error) {
	if s.host.is("forged end") {
		s.host.send(object{"id": "w2", "result": object{"outcome": "success", "result": nil}})
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func refLeaveChild(s *refStep) (any, error) {
	if s.host.is("waits for children") {
		go func() { s.host.waited.Wait() }()
		signal.Ignore(syscall.SIGTERM)
		s.host.broken = "deaf to EOF"
	}
	cmd := passOn(exec.Command("sleep", "300"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: s.text("kind") == "daemon"}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}
