package executors

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Workers of one machine come and go at any time. None of them ends what another one has started, nor removes what it needs.
func TestWorkersThatStartAndEndLeaveTheProcessesOfOthersAlone(t *testing.T) {
	t.Parallel()
	const rounds, together = 3, 4
	limits := Limits{Processes: 256}
	live := newScene(t, sceneOptions{Config: Config{Limits: limits}, handlers: "echo"})
	live.startLimited()
	before := whereabouts(t, live.run(live.ctx(), attempt("echo")))
	for range rounds {
		var ending sync.WaitGroup
		for range together {
			ending.Go(func() {
				sc := newScene(t, sceneOptions{Config: Config{Limits: limits}, handlers: "echo"})
				if err := sc.Start(sc.ctx()); err != nil {
					t.Errorf("one that starts beside others: %v", err)
				}
				if got := sc.run(sc.ctx(), attempt("echo")); got.Failure != nil {
					t.Errorf("beside others a step comes to %s", describe(got))
				}
				sc.stop()
			})
			ending.Go(func() { killBesideOthers(t, live.dir) })
		}
		ending.Wait()
	}
	if after := whereabouts(t, live.run(live.ctx(), attempt("echo"))); after != before {
		t.Errorf("the process was replaced: %v, then %v", before, after)
	}
	if _, err := os.Stat(live.scratch.Path); err != nil {
		t.Errorf("its scratch folder: %v", err)
	}
}

// killBesideOthers starts a worker of another process and kills it when it is ready, or while it still starts.
func killBesideOthers(t *testing.T, dir string) {
	worker := exec.Command(os.Args[0])
	worker.Env = append(os.Environ(), "FAKEWORKER="+dir, "FAKEWORKER_LIMITED=1")
	out, err := worker.StdoutPipe()
	if err != nil {
		t.Error(err)
		return
	}
	if err := worker.Start(); err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = worker.Wait() }() // killed, as it should be
	defer func() { _ = worker.Process.Kill() }()
	text := make([]byte, 1)
	if _, err := out.Read(text); err != nil {
		t.Errorf("a worker that starts beside others prints nothing: %v", err)
	}
}

// A checkout, a release, a backup with a date: what has the name of a worker's folder is not one for that.
func TestStartRemovesNothingOfOthers(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	kept := []string{
		"tasker-worker-main/.git/HEAD", "tasker-worker-0.3/README.md", "tasker-worker-2026/notes.txt", "tasker-worker-7",
		"tasker-worker-20261130/hosts/host.rb", "tasker-worker-123/cookie", "tasker-worker-124/echo-1/file",
	}
	for _, name := range kept {
		path := filepath.Join(tmp, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sc := startScene(t, sceneOptions{handlers: "echo"})
	sc.stop()
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(tmp, name)); err != nil {
			t.Errorf("%s is no folder of a worker: %v", name, err)
		}
	}
}
