package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

const fanYAML = `name: fan
namespace_name: test
version: 1.0.0
step_templates:
  - {name: root, handler_class: H}
  - {name: a, handler_class: H, depends_on_step: root}
  - {name: b, handler_class: H, depends_on_step: root}
  - {name: c, handler_class: H, depends_on_steps: [root]}
  - {name: last, handler_class: H, depends_on_steps: [a, b, c]}
`

// opened returns a task of fan whose root is done, with the step a claimed and jobs for b and c.
func opened(b bundle) (task int64, a *engine.Attempt) {
	b.t.Helper()
	task = b.create("fan")
	b.succeed(b.take(task, "root"))
	return task, b.take(task, "a")
}

// take claims a step as River would: its job is gone, and so is the one that started the task.
func (b bundle) take(task int64, name string) *engine.Attempt {
	b.t.Helper()
	b.exec(`DELETE FROM tasker.river_job WHERE kind = 'tasker_tick' OR (args ->> 'step_id')::bigint = $1`, b.step(task, name).StepID)
	return b.claim(task, name)
}

// TestTakenFromTheQueue: a step that opened nothing is followed by the one that River would have given to the same room.
func TestTakenFromTheQueue(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before     string // what somebody does before the finish
		next, jobs string
	}{
		"the head of the queue":         {next: "b", jobs: "[c]"},
		"an older job of another":       {before: `UPDATE tasker.river_job SET queue = 'default', priority = 2, scheduled_at = now() - interval '1 day' WHERE kind = 'tasker_tick'`, jobs: "[b c]"},
		"a more urgent one":             {before: `UPDATE tasker.river_job SET queue = 'default', priority = 1 WHERE kind = 'tasker_tick'`, jobs: "[b c]"},
		"a later one is not waited for": {before: `UPDATE tasker.river_job SET queue = 'default', priority = 3 WHERE kind = 'tasker_tick'`, next: "b", jobs: "[c]"},
		"another queue":                 {before: `UPDATE tasker.river_job SET queue = 'other' WHERE kind = 'tasker_step'`, jobs: "[b c]"},
		"a job that River has":          {before: `UPDATE tasker.river_job SET state = 'running' WHERE kind = 'tasker_step'`, jobs: "[]"},
		"a retry that is not due":       {before: `UPDATE tasker.river_job SET scheduled_at = now() + interval '1 hour' WHERE kind = 'tasker_step'`, jobs: "[b c]"},
		"a handler of others":           {before: `UPDATE tasker.river_job SET args = args || '{"handler": "X"}' WHERE kind = 'tasker_step'`, jobs: "[b c]"},
		"a worker that was reaped":      {before: `DELETE FROM tasker.workers`, jobs: "[b c]"},
		"a step that somebody cancelled": {
			before: `SELECT tasker.transition_step(s.workflow_step_id, 'cancelled', '{}') FROM public.tasker_workflow_steps s
				JOIN public.tasker_named_steps n USING (named_step_id) WHERE n.name = 'b'`,
			jobs: "[c]", // and that of b, which is of no use: its step has moved on
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serving(t, fanYAML)
			id, a := opened(b)
			b.create("fan") // its start waits in the queue, too
			b.exec(`UPDATE tasker.river_job SET queue = 'ticks' WHERE kind = 'tasker_tick'`)
			if row.before != "" {
				b.exec(row.before)
			}
			recorded := b.finishAll(sql.SkipLocked, outcome(a))[0]
			if got := spellNext(recorded); got != row.next || recorded.Status != engine.StatusRecorded {
				t.Errorf("%s, and then %q, want %q", recorded.Status, got, row.next)
			}
			if got := fmt.Sprint(b.jobs(id)); got != row.jobs {
				t.Errorf("jobs for %s are left, want %s", got, row.jobs)
			}
			sqltest.CheckInvariants(t, b.pool, false)
		})
	}
}

// TestTakenTogether: finishes of one statement take different steps, which share the dependencies of those that completed.
func TestTakenTogether(t *testing.T) {
	t.Parallel()
	b := serving(t, strings.Replace(fanYAML, "  - {name: last", "  - {name: d, handler_class: H, depends_on_step: root}\n  - {name: last", 1))
	id, a := opened(b)
	var names []string
	for i, recorded := range b.finishAll(sql.SkipLocked, outcome(a), outcome(b.take(id, "b"))) {
		next := recorded.Next
		if next == nil || !next.SharesParents || next.Dependencies != nil || next.Step.Attempt != 1 || next.Handler.Name != "H" {
			t.Fatalf("finish %d was followed by %+v", i, next)
		}
		names = append(names, next.Step.Name)
	}
	if diff := cmp.Diff([]string{"c", "d"}, names); diff != "" {
		t.Errorf("steps that followed (-want +got):\n%s", diff)
	}
	if jobs := queryAll[string](b, `SELECT args::text FROM tasker.river_job`); len(jobs) > 0 {
		t.Errorf("jobs %s are left", jobs)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

// TestTakenAgain: the answer was lost with the connection, and the same finish gets the same claim.
func TestTakenAgain(t *testing.T) {
	t.Parallel()
	b := serving(t, fanYAML)
	id, a := opened(b)
	first := b.finishAll(sql.SkipLocked, outcome(a))[0].Next
	again := b.finishAll(sql.SkipLocked, outcome(a))[0].Next
	if first == nil || again == nil || first.Token != again.Token {
		t.Fatalf("claims %+v and %+v", first, again)
	}
	if again.SharesParents || len(again.Dependencies) != 1 || again.Dependencies[0].Name != "root" {
		t.Errorf("dependencies %+v", again.Dependencies)
	}
	if diff := cmp.Diff([]string{"c"}, b.jobs(id)); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}
