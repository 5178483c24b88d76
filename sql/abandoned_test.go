package sql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// startAsRails puts a step in progress as the engine does: without our metadata, without the flag, without counting yet.
func (b bundle) startAsRails(step int64, ago time.Duration) {
	b.t.Helper()
	b.exec(`SELECT tasker.transition_step($1, 'in_progress', '{}')`, step)
	b.exec(`UPDATE public.tasker_workflow_step_transitions SET created_at = created_at - $2 * interval '1 ms' WHERE workflow_step_id = $1 AND most_recent`,
		step, ago.Milliseconds())
}

func (b bundle) abandoned(age time.Duration) sql.MaintenanceResult {
	b.t.Helper()
	found, err := b.store.Sweep(b.t.Context(), 0, 100, 0, age)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// A step that is in progress without a worker has no lease: it is taken back when somebody said that it may be, and after that age.
func TestStepOfADeadRailsProcessIsTakenBackOnlyByASetting(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		setting, age time.Duration
		want         string
	}{
		"no setting":          {0, 24 * time.Hour, "in_progress 0"},
		"younger":             {time.Hour, 30 * time.Minute, "in_progress 0"},
		"older":               {time.Hour, 2 * time.Hour, "pending 1"},
		"any age, at request": {time.Millisecond, time.Second, "pending 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			id := b.create("diamond")
			b.startAsRails(b.step(id, "top").StepID, row.age)
			b.exec(`DELETE FROM tasker.river_job`)
			found := b.abandoned(row.setting)
			if got := b.states(id)["top"]; got != row.want {
				t.Errorf("the step is %s, want %s", got, row.want)
			}
			if taken := strings.HasPrefix(row.want, "pending"); (found.Released == 1) != taken {
				t.Errorf("the sweep found %+v", found)
			} else if taken {
				results := string(b.step(id, "top").Results)
				if !strings.Contains(results, "Tasker::WorkerLost") || !strings.Contains(results, "without a worker") {
					t.Errorf("the step says %s", results)
				}
				if n := queryAll[int](b, `SELECT count(*)::int FROM tasker.river_job WHERE kind = 'tasker_step'`)[0]; n != 1 {
					t.Errorf("%d jobs wake the step", n)
				}
				b.succeed(b.claim(id, "top"))
			}
		})
	}
}

// An attempt that died counts, so that a step that kills its process does not come back for ever.
func TestAbandonedStepWithoutAttemptsLeftEndsInError(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	top := b.step(id, "top").StepID
	b.exec(`UPDATE public.tasker_workflow_steps SET attempts = 2 WHERE workflow_step_id = $1`, top)
	b.startAsRails(top, time.Hour)
	b.abandoned(time.Minute)
	if got, state := b.states(id)["top"], b.task(id).State; got != "error 3" || state != engine.Error {
		t.Errorf("the step is %s and its task %s", got, state)
	}
}

// A claim under the id of a worker that is not registered has nobody who would end it, and needs no setting.
func TestClaimOfAWorkerThatIsNotRegisteredIsTakenBack(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]string{
		"the worker's row is gone":                 `DELETE FROM tasker.workers`,
		"somebody cleared the flag, then it died":  `UPDATE public.tasker_workflow_steps SET in_process = false; UPDATE tasker.workers SET lease_ms = 1, heartbeat_at = now() - interval '1 day'; SELECT tasker.reap_workers()`,
		"somebody set processed, and then it died": `UPDATE public.tasker_workflow_steps SET processed = true; UPDATE tasker.workers SET lease_ms = 1, heartbeat_at = now() - interval '1 day'; SELECT tasker.reap_workers()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			id := b.create("diamond")
			b.claim(id, "top")
			if found := b.sweep(); found.Released != 0 {
				t.Fatalf("taken from a worker that lives: %+v", found)
			}
			for statement := range strings.SplitSeq(forget, ";") {
				b.exec(statement)
			}
			found := b.sweep()
			if got := b.states(id)["top"]; got != "pending 1" || found.Released != 1 {
				t.Errorf("the step is %s after %+v", got, found)
			}
			if n := queryAll[int](b, `SELECT count(*)::int FROM public.tasker_workflow_steps WHERE processed OR in_process`)[0]; n != 0 {
				t.Errorf("%d steps have a flag", n)
			}
		})
	}
}

// Tasks that the engine runs, and steps of tasks that have ended, are somebody else's, or nobody's.
func TestReleaseLeavesOtherTasksAlone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"the template is not synced": `DELETE FROM tasker.templates`,
		"the task has ended":         `SELECT tasker.transition_task(task_id, 'cancelled', '{}') FROM public.tasker_tasks`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			id := b.create("diamond")
			b.startAsRails(b.step(id, "top").StepID, time.Hour)
			b.exec(change)
			released, err := b.store.ReleaseAbandoned(t.Context(), time.Minute)
			if err != nil || len(released) != 0 || b.states(id)["top"] != "in_progress 0" {
				t.Errorf("released %+v, %v", released, err)
			}
		})
	}
}

func TestDoctorListsAndReleasesAbandonedSteps(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	first, second := b.create("diamond"), b.create("diamond")
	b.startAsRails(b.step(first, "top").StepID, time.Hour)
	b.startAsRails(b.step(second, "top").StepID, 5*time.Minute)
	diagnosis, err := sql.Diagnose(t.Context(), b.pool, sql.DiagnoseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, finding := range diagnosis.Findings {
		if finding.Kind == sql.FindingAbandonedSteps {
			said = append(said, finding.What)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "2, the oldest for 1h0m") {
		t.Errorf("the doctor says %q", said)
	}
	released, err := b.store.ReleaseAbandoned(t.Context(), 10*time.Minute)
	if err != nil || len(released) != 1 || released[0].TaskID != first || released[0].Name != "top" {
		t.Errorf("released %+v, %v", released, err)
	}
	if again, err := b.store.ReleaseAbandoned(t.Context(), 10*time.Minute); err != nil || len(again) != 0 {
		t.Errorf("released again: %+v, %v", again, err)
	}
}
