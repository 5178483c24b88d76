package sql_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

func TestUsageIsReadForEachAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	for _, end := range []struct {
		succeeded bool
		metadata  string
	}{
		{false, `{"attempt_number":1,"execution_duration":0.5,"cpu_ms":340,"peak_memory_bytes":64000000}`},
		{true, `{"attempt_number":2,"execution_duration":0.25}`},
	} {
		b.passBackoff()
		a := b.claim(id, "top")
		b.finish(engine.Finish{
			Metadata: json.RawMessage(end.metadata), Result: json.RawMessage(`{"error":"no"}`), StepID: a.Step.ID, Succeeded: end.succeeded,
			TaskID: id, Token: a.Token,
		})
	}
	want := []sql.AttemptUsage{
		{Attempt: 1, CPUMS: 340, PeakMemoryBytes: 64_000_000, Seconds: 0.5, State: engine.Error},
		{Attempt: 2, Seconds: 0.25, State: engine.Complete},
	}
	if diff := cmp.Diff(want, b.step(id, "top").Usage); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	if later := b.step(id, "left").Usage; len(later) != 0 {
		t.Errorf("a step that has not run used %v", later)
	}
}
