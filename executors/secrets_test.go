package executors

import (
	"strings"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestNoSecretIsLeftOfAnAttemptThatEndsBadly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		handler, class string
		timeout        time.Duration
		// words are what the failure has to say all the same.
		words []string
	}{
		{"blurt", engine.ClassExecutorCrashed, time.Minute, []string{"exited with status 1", "wrote", "warned"}},
		{"blurt:hang", engine.ClassTimeout, 3 * time.Second, []string{"the stack holds"}},
	}
	for _, tt := range tests {
		t.Run(tt.handler, func(t *testing.T) {
			t.Parallel()
			f, k := &fakeCallbacks{}, &keeper{}
			sc := startScene(t, sceneOptions{handlers: tt.handler, Config: Config{AttemptLog: k, Callbacks: f, Secrets: f, StepTimeout: tt.timeout}})
			got := sc.run(sc.ctx(), attempt(tt.handler))
			sc.stop() // so that everything that it printed has been read
			text := describe(got)
			if got.Failure == nil || got.Failure.Class != tt.class || strings.Contains(text, "tops3") {
				t.Errorf("outcome is %s, want a failure %s without the secret", text, tt.class)
			}
			for _, word := range tt.words {
				if !strings.Contains(text, word) {
					t.Errorf("outcome is %s, want it to say %q", text, word)
				}
			}
			if n := sc.log.count("tops3"); n != 0 {
				t.Errorf("%d log records tell the secret", n)
			}
			if kept := strings.Join(k.lines, "\n"); strings.Contains(kept, "tops3") || !strings.Contains(kept, "printed") {
				t.Errorf("what is kept with the attempt: %s", kept)
			}
		})
	}
}
