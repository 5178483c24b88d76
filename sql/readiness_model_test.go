package sql_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/engine"
)

// TestReadinessInSQLIsTheRuleInGo puts a step and its parent into random conditions and asks both.
func TestReadinessInSQLIsTheRuleInGo(t *testing.T) {
	t.Parallel()
	b := setup(t, "name: pair\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n  - {name: parent, handler_class: H}\n  - {name: child, handler_class: H, depends_on_step: parent}\n")
	task := b.create("pair")
	parent, child := b.step(task, "parent").StepID, b.step(task, "child").StepID
	states := []engine.State{engine.Pending, engine.InProgress, engine.Complete, engine.Error, engine.Cancelled, engine.ResolvedManually}

	rapid.Check(t, func(rt *rapid.T) {
		parentState := rapid.SampledFrom(states).Draw(rt, "parent")
		row := engine.StepRow{
			State:     rapid.SampledFrom(states).Draw(rt, "state"),
			Attempts:  rapid.IntRange(0, 6).Draw(rt, "attempts"),
			Limit:     rapid.IntRange(0, 5).Draw(rt, "limit"),
			Retryable: rapid.Bool().Draw(rt, "retryable"),
			Processed: rapid.Bool().Draw(rt, "processed"),
			InProcess: rapid.Bool().Draw(rt, "in_process"),
			Backoff:   time.Duration(rapid.IntRange(-1, 40).Draw(rt, "backoff")) * time.Second,
		}
		failedAgo, attemptedAgo := rapid.IntRange(0, 40).Draw(rt, "failed ago"), rapid.IntRange(-1, 40).Draw(rt, "attempted ago")
		row.ParentsDone = parentState.Done()

		got, want := askBoth(rt, b, task, parent, child, parentState, row, failedAgo, attemptedAgo)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("%+v, failed %ds ago, attempted %ds ago (-Go +SQL):\n%s", row, failedAgo, attemptedAgo, diff)
		}
	})
}

// askBoth writes the rows in one transaction, in which now() stands still, and rolls it back.
func askBoth(rt *rapid.T, b bundle, task, parent, child int64, parentState engine.State, row engine.StepRow, failedAgo, attemptedAgo int) (got, want string) {
	ctx := b.t.Context()
	tx, err := b.pool.Begin(ctx)
	if err != nil {
		rt.Fatal(err)
	}
	defer tx.Rollback(ctx)
	exec := func(statement string, args ...any) {
		if _, err := tx.Exec(ctx, statement, args...); err != nil {
			rt.Fatal(err)
		}
	}
	var now time.Time
	if err := tx.QueryRow(ctx, `SELECT now() AT TIME ZONE 'UTC'`).Scan(&now); err != nil {
		rt.Fatal(err)
	}
	for id, state := range map[int64]engine.State{parent: parentState, child: row.State} {
		exec(`INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, sort_key, most_recent, created_at, updated_at)
			VALUES ($1, $2, 10, true, $3, $3)`, id, state, now.Add(-time.Duration(failedAgo)*time.Second))
	}
	if attemptedAgo >= 0 {
		row.LastAttempted = now.Add(-time.Duration(attemptedAgo) * time.Second)
	}
	row.LastFailed = now.Add(-time.Duration(failedAgo) * time.Second)
	exec(`UPDATE public.tasker_workflow_steps SET attempts = $2, retry_limit = $3, retryable = $4, processed = $5, in_process = $6,
		last_attempted_at = CASE WHEN $7 THEN NULL ELSE $8::timestamp END, backoff_request_seconds = nullif($9, -1) WHERE workflow_step_id = $1`,
		child, row.Attempts, row.Limit, row.Retryable, row.Processed, row.InProcess,
		row.LastAttempted.IsZero(), row.LastAttempted, int(row.Backoff/time.Second))

	var readiness string
	var due *time.Time
	if err := tx.QueryRow(ctx, `SELECT readiness, CASE WHEN readiness = 'backing_off' THEN due_at END FROM tasker.step_readiness($1, ARRAY[$2]::bigint[])`,
		task, child).Scan(&readiness, &due); err != nil {
		rt.Fatal(err)
	}
	wanted, wantedDue := row.Readiness(now)
	return spell(readiness, due), spell(string(wanted), &wantedDue)
}

func spell(readiness string, due *time.Time) string {
	if due == nil || due.IsZero() {
		return readiness
	}
	return fmt.Sprintf("%s until %s", readiness, due.UTC().Format(time.TimeOnly))
}
