package sql_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

const diamondYAML = `
name: diamond
namespace_name: test
version: 1.0.0
step_templates:
  - {name: top, handler_class: H}
  - {name: left, handler_class: H, depends_on_step: top, default_retry_limit: 2}
  - {name: right, handler_class: H, depends_on_step: top, handler_config: {timeout_seconds: 5, weight: 1.50}}
  - {name: bottom, handler_class: H, depends_on_steps: [left, right]}
`

// worker is the id that tests claim under.
const worker = "0b8f3c6e-0000-4000-8000-000000000001"

// bundle is a migrated database with the templates of a test.
type bundle struct {
	t     *testing.T
	pool  *pgxpool.Pool
	store *sql.Store
}

func setup(t *testing.T, documents ...string) bundle {
	t.Helper()
	pool := sqltest.New(t)
	b := bundle{t, pool, sql.NewStore(pool)}
	var all []*templates.Template
	for _, document := range documents {
		template, _, err := templates.Parse("test.yaml", []byte(document), templates.Options{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, template)
	}
	if _, err := b.store.SyncTemplates(t.Context(), all, false); err != nil {
		t.Fatal(err)
	}
	if err := b.store.RegisterWorker(t.Context(), sql.Worker{ID: worker, ClientID: "client", Name: "test", Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	return b
}

// create creates a task of test/NAME@1.0.0 and ticks it.
func (b bundle) create(name string) int64 {
	b.t.Helper()
	id, err := b.store.CreateTask(b.t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: name, Version: "1.0.0", Context: json.RawMessage(`{"n": 1}`)})
	if err != nil {
		b.t.Fatal(err)
	}
	b.tick(id)
	return id
}

func (b bundle) tick(id int64) sql.TickResult {
	b.t.Helper()
	results, err := b.store.Tick(b.t.Context(), []int64{id}, false)
	if err != nil {
		b.t.Fatal(err)
	}
	return results[0]
}

func (b bundle) task(id int64) *sql.Task {
	b.t.Helper()
	task, err := b.store.Task(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return task
}

func (b bundle) step(task int64, name string) sql.Step {
	b.t.Helper()
	steps := b.task(task).Steps
	i := slices.IndexFunc(steps, func(s sql.Step) bool { return s.Name == name })
	if i < 0 {
		b.t.Fatalf("task %d has no step %s", task, name)
	}
	return steps[i]
}

// claim claims a step that must be ready.
func (b bundle) claim(task int64, name string) *engine.Attempt {
	b.t.Helper()
	claims, err := b.store.Claim(b.t.Context(), worker, []engine.Wish{{StepID: b.step(task, name).StepID}})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(claims) != 1 || claims[0].Status != engine.Claimed {
		b.t.Fatalf("claiming %s: %+v", name, claims)
	}
	return claims[0].Attempt
}

func (b bundle) finish(f engine.Finish) engine.Recorded {
	b.t.Helper()
	f.Metadata = json.RawMessage(`{}`)
	recorded, err := b.store.Finish(b.t.Context(), []engine.Finish{f})
	if err != nil {
		b.t.Fatal(err)
	}
	return recorded[0]
}

func (b bundle) succeed(a *engine.Attempt) engine.Recorded {
	b.t.Helper()
	return b.finish(engine.Finish{StepID: a.Step.ID, Token: a.Token, Succeeded: true, Result: fmt.Appendf(nil, `{"from": %q}`, a.Step.Name)})
}

func (b bundle) fail(a *engine.Attempt, permanent bool) engine.Recorded {
	b.t.Helper()
	return b.finish(engine.Finish{StepID: a.Step.ID, Token: a.Token, Permanent: permanent, Result: json.RawMessage(`{"error": "no", "error_class": "E", "backtrace": ""}`)})
}

// passBackoff moves everything that a retry waits for into the past.
func (b bundle) passBackoff() {
	b.t.Helper()
	b.exec(`UPDATE tasker_workflow_step_transitions SET created_at = created_at - interval '10 minutes'`)
	b.exec(`UPDATE tasker_workflow_steps SET last_attempted_at = last_attempted_at - interval '10 minutes'`)
}

func (b bundle) exec(statement string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(b.t.Context(), statement, args...); err != nil {
		b.t.Fatal(err)
	}
}

func queryAll[T any](b bundle, query string, args ...any) []T {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), query, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// states maps step names to state and attempts.
func (b bundle) states(task int64) map[string]string {
	b.t.Helper()
	states := make(map[string]string)
	for _, s := range b.task(task).Steps {
		states[s.Name] = fmt.Sprintf("%s %d", s.State, s.Attempts)
	}
	return states
}

func TestTaskRunsToItsEndInTheOrderOfItsGraph(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")

	b.succeed(b.claim(id, "top"))
	b.succeed(b.claim(id, "right"))
	b.succeed(b.claim(id, "left"))
	bottom := b.claim(id, "bottom")
	if recorded := b.succeed(bottom); recorded.TaskState != engine.Complete {
		t.Errorf("after the last step the task is %q", recorded.TaskState)
	}

	var dependencies []string
	for _, d := range bottom.Dependencies {
		dependencies = append(dependencies, d.Name+" "+string(d.Result))
	}
	want := []string{`left {"from": "left"}`, `right {"from": "right"}`, `top {"from": "top"}`}
	if diff := cmp.Diff(want, dependencies); diff != "" {
		t.Errorf("bottom's dependencies, parents first (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestRowsOfACompletedTaskAreTheEnginesRows(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	for _, name := range []string{"top", "left", "right", "bottom"} {
		b.succeed(b.claim(id, name))
	}

	steps := queryAll[string](b, `SELECT concat_ws(' ', n.name, s.attempts, s.retry_limit, s.retryable, 'processed', s.processed, 'in_process', s.in_process,
			'same_time', s.processed_at = s.last_attempted_at, 'backoff', s.backoff_request_seconds, s.inputs, s.results)
		FROM tasker_workflow_steps s JOIN tasker_named_steps n USING (named_step_id) WHERE s.task_id = $1 ORDER BY workflow_step_id`, id)
	if diff := cmp.Diff([]string{
		`top 1 3 t processed t in_process f same_time t backoff {"n": 1} {"from": "top"}`,
		`left 1 2 t processed t in_process f same_time t backoff {"n": 1} {"from": "left"}`,
		`right 1 3 t processed t in_process f same_time t backoff {"n": 1} {"from": "right"}`,
		`bottom 1 3 t processed t in_process f same_time t backoff {"n": 1} {"from": "bottom"}`,
	}, steps); diff != "" {
		t.Errorf("step rows (-want +got):\n%s", diff)
	}
	transitions := queryAll[string](b, `SELECT concat_ws(' ', from_state, to_state, sort_key, most_recent, created_at = updated_at OR NOT most_recent)
		FROM tasker_workflow_step_transitions ORDER BY workflow_step_id, sort_key LIMIT 2`)
	if diff := cmp.Diff([]string{"pending in_progress 10 f t", "in_progress complete 20 t t"}, transitions); diff != "" {
		t.Errorf("transitions of the first step (-want +got):\n%s", diff)
	}
	task := queryAll[string](b, `SELECT concat_ws(' ', from_state, to_state, sort_key, most_recent, metadata) FROM tasker_task_transitions ORDER BY sort_key`)
	if diff := cmp.Diff([]string{
		`pending in_progress 10 f {"initialization_completed": true, "step_dependencies_established": 4}`,
		`in_progress complete 20 t {}`,
	}, task); diff != "" {
		t.Errorf("transitions of the task (-want +got):\n%s", diff)
	}
}

func TestStepRunsOnlyWhenItIsReady(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	status := func(name string) engine.ClaimStatus {
		claims, err := b.store.Claim(t.Context(), worker, []engine.Wish{{StepID: b.step(id, name).StepID}})
		if err != nil {
			t.Fatal(err)
		}
		return claims[0].Status
	}

	if got := status("bottom"); got != engine.NotReady {
		t.Errorf("before its parents: %s", got)
	}
	b.claim(id, "top")
	if got := status("top"); got != engine.NotReady {
		t.Errorf("a second claim: %s", got)
	}
	b.exec(`SELECT tasker.transition_task($1, 'cancelled', '{}')`, id)
	if got := status("left"); got != engine.TaskClosed {
		t.Errorf("after the task was cancelled: %s", got)
	}
	claims, err := b.store.Claim(t.Context(), worker, []engine.Wish{{StepID: 1 << 60}})
	if err != nil || claims[0].Status != engine.StepGone {
		t.Errorf("a step that is not there: %v, %v", claims, err)
	}
}

func TestFailedStepIsRetriedAfterItsBackoffAndEndsTheTaskAtItsLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.succeed(b.claim(id, "top"))

	recorded := b.fail(b.claim(id, "left"), false)
	if recorded.TaskState != engine.InProgress || recorded.RetryIn < time.Second || recorded.RetryIn > 2*time.Second {
		t.Errorf("after the first failure: %+v, want a retry in two seconds", recorded)
	}
	if got := b.step(id, "left"); got.Readiness != engine.BackingOff {
		t.Errorf("left is %s", got.Readiness)
	}
	b.succeed(b.claim(id, "right")) // siblings go on
	b.passBackoff()
	if recorded := b.fail(b.claim(id, "left"), false); recorded.TaskState != engine.Error {
		t.Errorf("at its limit the task is %s", recorded.TaskState)
	}

	want := map[string]string{"top": "complete 1", "left": "error 2", "right": "complete 1", "bottom": "pending 0"}
	if diff := cmp.Diff(want, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	detail := string(b.task(id).StateDetail)
	if !strings.Contains(detail, `"reason": "blocked_by_failures"`) || !strings.Contains(detail, `"failed_steps": ["left"]`) {
		t.Errorf("the task's transition says %s", detail)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestTaskGoesOnWhileAnotherFailedStepCanStillBeRetried(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.succeed(b.claim(id, "top"))
	b.fail(b.claim(id, "right"), false)
	if recorded := b.fail(b.claim(id, "left"), true); recorded.TaskState != engine.InProgress {
		t.Errorf("the task is %s while right is backing off", recorded.TaskState)
	}
	b.passBackoff()
	if recorded := b.succeed(b.claim(id, "right")); recorded.TaskState != engine.Error {
		t.Errorf("in the end the task is %s", recorded.TaskState)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestPermanentFailureEndsTheStepForTheEngineToo(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	if recorded := b.fail(b.claim(id, "top"), true); recorded.TaskState != engine.Error {
		t.Errorf("the task is %s", recorded.TaskState)
	}
	status := queryAll[string](b, `SELECT execution_status FROM get_task_execution_context($1)`, id)
	if diff := cmp.Diff([]string{"blocked_by_failures"}, status); diff != "" {
		t.Errorf("the engine's view (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestRetryAfterIsHonouredAndBounded(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		after time.Duration
		want  []int
	}{
		"a minute":             {time.Minute, []int{60}},
		"rounded up":           {1200 * time.Millisecond, []int{2}},
		"bounded":              {time.Hour, []int{300}},
		"none: the rule's own": {0, []int{-1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			a := b.claim(b.create("diamond"), "top")
			b.finish(engine.Finish{StepID: a.Step.ID, Token: a.Token, RetryAfter: row.after, Result: json.RawMessage(`{}`)})
			got := queryAll[int](b, `SELECT coalesce(backoff_request_seconds, -1) FROM tasker_workflow_steps WHERE workflow_step_id = $1`, a.Step.ID)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("backoff_request_seconds (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFirstAttemptAlwaysRuns(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"not retryable": "default_retryable: false", "limit of none": "default_retry_limit: 0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "name: once\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n  - {name: only, handler_class: H, "+key+"}\n")
			id := b.create("once")
			if recorded := b.fail(b.claim(id, "only"), false); recorded.TaskState != engine.Error {
				t.Errorf("after the only attempt the task is %s", recorded.TaskState)
			}
			sqltest.CheckInvariants(t, b.pool, true)
		})
	}
}

func TestStaleOutcomeChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	lost := b.claim(id, "top")
	b.exec(`SELECT tasker.expire_claims($1, 'lease_expired')`, worker)
	current := b.claim(id, "top")

	if got := b.succeed(lost).Status; got != engine.StatusStale {
		t.Errorf("the lost attempt's outcome was %s", got)
	}
	if got := b.states(id)["top"]; got != "in_progress 2" {
		t.Errorf("top is %s", got)
	}
	b.succeed(current)
	if got := b.succeed(lost).Status; got != engine.StatusStale {
		t.Errorf("after the winner's result the lost attempt's outcome was %s", got)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestRecordingAgainAfterALostAnswerIsHarmless(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	a := b.claim(id, "top")
	b.succeed(a)
	if got := b.succeed(a).Status; got != engine.StatusRecorded {
		t.Errorf("the same outcome again was %s", got)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestGivenBackStepBurnsNoAttemptUntilItHappensTooOften(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	giveBack := func(limit int) engine.RecordStatus {
		a := b.claim(id, "top")
		recorded, err := b.store.GiveBack(t.Context(), []engine.Return{{StepID: a.Step.ID, Token: a.Token, Reason: "shutdown", Cap: limit}})
		if err != nil {
			t.Fatal(err)
		}
		return recorded[0].Status
	}

	for range 2 {
		if got := giveBack(2); got != engine.StatusGivenBack {
			t.Fatalf("give-back was %s", got)
		}
		if got := b.states(id)["top"]; got != "pending 0" {
			t.Errorf("top is %s", got)
		}
	}
	if got := giveBack(2); got != engine.StatusCounted {
		t.Errorf("one too many was %s", got)
	}
	if got := b.states(id)["top"]; got != "error 1" {
		t.Errorf("top is %s", got)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestStepsOfADeadWorkerComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.claim(id, "top")
	reap := func() (int, int) {
		workers, steps, err := b.store.ReapWorkers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return workers, steps
	}
	b.exec(`UPDATE tasker.workers SET lease_ms = 1`) // any test database has been up for longer

	if workers, steps := reap(); workers != 1 || steps != 1 {
		t.Errorf("reaped %d workers, %d steps", workers, steps)
	}
	if got := b.states(id)["top"]; got != "pending 1" {
		t.Errorf("top is %s", got)
	}
	if alive, err := b.store.Heartbeat(t.Context(), worker); alive || err != nil {
		t.Errorf("the reaped worker's heartbeat: %t, %v", alive, err)
	}
	if workers, steps := reap(); workers != 0 || steps != 0 {
		t.Errorf("a second time: %d workers, %d steps", workers, steps)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestConcurrentLastParentsWakeTheirChildOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	for range 20 {
		id := b.create("diamond")
		b.succeed(b.claim(id, "top"))
		attempts := []*engine.Attempt{b.claim(id, "left"), b.claim(id, "right")}
		done := make(chan error, len(attempts))
		for _, a := range attempts {
			go func() {
				_, err := b.store.Finish(context.WithoutCancel(t.Context()), []engine.Finish{{
					StepID: a.Step.ID, Token: a.Token, Succeeded: true, Result: json.RawMessage(`1`), Metadata: json.RawMessage(`{}`),
				}})
				done <- err
			}()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		jobs := queryAll[int](b, `SELECT count(*)::int FROM tasker.river_job WHERE kind = 'tasker_step' AND args ->> 'step_id' = $1::text`,
			fmt.Sprint(b.step(id, "bottom").StepID))
		if jobs[0] != 1 {
			t.Fatalf("the child got %d jobs", jobs[0])
		}
	}
}

func TestTickTwiceEnqueuesOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.tick(id)
	jobs := queryAll[int](b, `SELECT count(*)::int FROM tasker.river_job WHERE kind = 'tasker_step'`)
	if jobs[0] != 1 {
		t.Errorf("two ticks made %d jobs for one ready step", jobs[0])
	}
}

func TestPlainInsertIsDiscovered(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	b.exec(`INSERT INTO tasker_tasks (named_task_id, requested_at, context, identity_hash, created_at, updated_at)
		SELECT named_task_id, now(), '{"from": "rails"}', 'x', now(), now() FROM tasker_named_tasks`)
	id := queryAll[int64](b, `SELECT task_id FROM tasker_tasks`)[0]
	discover := func() int {
		found, err := b.store.Discover(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}

	if found := discover(); found != 1 {
		t.Fatalf("discovered %d tasks", found)
	}
	if found := discover(); found != 0 {
		t.Errorf("discovered the waiting task again: %d", found)
	}
	if got := b.tick(id); got.Status != sql.Ticked || got.State != engine.InProgress {
		t.Errorf("the tick: %+v", got)
	}
	if got := len(b.task(id).Steps); got != 4 {
		t.Errorf("the task has %d steps", got)
	}
	if a := b.claim(id, "top"); string(a.Step.Inputs) != `{"from": "rails"}` {
		t.Errorf("inputs are %s", a.Step.Inputs)
	}
}

func TestSweepRestoresLostJobs(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	b.create("diamond")
	b.exec(`DELETE FROM tasker.river_job`)
	if _, repaired, err := b.store.Sweep(t.Context(), 0, 100); repaired != 1 || err != nil {
		t.Errorf("repaired %d, %v", repaired, err)
	}
	if next, repaired, err := b.store.Sweep(t.Context(), 0, 100); next != 0 || repaired != 0 || err != nil {
		t.Errorf("a healthy system: next %d, repaired %d, %v", next, repaired, err)
	}
}

func TestTaskWithoutStepsCompletes(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	b.exec(`DELETE FROM tasker.template_steps`)
	if got := b.task(b.create("diamond")); got.State != engine.Complete || !got.Complete {
		t.Errorf("the task is %s, complete %t", got.State, got.Complete)
	}
}

func TestCancelledStepEndsTheTaskInsteadOfParkingIt(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.exec(`SELECT tasker.transition_step($1, 'cancelled', '{}')`, b.step(id, "top").StepID)
	if got := b.tick(id); got.State != engine.Error {
		t.Errorf("the task is %s", got.State)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestOutcomeThatTheDatabaseRefusesIsRejected(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	a := b.claim(b.create("diamond"), "top")
	_, err := b.store.Finish(t.Context(), []engine.Finish{{
		StepID: a.Step.ID, Token: a.Token, Succeeded: true, Result: json.RawMessage(`"\u0000"`), Metadata: json.RawMessage(`{}`),
	}})
	if !errors.Is(err, engine.ErrRejected) {
		t.Errorf("got %v", err)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestCreateTaskIsTransactional(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.CreateTask(t.Context(), tx, sql.NewTask{Namespace: "test", Name: "diamond", Version: "1.0.0"}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := queryAll[int](b, `SELECT (SELECT count(*) FROM tasker_tasks)::int + (SELECT count(*) FROM tasker_workflow_steps)::int + (SELECT count(*) FROM tasker.river_job)::int`)
	if left[0] != 0 {
		t.Errorf("a rollback left %d rows", left[0])
	}
}

func TestIdentityKeyReturnsTheSameTask(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	create := func(key string) int64 {
		id, err := b.store.CreateTask(t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: "diamond", Version: "1.0.0", IdentityKey: key})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := create("order-7")
	if again := create("order-7"); again != first {
		t.Errorf("the same key made task %d beside %d", again, first)
	}
	if other := create("order-8"); other == first {
		t.Error("another key returned the same task")
	}
	if a, b := create(""), create(""); a == b {
		t.Error("without a key tasks are one")
	}
}

func TestCreateTaskRefusesWhatATaskCannotHold(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	nested := func(levels int) string { return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels) }
	for name, row := range map[string]struct{ call, code, message string }{
		"unknown template": {`'test', 'diamnd', '1.0.0', '{}'`, "42704", "no template test/diamnd@1.0.0"},
		"unknown version":  {`'test', 'diamond', '2.0.0', '{}'`, "42704", "no template test/diamond@2.0.0"},
		"invalid JSON":     {`'test', 'diamond', '1.0.0', '{'`, "22P02", "invalid input syntax for type json"},
		"not an object":    {`'test', 'diamond', '1.0.0', '[]'`, "22023", "context must be a JSON object, not array"},
		"too large":        {`'test', 'diamond', '1.0.0', jsonb_build_object('a', repeat('x', 300000))`, "22023", "more than the 262144 allowed"},
		"too deep":         {`'test', 'diamond', '1.0.0', '` + nested(65) + `'`, "22023", "nested deeper than 64"},
		"tags no array":    {`'test', 'diamond', '1.0.0', '{}', tags => '"x"'`, "22023", "tags must be a JSON array"},
		"unknown bypass":   {`'test', 'diamond', '1.0.0', '{}', bypass_steps => '["lft"]'`, "22023", `"lft", which is no step`},
		"long initiator":   {`'test', 'diamond', '1.0.0', '{}', initiator => repeat('x', 129)`, "22023", "at most 128 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.pool.Exec(context.WithoutCancel(t.Context()), `SELECT tasker.create_task(`+row.call+`)`)
			pgErr, ok := errors.AsType[*pgconn.PgError](err)
			if !ok || pgErr.Code != row.code || !strings.Contains(pgErr.Message, row.message) {
				t.Errorf("got %v, want %s %q", err, row.code, row.message)
			}
		})
	}
	b.exec(`SELECT tasker.create_task('test', 'diamond', '1.0.0', $1::jsonb)`, nested(64))
}

func TestTemplateOfTheSameVersionWithOtherContentIsRefusedUnlessReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	changed, _, err := templates.Parse("new.yaml", []byte(strings.Replace(diamondYAML, "default_retry_limit: 2", "default_retry_limit: 7", 1)), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.store.SyncTemplates(t.Context(), []*templates.Template{changed}, false)
	conflict, ok := errors.AsType[*sql.TemplateConflictError](err)
	if !ok || !strings.Contains(conflict.Error(), "7") || !strings.Contains(conflict.Error(), "new.yaml") {
		t.Fatalf("got %v", err)
	}
	report, err := b.store.SyncTemplates(t.Context(), []*templates.Template{changed}, true)
	if err != nil || report.Replaced != 1 {
		t.Fatalf("replacing: %+v, %v", report, err)
	}
	if got := b.step(b.create("diamond"), "left").Limit; got != 7 {
		t.Errorf("a new task has the limit %d", got)
	}
}

func TestUncheckedTaskIsNotStarted(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML+"schema: {type: object, required: [order]}\n")
	id, err := b.store.CreateTask(t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: "diamond", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.tick(id); got.Status != sql.TickUnchecked || string(got.Context) != `{}` || got.Digest == "" {
		t.Errorf("tick: %+v", got)
	}
	if rejected, err := b.store.Reject(t.Context(), id, json.RawMessage(`{"reason": "invalid_context"}`)); !rejected || err != nil {
		t.Errorf("reject: %t, %v", rejected, err)
	}
	if got := b.tick(id); got.Status != sql.TickClosed {
		t.Errorf("after the rejection: %+v", got)
	}
	want := map[string]string{"top": "pending 0", "left": "pending 0", "right": "pending 0", "bottom": "pending 0"}
	if diff := cmp.Diff(want, b.states(id)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}
