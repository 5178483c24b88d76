package sql_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

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
		b.finish(engine.FinishRequest{
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

// TestHistoryNamesTheWorkerAndTheErrorOfEachAttempt also holds that names outlive their workers.
func TestHistoryNamesTheWorkerAndTheErrorOfEachAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	for _, permanent := range []bool{false, true} {
		b.passBackoff()
		a := b.claim(id, "top")
		b.finish(engine.FinishRequest{
			Metadata:  json.RawMessage(fmt.Sprintf(`{"attempt_number":%d,"execution_duration":0.5,"exception_class":"E","error_message":"no"}`, a.Step.Attempt)),
			Permanent: permanent, Result: json.RawMessage(`{"error":"no"}`), StepID: a.Step.ID, TaskID: id, Token: a.Token,
		})
	}
	b.exec(`SELECT tasker.unregister_worker($1)`, worker)
	got := b.step(id, "top").History
	for i := range got {
		if got[i].StartedAt.IsZero() {
			t.Errorf("attempt %d has no start", got[i].Attempt)
		}
		got[i].StartedAt = time.Time{}
	}
	want := []sql.AttemptRecord{
		{Attempt: 1, State: engine.Error, Worker: "test", Seconds: 0.5, ErrorClass: "E", ErrorMessage: "no", Fingerprint: "e6b0eb48edf5"},
		{Attempt: 2, State: engine.Error, Worker: "test", Seconds: 0.5, ErrorClass: "E", ErrorMessage: "no", Fingerprint: "e6b0eb48edf5", Permanent: true, RetryLimit: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	b.exec(`UPDATE tasker.worker_names SET started_at = now() - interval '91 days'`)
	if err := b.store.RegisterWorker(t.Context(), sql.Worker{ID: "0b8f3c6e-0000-4000-8000-000000000002", Name: "next", Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if name := b.step(id, "top").History[0].Worker; name != worker[:8] {
		t.Errorf("a worker of long ago is called %q, want the beginning of its id", name)
	}
}
