package executors

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFilesThatDoNotFinishLoadingAreSkippedAndNamed(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo"})
	sc.write("ruby/one.rb", "STUCK")
	sc.write("ruby/two.rb", "STUCK")
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	want := []Problem{
		{File: "ruby/one.rb", Language: Ruby, Message: "Hang: loads for ever", Traceback: []string{"line 1"}},
		{File: "ruby/two.rb", Language: Ruby, Message: "Hang: loads for ever", Traceback: []string{"line 1"}},
	}
	if diff := cmp.Diff(want, sc.Problems()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	whereabouts(t, sc.run(sc.ctx(), attempt("echo")))
	sc.write("ruby/one.rb", "hold")
	if err := sc.Reload(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[1:], sc.Problems()); diff != "" {
		t.Errorf("a file that was mended is skipped after a reload (-want +got):\n%s", diff)
	}
}

func TestHostThatSkipsNoFileIsNotStartedForEver(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{boot: "forgetful", handlers: "echo"})
	sc.write("ruby/one.rb", "STUCK")
	err := sc.Start(sc.ctx())
	if err == nil || !strings.Contains(err.Error(), "could not load one.rb: loads for ever") {
		t.Errorf("Start: %v", err)
	}
}

func TestFileThatThrowsAfterItWasLoadedIsLeftOutForAWhile(t *testing.T) {
	t.Parallel()
	throws := `status:{"state":"recycle_me","reason":"late","load_error":{"file":"bad.rb","class":"Late","message":"thrown"}}`
	sc := newScene(t, sceneOptions{Config: Config{StepsPerProcess: 1}, handlers: "echo"})
	sc.write("ruby/bad.rb", throws)
	sc.timing.stuck = 100 * time.Millisecond
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	first := len(sc.Handlers())
	sc.run(sc.ctx(), attempt(throws))
	sc.log.await(t, "handler process is ready", 2)
	again := sc.log.await(t, "handler process is replaced", 2)
	if want := "leaves out files that may be loaded again"; again["reason"] != want {
		t.Errorf("the second process was replaced because it %s, want %s", again["reason"], want)
	}
	without, _ := sc.log.find("handler process is ready")
	if without[1]["handlers"] != "1" {
		t.Errorf("the second process serves %s handlers, want 1 of %d", without[1]["handlers"], first)
	}
	third := sc.log.await(t, "handler process is ready", 3)
	if third["handlers"] != "2" {
		t.Errorf("the third process serves %s handlers, want 2", third["handlers"])
	}
}

func TestFilesThatAHostGaveUpAreLeftOutOfLaterProcesses(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo"})
	sc.write("ruby/broken.rb", "!unexpected end")
	sc.write("ruby/late.rb", "!late")
	if err := sc.Start(sc.ctx()); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range sc.generation().stuckFiles(Ruby) {
		left = append(left, e.File)
	}
	if diff := cmp.Diff([]string{"late.rb"}, left); diff != "" {
		t.Errorf("files left out (-want +got):\n%s", diff)
	}
	if problems := sc.Problems(); len(problems) != 2 {
		t.Errorf("problems %v, want those of both files", problems)
	}
}
