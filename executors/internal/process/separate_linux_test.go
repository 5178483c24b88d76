package process

import (
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
)

// What keeps processes apart takes nothing else from them.
func TestSeparatedProcessWorksAsUsual(t *testing.T) {
	t.Parallel()
	p := startShell(t, `cd "$(mktemp -d)" && mkdir a b && touch a/x && ln a/x b/y && mkfifo a/f && mv a/f b/f && kill -0 $$ &&
		cat /proc/$$/environ > a/env && [ -s a/env ] && rm -r "$PWD" && echo works`)
	awaitEnd(t, p)
	if got, err := io.ReadAll(p.Stdout); err != nil || string(got) != "works\n" {
		complaint, _ := io.ReadAll(p.Stderr)
		t.Errorf("stdout is %q, %v; stderr is %s", got, err, complaint)
	}
}

func TestRootKeepsNoReachIntoOtherProcesses(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root has something to lose")
	}
	p := startShell(t, `cat /proc/self/status`)
	awaitEnd(t, p)
	status, err := io.ReadAll(p.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "CapEff:\t")
	line, _, _ := strings.Cut(rest, "\n")
	held, err := strconv.ParseUint(line, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, capability := range reach {
		if held&(1<<capability) != 0 {
			t.Errorf("a process of root has the capability %d", capability)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	s := NewStarter()
	defer s.Close()
	for b.Loop() {
		p, err := s.Start(Command{Args: []string{"/bin/true"}})
		if err != nil {
			b.Fatal(err)
		}
		<-p.Done()
		p.Close()
	}
}
