package executors

import (
	"strings"
	"testing"

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
