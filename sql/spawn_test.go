package sql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

// mapYAML is a step whose number of workers nobody knows before, with what comes before, beside and after it.
const mapYAML = `
name: map
namespace_name: test
version: 1.0.0
priority: 3
step_templates:
  - {name: load, handler_class: H, dependent_system: shop}
  - {name: split, handler_class: H, dependent_system: shop, queue: wide, depends_on_step: load}
  - {name: beside, handler_class: H, depends_on_step: load}
  - {name: reduce, handler_class: H, depends_on_step: split}
  - {name: report, handler_class: H, depends_on_step: reduce}
`

// added is a step of that name that a handler adds.
func added(name string, parents ...string) engine.SpawnedStep {
	return engine.SpawnedStep{Name: name, Handler: "H", DependsOn: parents, Retryable: true, RetryLimit: 3}
}

// workers are so many steps side by side.
func workers(n int) []engine.SpawnedStep {
	steps := make([]engine.SpawnedStep, n)
	for i := range steps {
		steps[i] = added(fmt.Sprintf("w%d", i))
	}
	return steps
}

// splitting returns a task of mapYAML and its step split, claimed.
func (b bundle) splitting() (int64, *engine.Attempt) {
	b.t.Helper()
	id := b.create("map")
	b.succeed(b.claim(id, "load"))
	return id, b.claim(id, "split")
}

// spawn finishes an attempt that adds steps.
func (b bundle) spawn(a *engine.Attempt, steps ...engine.SpawnedStep) (engine.FinishResult, error) {
	b.t.Helper()
	f := outcome(a)
	f.Queue, f.Spawned = "wide", steps
	return b.store.FinishWithSideEffects(b.t.Context(), worker, f)
}

func (b bundle) mustSpawn(a *engine.Attempt, steps ...engine.SpawnedStep) engine.FinishResult {
	b.t.Helper()
	recorded, err := b.spawn(a, steps...)
	if err != nil || recorded.Status != engine.StatusRecorded {
		b.t.Fatalf("the finish was %s, %v", recorded.Status, err)
	}
	return recorded
}

// edges lists a task's edges as "parent child", by name.
func (b bundle) edges(task int64) []string {
	b.t.Helper()
	return queryAll[string](b, `SELECT fn.name || ' ' || tn.name FROM public.tasker_workflow_step_edges e
		JOIN public.tasker_workflow_steps f ON f.workflow_step_id = e.from_step_id JOIN public.tasker_named_steps fn ON fn.named_step_id = f.named_step_id
		JOIN public.tasker_workflow_steps t ON t.workflow_step_id = e.to_step_id JOIN public.tasker_named_steps tn ON tn.named_step_id = t.named_step_id
		WHERE f.task_id = $1 AND t.task_id = $1 ORDER BY 1`, task)
}

// drive claims and completes steps of the task until none is ready, and returns their names in that order.
func (b bundle) drive(task int64) []string {
	b.t.Helper()
	var names []string
	for {
		ready := queryAll[string](b, `SELECT name FROM tasker.step_readiness($1) WHERE readiness = 'ready' ORDER BY workflow_step_id LIMIT 1`, task)
		if len(ready) == 0 {
			return names
		}
		b.succeed(b.claim(task, ready[0]))
		names = append(names, ready[0])
	}
}

func TestSpawnedStepIsAStepLikeAnyOther(t *testing.T) {
	t.Parallel()
	b := setup(t, mapYAML)
	id, split := b.splitting()
	own := added("one", "split")
	own.Handler, own.Config, own.Inputs = "Shop::Work", json.RawMessage(`{"timeout_seconds": 5}`), json.RawMessage(`{"part": 1}`)
	own.TimeoutMs, own.Retryable, own.RetryLimit = 5000, false, 7
	b.mustSpawn(split, own, added("two", "one", "load"))

	got := b.step(id, "one")
	if got.Handler != "Shop::Work" || got.Queue != "wide" || got.Limit != 7 || got.Readiness != engine.Ready || !slices.Equal(got.DependsOn, []string{"split"}) {
		t.Errorf("the step is %+v", got)
	}
	a := b.claim(id, "one")
	if a.Handler.Name != "Shop::Work" || string(a.Handler.Config) != `{"timeout_seconds": 5}` || a.Handler.Timeout.Seconds() != 5 ||
		string(a.Step.Inputs) != `{"part": 1}` || a.Step.MaxAttempts != 7 {
		t.Errorf("its handler gets %+v and %+v", a.Handler, a.Step)
	}
	if string(b.claimAfter(a, "two").Step.Inputs) != `{"n": 1}` {
		t.Error("inputs that nobody gave are no copy of the context")
	}
	want := []string{"load beside", "load split", "load two", "one two", "reduce report", "split one", "split reduce", "split two", "two reduce"}
	if diff := cmp.Diff(want, b.edges(id)); diff != "" {
		t.Errorf("edges (-want +got):\n%s", diff)
	}
	catalogue := queryAll[string](b, `SELECT concat_ws(' ', n.name, d.name, j.default_retryable, j.default_retry_limit, s.retryable, s.skippable, s.attempts)
		FROM public.tasker_workflow_steps s JOIN public.tasker_named_steps n USING (named_step_id) JOIN public.tasker_dependent_systems d USING (dependent_system_id)
		JOIN public.tasker_tasks k USING (task_id) JOIN public.tasker_named_tasks_named_steps j ON j.named_task_id = k.named_task_id AND j.named_step_id = s.named_step_id
		WHERE s.task_id = $1 AND n.name IN ('one', 'two') ORDER BY 1`, id)
	if diff := cmp.Diff([]string{"one shop f 7 f f 1", "two shop t 3 t f 1"}, catalogue); diff != "" {
		t.Errorf("catalogue (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

// claimAfter completes an attempt and claims a step that it made ready.
func (b bundle) claimAfter(a *engine.Attempt, name string) *engine.Attempt {
	b.t.Helper()
	b.succeed(a)
	return b.claim(a.Task.ID, name)
}

func TestSpawnedStepsComeBetweenTheirSpawnerAndItsChildren(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		steps []engine.SpawnedStep
		edges []string // that end at reduce
		order []string // in which the rest runs
	}{
		"none":         {nil, []string{"split"}, []string{"beside", "reduce", "report"}},
		"side by side": {workers(3), []string{"split", "w0", "w1", "w2"}, []string{"beside", "w0", "w1", "w2", "reduce", "report"}},
		"in a row":     {[]engine.SpawnedStep{added("b", "a"), added("a")}, []string{"b", "split"}, []string{"beside", "a", "b", "reduce", "report"}},
		"behind a sibling": {
			[]engine.SpawnedStep{added("a", "beside")}, []string{"a", "split"}, []string{"beside", "a", "reduce", "report"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, mapYAML)
			id, split := b.splitting()
			b.mustSpawn(split, row.steps...)
			var edges []string
			for _, edge := range b.edges(id) {
				if parent, ok := strings.CutSuffix(edge, " reduce"); ok {
					edges = append(edges, parent)
				}
			}
			if diff := cmp.Diff(row.edges, edges); diff != "" {
				t.Errorf("parents of reduce (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.order, b.drive(id)); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			if state := b.task(id).State; state != engine.Complete {
				t.Errorf("the task is %s", state)
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

func TestTaskGoesOnWithWhatItsLastStepSpawns(t *testing.T) {
	t.Parallel()
	b := setup(t, pairYAML)
	id := b.create("pair")
	b.succeed(b.claim(id, "parent"))
	if state := b.mustSpawn(b.claim(id, "child"), workers(2)...).TaskState; state.TaskEnded() {
		t.Errorf("the task is %s", state)
	}
	if diff := cmp.Diff([]string{"w0", "w1"}, b.drive(id)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestReadyStepsOfATaskWhoseStepsWaitForYoungerOnes(t *testing.T) {
	t.Parallel()
	b := setup(t, mapYAML)
	id, split := b.splitting()
	// Enough are open at any time to be read as one range of ids.
	const n = 30
	steps := append(workers(n), added("join"))
	for i := range n {
		steps[n].DependsOn = append(steps[n].DependsOn, steps[i].Name)
		steps = append(steps, added(fmt.Sprintf("beyond%d", i), "join"))
	}
	slices.Reverse(steps) // so that each waits for steps with larger ids
	b.mustSpawn(split, steps...)
	for i := range n {
		b.agreeOnReady(id)
		b.succeed(b.claim(id, fmt.Sprintf("w%d", i)))
	}
	b.agreeOnReady(id)
	b.succeed(b.claim(id, "join"))
	b.agreeOnReady(id)
	if got := b.drive(id); len(got) != n+3 || got[n+1] != "reduce" {
		t.Errorf("then ran %v", got)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

// agreeOnReady checks that both ways to find the ready steps of a task find the same.
func (b bundle) agreeOnReady(task int64) {
	b.t.Helper()
	inTransaction(b.t, b.pool, func(tx pgx.Tx) {
		if diff, ready, err := readyDifference(b.t.Context(), tx, []int64{task}); diff != "" || ready == 0 || err != nil {
			b.t.Errorf("%d steps are ready, %v (-rules +found):\n%s", ready, err, diff)
		}
	})
}

func TestSpawnedStepSpawnsInItsTurn(t *testing.T) {
	t.Parallel()
	b := setup(t, mapYAML)
	id, split := b.splitting()
	b.mustSpawn(split, added("a"), added("b"))
	b.mustSpawn(b.claim(id, "a"), added("a1"), added("a2", "a1", "b"))
	if diff := cmp.Diff([]string{"beside", "b", "a1", "a2", "reduce", "report"}, b.drive(id)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestFinishHandsASpawnedStepOverAndQueuesTheOthers(t *testing.T) {
	t.Parallel()
	b := serving(t, mapYAML)
	id, split := b.splitting()
	steps := workers(3)
	steps[0].Config, steps[0].Inputs = json.RawMessage(`{"k": 1}`), json.RawMessage(`{"part": 0}`)
	next := b.mustSpawn(split, steps...).Next
	if next == nil || next.Step.Name != "w0" || next.Handler.Name != "H" || string(next.Handler.Config) != `{"k": 1}` ||
		string(next.Step.Inputs) != `{"part": 0}` || next.Dependencies != nil {
		t.Fatalf("handed over %+v", next)
	}
	if diff := cmp.Diff([]string{"beside", "w1", "w2"}, b.jobs(id)); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	queues := queryAll[string](b, `SELECT DISTINCT concat_ws(' ', j.queue, j.priority, j.args ->> 'handler') FROM tasker.river_job j
		JOIN tasker.spawned_steps sp ON sp.workflow_step_id = (j.args ->> 'step_id')::bigint`)
	if diff := cmp.Diff([]string{"wide 3 H"}, queues); diff != "" {
		t.Errorf("queue, priority and handler of the jobs (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestSpawnIsRecordedOnceWhateverGetsLost(t *testing.T) {
	t.Parallel()
	b := serving(t, mapYAML)
	id, split := b.splitting()
	first := b.mustSpawn(split, workers(2)...)
	again := b.mustSpawn(split, workers(2)...)
	if again.Next == nil || again.Next.Token != first.Next.Token {
		t.Errorf("the same finish hands over %+v, then %+v", first.Next, again.Next)
	}
	if n := len(b.task(id).Steps); n != 7 {
		t.Errorf("the task has %d steps", n)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestOnlyTheAttemptThatSucceedsSpawns(t *testing.T) {
	t.Parallel()
	b := setup(t, mapYAML)
	id, lost := b.splitting()
	b.exec(`SELECT tasker.expire_claims($1, 'lease_expired')`, worker)
	if recorded, err := b.spawn(lost, workers(2)...); err != nil || recorded.Status != engine.StatusStale {
		t.Errorf("the lost attempt's finish: %s, %v", recorded.Status, err)
	}
	if err := b.store.CheckSpawn(t.Context(), lost, workers(2)); !errors.Is(err, engine.ErrClaimLost) {
		t.Errorf("the lost attempt asks: %v", err)
	}
	failed := failure(b.claim(id, "split"), false)
	failed.Spawned = workers(2)
	if _, err := b.store.FinishWithSideEffects(t.Context(), worker, failed); err != nil {
		t.Fatal(err)
	}
	b.passBackoff()
	if n := queryAll[int](b, `SELECT count(*) FROM tasker.spawned_steps`)[0]; n != 0 {
		t.Fatalf("%d steps were added", n)
	}
	b.mustSpawn(b.claim(id, "split"), workers(2)...)
	if diff := cmp.Diff([]string{"beside", "w0", "w1", "reduce", "report"}, b.drive(id)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

// everything is what a spawn may write, as one text.
func (b bundle) everything() string {
	b.t.Helper()
	return strings.Join(queryAll[string](b, `SELECT concat_ws(' ', (SELECT count(*) FROM public.tasker_named_steps), (SELECT count(*) FROM public.tasker_named_tasks_named_steps),
		(SELECT count(*) FROM public.tasker_workflow_steps), (SELECT count(*) FROM public.tasker_workflow_step_edges), (SELECT count(*) FROM tasker.spawned_steps),
		(SELECT count(*) FROM public.tasker_workflow_step_transitions), (SELECT count(*) FROM tasker.river_job))`), "")
}

func TestStepsThatDoNotFitTheTaskAreRefusedAndLeaveNothing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		steps  []engine.SpawnedStep
		before string
		want   string
	}{
		"a name that is taken":     {[]engine.SpawnedStep{added("fine"), added("reduce")}, "", `step "reduce": the task has a step of this name already`},
		"its own name":             {[]engine.SpawnedStep{added("split")}, "", `step "split": the task has a step of this name already`},
		"an unknown parent":        {[]engine.SpawnedStep{added("fine"), added("a", "nobody")}, "", `step "a" depends on "nobody", which is no step of the task`},
		"a child as a parent":      {[]engine.SpawnedStep{added("a", "reduce")}, "", `step "a" depends on "reduce", which waits for it in turn`},
		"a grandchild as a parent": {[]engine.SpawnedStep{added("a", "report")}, "", `step "a" depends on "report", which waits for it in turn`},
		"before too many children": {
			workers(100), `INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
			SELECT from_step_id, to_step_id, 'provides', now(), now() FROM public.tasker_workflow_step_edges, generate_series(1, 100)`,
			"depend on others 10200 times, more than the 10000 allowed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, mapYAML)
			_, split := b.splitting()
			b.exec(row.before)
			before := b.everything()
			if err := b.store.CheckSpawn(t.Context(), split, row.steps); !errors.Is(err, engine.ErrInvalidRequest) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("asked before: %v, want %q", err, row.want)
			}
			if _, err := b.spawn(split, row.steps...); !errors.Is(err, engine.ErrDataRejected) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("with the result: %v, want %q", err, row.want)
			}
			if after := b.everything(); after != before {
				t.Errorf("there were %s rows, now %s", before, after)
			}
			b.succeed(split)
		})
	}
}

func TestTwoStepsThatSpawnAtOnceMakeNoCircle(t *testing.T) {
	t.Parallel()
	b := setup(t, `
name: twins
namespace_name: test
version: 1.0.0
step_templates:
  - {name: a, handler_class: H}
  - {name: b, handler_class: H}
  - {name: after_a, handler_class: H, depends_on_step: a}
  - {name: after_b, handler_class: H, depends_on_step: b}
`)
	id := b.create("twins")
	first, second := b.claim(id, "a"), b.claim(id, "b")
	behindB, behindA := added("x", "after_b"), added("y", "after_a")
	for a, step := range map[*engine.Attempt]engine.SpawnedStep{first: behindB, second: behindA} {
		if err := b.store.CheckSpawn(t.Context(), a, []engine.SpawnedStep{step}); err != nil {
			t.Fatal(err)
		}
	}
	b.mustSpawn(first, behindB)
	if _, err := b.spawn(second, behindA); !errors.Is(err, engine.ErrDataRejected) {
		t.Errorf("the second finish: %v", err)
	}
	b.succeed(second)
	if diff := cmp.Diff([]string{"after_b", "x", "after_a"}, b.drive(id)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestSpawnedStepKeepsItsHandlerWhateverTheTemplateSaysLater(t *testing.T) {
	t.Parallel()
	b := setup(t, mapYAML)
	id, split := b.splitting()
	b.mustSpawn(split, added("extra"))
	template, _, err := templates.Parse("test.yaml", []byte(mapYAML+"  - {name: extra, handler_class: Other, handler_config: {k: 1}, dependent_system: shop}\n"), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.SyncTemplates(t.Context(), []*templates.Template{template}, true); err != nil {
		t.Fatal(err)
	}
	if got := b.claim(id, "extra").Handler; got.Name != "H" || got.Config != nil {
		t.Errorf("it is run by %+v", got)
	}
}

func TestFailedSpawnedStepIsRetriedAndEndsTheTaskAtLast(t *testing.T) {
	t.Parallel()
	b := setup(t, mapYAML)
	id, split := b.splitting()
	flaky := added("flaky")
	flaky.RetryLimit = 2
	b.mustSpawn(split, flaky)
	if recorded := b.fail(b.claim(id, "flaky"), false); recorded.Due.Queue != "wide" {
		t.Errorf("the retry is due in queue %q", recorded.Due.Queue)
	}
	b.passBackoff()
	b.fail(b.claim(id, "flaky"), false)
	if diff := cmp.Diff([]string{"beside"}, b.drive(id)); diff != "" {
		t.Errorf("what ran after it (-want +got):\n%s", diff)
	}
	if task := b.task(id); task.State != engine.Error || !strings.Contains(string(task.StateDetail), "flaky") {
		t.Errorf("the task is %s: %s", task.State, task.StateDetail)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}
