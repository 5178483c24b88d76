package sql_test

import (
	"fmt"
	"testing"
)

// The states in which River's job of a step may be. None stands for no job at all.
var jobStates = []string{
	"none", "available", "available, far away", "running by a live worker", "running by a live worker for long", "running by nobody",
	"scheduled", "retryable", "pending", "completed", "cancelled", "discarded",
}

// Whatever River's job says, the step row decides: after a look of the sweep, a step that is ready has a job that a worker
// will fetch, and a step that is not has none that would change it.
func TestSweepGivesEveryReadyStepAJobThatWillRunWhateverStateItsJobIsIn(t *testing.T) {
	t.Parallel()
	for step, row := range map[string]struct {
		prepare string
		ready   bool
	}{
		"never ran": {prepare: `SELECT 1`, ready: true},
		"failed, and its backoff is over": {ready: true, prepare: `
			WITH one AS (UPDATE public.tasker_workflow_steps SET attempts = 1, last_attempted_at = now() AT TIME ZONE 'UTC' - interval '1 hour' RETURNING workflow_step_id)
			INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, from_state, sort_key, most_recent, created_at, updated_at)
			SELECT workflow_step_id, s.state, 'pending', s.key, s.key = 20, now() AT TIME ZONE 'UTC' - interval '1 hour', now()
			FROM one, (VALUES ('in_progress', 10), ('error', 20)) AS s (state, key)`},
		"backs off": {prepare: `
			WITH one AS (UPDATE public.tasker_workflow_steps SET attempts = 1, backoff_request_seconds = 300, last_attempted_at = now() AT TIME ZONE 'UTC' - interval '1 minute' RETURNING workflow_step_id)
			INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, from_state, sort_key, most_recent, created_at, updated_at)
			SELECT workflow_step_id, s.state, 'pending', s.key, s.key = 20, now() AT TIME ZONE 'UTC' - interval '1 minute', now()
			FROM one, (VALUES ('in_progress', 10), ('error', 20)) AS s (state, key)`},
		"claimed by a live worker": {prepare: `
			WITH one AS (UPDATE public.tasker_workflow_steps SET attempts = 1, in_process = true, last_attempted_at = now() AT TIME ZONE 'UTC' - interval '1 hour' RETURNING workflow_step_id)
			INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, from_state, metadata, sort_key, most_recent, created_at, updated_at)
			SELECT workflow_step_id, 'in_progress', 'pending', jsonb_build_object('worker', '` + worker + `'), 10, true, now(), now() FROM one`},
	} {
		for _, job := range jobStates {
			t.Run(step+", job "+job, func(t *testing.T) {
				t.Parallel()
				sweepWithJob(t, row.prepare, job, row.ready)
			})
		}
	}
}

const oneStepYAML = `
name: one
namespace_name: test
version: 1.0.0
step_templates:
  - {name: work, handler_class: Work}
`

func sweepWithJob(t *testing.T, prepare, job string, ready bool) {
	t.Helper()
	b := setup(t, oneStepYAML)
	b.create("one")
	b.exec(prepare)
	b.exec(`DELETE FROM tasker.river_job`)
	if job != "none" {
		b.putJob(job)
	}
	if _, err := b.store.Sweep(t.Context(), 0, 50, 0, 0); err != nil {
		t.Fatal(err)
	}
	var will int
	err := b.pool.QueryRow(t.Context(), `SELECT count(*) FROM tasker.river_job
		WHERE kind = 'tasker_step' AND state = 'available' AND scheduled_at <= now() + interval '1 second'`).Scan(&will)
	if err != nil {
		t.Fatal(err)
	}
	// A job of a live worker that has just fetched it is on its way to the claim.
	onItsWay := job == "running by a live worker"
	if want := ready && !onItsWay; (will == 1) != want && (ready || job != "available" || will != 1) {
		t.Errorf("%d jobs that will run now, want one: %t", will, want)
	}
}

// putJob inserts the job of the only step, as it would be for the step's present state.
func (b bundle) putJob(job string) {
	b.t.Helper()
	state, attempted, client, scheduled := job, "NULL", "NULL", "now()"
	switch job {
	case "available, far away":
		state, scheduled = "available", "now() + interval '1 hour'"
	case "running by a live worker":
		state, attempted, client = "running", "now()", "'{client}'"
	case "running by a live worker for long":
		state, attempted, client = "running", "now() - interval '2 minutes'", "'{client}'"
	case "running by nobody":
		state, attempted, client = "running", "now()", "'{gone}'"
	case "scheduled":
		scheduled = "now() + interval '1 hour'"
	}
	finalized := "NULL"
	if state == "completed" || state == "cancelled" || state == "discarded" {
		finalized = "now()"
	}
	b.exec(fmt.Sprintf(`INSERT INTO tasker.river_job (kind, args, queue, max_attempts, state, attempted_at, attempted_by, scheduled_at, finalized_at, unique_key, unique_states)
		SELECT 'tasker_step', jsonb_build_object('task_id', s.task_id, 'step_id', s.workflow_step_id, 'handler', 'Work'), 'default', 25, '%s', %s, %s, %s, %s,
			convert_to('step:' || s.workflow_step_id || ':' || coalesce((
				SELECT t.id FROM public.tasker_workflow_step_transitions t WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent), 0), 'UTF8'), B'11110001'
		FROM public.tasker_workflow_steps s`, state, attempted, client, scheduled, finalized))
}
