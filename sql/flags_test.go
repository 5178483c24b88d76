package sql_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// No flag is ever the truth: the transition says what a step is, and the flag follows it, so that the engine's own functions
// agree.
func TestFlagsThatAnotherWriterLeftArePutRight(t *testing.T) {
	t.Parallel()
	ticks := map[string]func(b bundle, id int64){
		"the next tick": func(b bundle, id int64) { b.tick(id) },
		"the sweep": func(b bundle, _ int64) {
			if found := b.sweep(); found.Flags == 0 {
				b.t.Errorf("the sweep found %+v", found)
			}
		},
	}
	for name, row := range map[string]struct {
		before string // of the step top; $1 is its id
		state  string
		ready  bool // for the engine
	}{
		"error over a claim": {
			`UPDATE public.tasker_workflow_steps SET in_process = true, attempts = 1 WHERE workflow_step_id = $1;
			 SELECT tasker.transition_step($1, 'error', '{}')`, "error 1", false,
		},
		"pending and in process":    {`UPDATE public.tasker_workflow_steps SET in_process = true WHERE workflow_step_id = $1`, "pending 0", true},
		"pending and processed":     {`UPDATE public.tasker_workflow_steps SET processed = true WHERE workflow_step_id = $1`, "pending 0", true},
		"pending with both":         {`UPDATE public.tasker_workflow_steps SET processed = true, in_process = true WHERE workflow_step_id = $1`, "pending 0", true},
		"set back, still processed": {`UPDATE public.tasker_workflow_steps SET processed = true, attempts = 1 WHERE workflow_step_id = $1`, "pending 1", true},
		"cancelled and in process": {
			`UPDATE public.tasker_workflow_steps SET in_process = true WHERE workflow_step_id = $1;
			 SELECT tasker.transition_step($1, 'cancelled', '{}')`, "cancelled 0", false,
		},
	} {
		for by, tick := range ticks {
			t.Run(name+", "+by, func(t *testing.T) {
				t.Parallel()
				b := setup(t, diamondYAML)
				id := b.create("diamond")
				top := b.step(id, "top").StepID
				b.exec(`DELETE FROM tasker.river_job`)
				for statement := range strings.SplitSeq(row.before, ";") {
					b.exec(statement, top)
				}
				tick(b, id)
				if got := b.states(id)["top"]; got != row.state {
					t.Errorf("the step is %s, want %s", got, row.state)
				}
				flags := queryAll[string](b, `SELECT concat(processed, in_process) FROM public.tasker_workflow_steps WHERE workflow_step_id = $1`, top)
				if diff := cmp.Diff([]string{"ff"}, flags); diff != "" {
					t.Errorf("flags (-want +got):\n%s", diff)
				}
				ready := queryAll[bool](b, `SELECT ready_for_execution FROM public.get_step_readiness_status($1, ARRAY[$2::bigint])`, id, top)
				if ready[0] != row.ready {
					t.Errorf("the engine's function says ready: %t, want %t", ready[0], row.ready)
				}
				if noted := queryAll[int64](b, `SELECT steps FROM tasker.repairs WHERE kind = 'flag' AND last_step = $1`, top); len(noted) != 1 || noted[0] != 1 {
					t.Errorf("noted %v repairs", noted)
				}
				if row.state[:5] == "error" || row.ready {
					b.passBackoff()
					b.succeed(b.claim(id, "top"))
				} else if state := b.task(id).State; state != engine.Error {
					t.Errorf("the task is %s", state)
				}
			})
		}
	}
}

func TestFlagsOfClaimsAndOfDoneStepsStay(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.succeed(b.claim(id, "top"))
	b.claim(id, "left")
	b.exec(`SELECT tasker.transition_step($1, 'resolved_manually', '{}')`, b.step(id, "right").StepID)
	if found := b.sweep(); found.Flags != 0 {
		t.Errorf("the sweep found %+v", found)
	}
	flags := queryAll[string](b, `SELECT concat(processed, in_process) FROM public.tasker_workflow_steps ORDER BY workflow_step_id`)
	if diff := cmp.Diff([]string{"tf", "ft", "ff", "ff"}, flags); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
}

// A flag on a step that nobody looks at alone: its parents complete and open it.
func TestFlaggedChildIsOpenedByItsParent(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	top := b.claim(id, "top")
	b.exec(`UPDATE public.tasker_workflow_steps SET in_process = true WHERE workflow_step_id <> $1`, top.Step.ID)
	b.succeed(top)
	b.succeed(b.claim(id, "left"))
	b.succeed(b.claim(id, "right"))
	b.succeed(b.claim(id, "bottom"))
	if state := b.task(id).State; state != engine.Complete {
		t.Errorf("the task is %s", state)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

// The sweep looks at tasks that are not complete, so that a flag that somebody set would hide one that lost its wake-up.
func TestCompleteThatAnotherWriterLeftIsPutRight(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	open, done := b.create("diamond"), b.create("diamond")
	for _, step := range []string{"top", "left", "right", "bottom"} {
		b.succeed(b.claim(done, step))
	}
	b.exec(`DELETE FROM tasker.river_job`)
	b.exec(`UPDATE public.tasker_tasks SET complete = NOT complete, updated_at = updated_at - interval '10 s'`)
	if _, err := b.store.Discover(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	if found := b.sweep(); found.Repaired != 1 {
		t.Errorf("the sweep found %+v, want the task that lost its wake-up", found)
	}
	if b.task(open).Complete || !b.task(done).Complete {
		t.Errorf("the open task is complete: %t, the other %t", b.task(open).Complete, b.task(done).Complete)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestTaskThatIsSetBackToPendingIsDiscovered(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		set  string
		flag bool
	}{
		"a task that failed":    {`SELECT tasker.transition_task($1, 'pending', '{}')`, false},
		"with its flag left on": {`WITH k AS (UPDATE public.tasker_tasks SET complete = true) SELECT tasker.transition_task($1, 'pending', '{}')`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			id := b.create("diamond")
			for range 200 { // it is none of the newest
				b.exec(`SELECT tasker.create_task('test', 'diamond', '1.0.0')`)
			}
			b.fail(b.claim(id, "top"), true)
			b.exec(`UPDATE public.tasker_workflow_steps SET retry_limit = 9 WHERE task_id = $1`, id)
			b.exec(end.set, id)
			b.exec(`DELETE FROM tasker.river_job`)
			found, err := b.store.Discover(t.Context(), 100)
			if err != nil {
				t.Fatal(err)
			}
			jobs := queryAll[int](b, `SELECT count(*)::int FROM tasker.river_job WHERE kind = 'tasker_tick' AND (args ->> 'task_id')::bigint = $1`, id)
			if jobs[0] != 1 || found == 0 {
				t.Fatalf("discovered %d tasks, with %d jobs for the one that was set back", found, jobs[0])
			}
			b.tick(id)
			b.passBackoff()
			b.succeed(b.claim(id, "top"))
			if task := b.task(id); task.Complete || task.State != engine.InProgress {
				t.Errorf("the task is %s, complete %t", task.State, task.Complete)
			}
		})
	}
}

// The last numbers that an integer holds leave room for no other: the history is numbered anew, and stays in its order.
func TestTransitionsGoOnAfterTheLastSortKey(t *testing.T) {
	t.Parallel()
	for _, last := range []int{2147483647, 2147483646, 2147483640, 2147483001} {
		t.Run(fmt.Sprint(last), func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			id := b.create("diamond")
			top := b.step(id, "top").StepID
			b.exec(`SELECT tasker.transition_step($1, 'error', '{}')`, top)
			b.exec(`SELECT tasker.transition_step($1, 'pending', '{}')`, top)
			b.exec(`UPDATE public.tasker_workflow_step_transitions SET sort_key = $1 WHERE most_recent`, last)
			b.exec(`UPDATE public.tasker_task_transitions SET sort_key = $1 WHERE most_recent`, last)
			for _, step := range []string{"top", "left", "right", "bottom"} {
				b.succeed(b.claim(id, step))
			}
			if state := b.task(id).State; state != engine.Complete {
				t.Errorf("the task is %s", state)
			}
			history := queryAll[string](b, `SELECT concat(to_state, ' ', sort_key) FROM public.tasker_workflow_step_transitions WHERE workflow_step_id = $1 ORDER BY sort_key`, top)
			want := []string{"error 10", "pending 20", "in_progress 30", "complete 40"}
			if diff := cmp.Diff(want, history); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

// Both sides write to a step at the same moment: whoever commits first has it, and the other's statement fails and is repeated.
func TestStepThatTheEngineTakesAtTheSameMomentIsTheEngines(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	top := b.step(id, "top").StepID
	engines, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engines.Exec(t.Context(), `INSERT INTO public.tasker_workflow_step_transitions
		(workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
		VALUES ($1, 'in_progress', 'pending', '{}', 10, true, now(), now())`, top); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		claims []engine.ClaimResult
		err    error
	}
	answers := make(chan answer)
	claim := func() {
		claims, err := b.store.Claim(t.Context(), worker, []engine.ClaimRequest{{TaskID: id, StepID: top}}, sql.WaitForLock)
		answers <- answer{claims, err}
	}
	go claim()
	const waiting = `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for deadline := time.Now().Add(time.Minute); queryAll[int](b, waiting)[0] == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the claim does not wait for the engine's transaction")
		}
	}
	if err := engines.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-answers; got.err == nil {
		t.Errorf("the claim came to %+v", got.claims)
	}
	go claim()
	if got := <-answers; got.err != nil || got.claims[0].Status != engine.NotReady {
		t.Errorf("the claim comes again: %+v", got)
	}
	if got := b.states(id)["top"]; got != "in_progress 0" {
		t.Errorf("the step is %s", got)
	}
}
