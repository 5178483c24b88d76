package sql_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// wideYAML has 60 steps that wait for nothing.
func wideYAML() string {
	var document strings.Builder
	document.WriteString("name: wide\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n")
	for i := range 60 {
		fmt.Fprintf(&document, "  - {name: s%02d, handler_class: H, default_retry_limit: 9}\n", i)
	}
	return document.String()
}

// failTogether makes a task of which every step fails in one statement, as the attempt of that number.
func failTogether(t *testing.T, b bundle, attempt int, retryAfter time.Duration) int64 {
	t.Helper()
	id := b.create("wide")
	b.exec(`UPDATE public.tasker_workflow_steps SET attempts = $2 WHERE task_id = $1`, id, attempt-1)
	var wishes []engine.ClaimRequest
	for _, step := range b.task(id).Steps {
		wishes = append(wishes, engine.ClaimRequest{TaskID: id, StepID: step.StepID})
	}
	claims, err := b.store.Claim(t.Context(), worker, wishes, sql.WaitForLock)
	if err != nil {
		t.Fatal(err)
	}
	b.exec(`DELETE FROM tasker.river_job`)
	finishes := make([]engine.FinishRequest, len(claims))
	for i, claim := range claims {
		finishes[i] = engine.FinishRequest{
			TaskID: id, StepID: claim.Attempt.Step.ID, Token: claim.Attempt.Token, RetryAfter: retryAfter,
			Result: []byte(`{"error": "no"}`), Metadata: []byte(`{}`),
		}
	}
	recorded, err := b.store.Finish(t.Context(), worker, finishes, sql.WaitForLock)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recorded {
		if r.Due.After <= 0 || r.Due.Queue != "default" {
			t.Fatalf("recorded %+v", r)
		}
	}
	return id
}

// retry is a step that waits for its next attempt, with instants in milliseconds after it failed.
type retry struct{ Due, Job float64 }

func retries(b bundle, id int64) []retry {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), `
		SELECT extract(epoch FROM r.due_at - t.created_at AT TIME ZONE 'UTC') * 1000,
			extract(epoch FROM j.scheduled_at - t.created_at AT TIME ZONE 'UTC') * 1000
		FROM tasker.step_readiness($1) r
		JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = r.workflow_step_id AND t.most_recent
		JOIN tasker.river_job j ON (j.args ->> 'step_id')::bigint = r.workflow_step_id
		WHERE r.readiness = 'backing_off' ORDER BY r.workflow_step_id`, id)
	if err != nil {
		b.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[retry])
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// Steps that fail together are woken one after the other: never before they are due, and not long after.
func TestStepsThatFailTogetherAreRetriedApart(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		attempt    int
		retryAfter time.Duration
		due, most  float64 // milliseconds
	}{
		"first attempt":  {1, 0, 2000, 500},
		"later attempt":  {5, 0, 30_000, 7500},
		"asked for":      {1, time.Minute, 60_000, 10_000},
		"asked for less": {3, time.Second, 8000, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, wideYAML())
			all := retries(b, failTogether(t, b, row.attempt, row.retryAfter))
			if len(all) != 60 {
				t.Fatalf("%d steps wait", len(all))
			}
			const slack = 100 // the step and its transition are written a moment apart
			quarters := [4]int{}
			for _, r := range all {
				late := r.Job - r.Due
				if r.Due < row.due-slack || r.Due > row.due+slack || late < 0 || late > row.most+slack {
					t.Fatalf("due after %.0f ms, woken %.0f ms later; want %.0f and up to %.0f", r.Due, late, row.due, row.most)
				}
				quarters[min(3, int(late/row.most*4))]++
			}
			for i, n := range quarters {
				if n < 3 || n > 30 {
					t.Errorf("%d of 60 steps are woken in quarter %d of the spread: %v", n, i+1, quarters)
					break
				}
			}
		})
	}
}

// Between the instant at which a step is due and the one at which it is woken it is ready, for the engine's functions too, and has
// lost no wake-up. A job that was lost is made again for the same instant.
func TestStepThatIsDueAndNotWokenYetHasLostNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, wideYAML())
	id := failTogether(t, b, 5, 0)
	before := retries(b, id)
	b.exec(`DELETE FROM tasker.river_job`)
	b.tick(id)
	after := retries(b, id)
	for i := range before {
		if after[i] != before[i] {
			t.Fatalf("woken %.3f ms after the failure, and %.3f ms when the job was lost", before[i].Job, after[i].Job)
		}
	}

	// In one transaction, for which it is one instant: 31 seconds after the failure.
	err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
		for _, statement := range []string{
			`UPDATE public.tasker_workflow_step_transitions SET created_at = created_at - interval '31 s' + (now() - created_at AT TIME ZONE 'UTC') WHERE to_state = 'error'`,
			`UPDATE tasker.river_job j SET scheduled_at = tasker.spread_due(r.workflow_step_id, r.due_at)
				FROM public.tasker_tasks k CROSS JOIN LATERAL tasker.step_readiness(k.task_id) r WHERE (j.args ->> 'step_id')::bigint = r.workflow_step_id`,
		} {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		var ready, engines, waiting, repaired, jobs int
		if err := tx.QueryRow(t.Context(), `SELECT
			(SELECT count(*) FROM tasker.step_readiness($1) WHERE readiness = 'ready'),
			(SELECT count(*) FROM public.get_step_readiness_status($1) WHERE ready_for_execution),
			(SELECT count(*) FROM tasker.river_job WHERE scheduled_at > now())`, id).Scan(&ready, &engines, &waiting); err != nil {
			return err
		}
		if ready != 60 || engines != 60 || waiting < 20 {
			t.Errorf("%d steps are ready, %d for the engine, and %d are not woken yet", ready, engines, waiting)
		}
		if err := tx.QueryRow(t.Context(), `SELECT repaired FROM tasker.sweep_tasks(0, 100, 0)`).Scan(&repaired); err != nil {
			return err
		}
		if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM tasker.river_job WHERE scheduled_at > now()`).Scan(&jobs); err != nil {
			return err
		}
		if repaired != 0 || jobs != waiting {
			t.Errorf("the sweep repaired %d tasks; %d jobs wait, and %d did before", repaired, jobs, waiting)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// People are told the instant at which the step is woken, as long as that is to come.
func TestTaskTellsWhenAStepIsWoken(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.fail(b.claim(id, "top"), false)
	b.exec(`UPDATE public.tasker_workflow_steps SET backoff_request_seconds = 300 WHERE task_id = $1`, id)
	if top := b.step(id, "top"); top.WokenAt == nil || top.DueAt == nil || top.WokenAt.Before(*top.DueAt) || top.WokenAt.Sub(*top.DueAt) > 10*time.Second {
		t.Errorf("due at %v, woken at %v", top.DueAt, top.WokenAt)
	}
	b.passBackoff()
	if top := b.step(id, "top"); top.WokenAt != nil || top.Readiness != engine.Ready {
		t.Errorf("%s, woken at %v", top.Readiness, top.WokenAt)
	}
	if left := b.step(id, "left"); left.WokenAt != nil {
		t.Errorf("a step that waits for its parent is woken at %v", left.WokenAt)
	}
}
