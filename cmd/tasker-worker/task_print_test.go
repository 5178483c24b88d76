package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

func TestTaskShowsWhatWasMeasuredOfItsAttempts(t *testing.T) {
	t.Parallel()
	task := &client.Task{Steps: []sql.Step{
		{Name: "quick", Usage: []sql.AttemptUsage{{Attempt: 1, Seconds: 0.004, State: engine.Complete}}},
		{Name: "import", Usage: []sql.AttemptUsage{
			{Attempt: 1, CPUMS: 340.4, PeakMemoryBytes: 64 << 20, Seconds: 0.5, State: engine.Error},
			{Attempt: 2, CPUMS: 1200, Seconds: 90, State: engine.Complete},
		}},
	}}
	var out strings.Builder
	if err := printTask(&out, task); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(out.String(), "\n\nMEASURED")
	want := `  ATTEMPT  STATE     TOOK   CPU    PEAK MEMORY
import    1        error     500ms  340ms  64 MiB
import    2        complete  1m30s  1.2s
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
