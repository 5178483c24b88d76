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

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

const pairYAML = "name: pair\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n  - {name: parent, handler_class: H}\n" +
	"  - {name: child, handler_class: H, depends_on_step: parent}\n"

// serving is setup with a worker that serves the handler H.
func serving(t *testing.T, documents ...string) bundle {
	t.Helper()
	b := setup(t, documents...)
	b.exec(`UPDATE tasker.workers SET handlers = '{H}'`)
	return b
}

// outcome is the success of an attempt whose worker has room in the default queue.
func outcome(a *engine.Attempt) engine.FinishRequest {
	return engine.FinishRequest{
		TaskID: a.Task.ID, StepID: a.Step.ID, Token: a.Token, Succeeded: true, Queue: "default",
		Result: fmt.Appendf(nil, `{"from": %q}`, a.Step.Name), Metadata: json.RawMessage(`{}`),
	}
}

// failure is the failure of an attempt.
func failure(a *engine.Attempt, permanent bool) engine.FinishRequest {
	f := outcome(a)
	f.Succeeded, f.Permanent, f.Result = false, permanent, json.RawMessage(`{"error": "no", "error_class": "E", "backtrace": ""}`)
	return f
}

func (b bundle) finishAll(lock sql.LockMode, finishes ...engine.FinishRequest) []engine.FinishResult {
	b.t.Helper()
	recorded, err := b.store.Finish(b.t.Context(), worker, finishes, lock)
	if err != nil {
		b.t.Fatal(err)
	}
	return recorded
}

// jobs returns the names of the task's steps that have a job, each as often as it has one.
func (b bundle) jobs(task int64) []string {
	b.t.Helper()
	return queryAll[string](b, `SELECT n.name::text FROM tasker.river_job j
		JOIN public.tasker_workflow_steps s ON s.workflow_step_id = (j.args ->> 'step_id')::bigint JOIN public.tasker_named_steps n USING (named_step_id)
		WHERE j.kind = 'tasker_step' AND j.state = 'available' AND s.task_id = $1
		  AND j.unique_key = convert_to(concat('step:', s.workflow_step_id, ':', coalesce((
			SELECT t.id FROM public.tasker_workflow_step_transitions t WHERE t.workflow_step_id = s.workflow_step_id AND t.most_recent), 0)), 'UTF8')
		ORDER BY 1`, task)
}

// spellNext names the step that was handed over.
func spellNext(r engine.FinishResult) string {
	if r.Next == nil {
		return ""
	}
	return r.Next.Step.Name
}

func TestHandOverFollowsQueueAndHandlers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		child, room, workers string
		handed               bool
	}{
		"room in its queue":   {child: "", room: "default", handed: true},
		"another queue":       {child: ", queue: other", room: "default"},
		"room in its own":     {child: ", queue: other", room: "other", handed: true},
		"no room":             {child: "", room: ""},
		"unserved handler":    {child: ", handler_class: X", room: "default"},
		"unregistered worker": {child: "", room: "default", workers: `DELETE FROM tasker.workers`},
	} {
		for _, size := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d at once", name, size), func(t *testing.T) {
				t.Parallel()
				document := strings.Replace(pairYAML, ", depends_on_step", row.child+", depends_on_step", 1)
				if strings.Contains(row.child, "handler_class") {
					document = strings.Replace(document, "{name: child, handler_class: H", "{name: child", 1)
				}
				b := serving(t, document)
				finishes := make([]engine.FinishRequest, size)
				for i := range finishes {
					finishes[i] = outcome(b.claim(b.create("pair"), "parent"))
					finishes[i].Queue = row.room
				}
				b.exec(`DELETE FROM tasker.river_job`)
				if row.workers != "" {
					b.exec(row.workers)
				}
				for i, recorded := range b.finishAll(sql.SkipLocked, finishes...) {
					id := finishes[i].TaskID
					handed, jobs := spellNext(recorded), strings.Join(b.jobs(id), " ")
					if row.handed && (handed != "child" || jobs != "") || !row.handed && (handed != "" || jobs != "child") {
						t.Errorf("task %d: handed over %q, jobs for %q", id, handed, jobs)
					}
				}
				sqltest.CheckInvariants(t, b.pool, false)
			})
		}
	}
}

func TestHandOverBringsWhatTheHandlerNeeds(t *testing.T) {
	t.Parallel()
	b := serving(t, diamondYAML)
	id := b.create("diamond")
	b.finishAll(sql.WaitForLock, outcome(b.claim(id, "top")))
	left := b.step(id, "left")
	if got := b.states(id)["left"]; got != "in_progress 1" {
		t.Fatalf("left is %s", got)
	}
	if diff := cmp.Diff([]string{"right"}, b.jobs(id)); diff != "" {
		t.Errorf("the other child's job (-want +got):\n%s", diff)
	}
	right := b.claim(id, "right")
	token := queryAll[int64](b, `SELECT id FROM public.tasker_workflow_step_transitions WHERE workflow_step_id = $1 AND most_recent`, left.StepID)[0]
	recorded := b.finishAll(sql.WaitForLock, engine.FinishRequest{
		TaskID: id, StepID: left.StepID, Token: token, Succeeded: true, Queue: "default", Result: json.RawMessage(`{"from": "left"}`), Metadata: json.RawMessage(`{}`),
	})[0]
	if recorded.Next != nil {
		t.Fatalf("the first parent handed over %+v", recorded.Next)
	}
	next := b.finishAll(sql.WaitForLock, outcome(right))[0].Next
	if next == nil || next.Step.Name != "bottom" || next.Step.Attempt != 1 || next.Step.MaxAttempts != 3 || next.Handler.Name != "H" || string(next.Step.Inputs) != `{"n": 1}` {
		t.Fatalf("the last parent handed over %+v", next)
	}
	var dependencies []string
	for _, d := range next.Dependencies {
		dependencies = append(dependencies, d.Name+" "+string(d.Result))
	}
	want := []string{`top {"from": "top"}`, `left {"from": "left"}`, `right {"from": "right"}`}
	if diff := cmp.Diff(want, dependencies); diff != "" {
		t.Errorf("dependencies, parents last (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestParentsThatFinishTogetherHandTheirChildOverOnce(t *testing.T) {
	t.Parallel()
	b := serving(t, diamondYAML)
	id := b.create("diamond")
	b.succeed(b.claim(id, "top"))
	finishes := []engine.FinishRequest{outcome(b.claim(id, "left")), outcome(b.claim(id, "right"))}
	var handed []string
	for _, recorded := range b.finishAll(sql.WaitForLock, finishes...) {
		if recorded.Next != nil {
			handed = append(handed, recorded.Next.Step.Name)
		}
	}
	if diff := cmp.Diff([]string{"bottom"}, handed); diff != "" {
		t.Errorf("handed over (-want +got):\n%s", diff)
	}
	if jobs := b.jobs(id); len(jobs) > 0 {
		t.Errorf("jobs for %s", jobs)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestFinishAfterALostAnswerReturnsTheSameClaim(t *testing.T) {
	t.Parallel()
	b := serving(t, pairYAML)
	for _, size := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d at once", size), func(t *testing.T) {
			finishes := make([]engine.FinishRequest, size)
			for i := range finishes {
				finishes[i] = outcome(b.claim(b.create("pair"), "parent"))
			}
			first, second := b.finishAll(sql.WaitForLock, finishes...), b.finishAll(sql.WaitForLock, finishes...)
			for i := range finishes {
				if first[i].Next == nil || second[i].Next == nil || first[i].Next.Token != second[i].Next.Token || second[i].Next.Step.Name != "child" {
					t.Errorf("first %+v, then %+v", first[i].Next, second[i].Next)
				}
			}
			for _, again := range b.finishAll(sql.WaitForLock, finishes...) {
				if again.Status != engine.StatusRecorded {
					t.Errorf("a third time: %s", again.Status)
				}
			}
		})
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

// TestNothingFollows tells what a finish with room for more leads to where nothing may follow it.
func TestNothingFollows(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		finish func(*engine.Attempt) engine.FinishRequest
		before string
		state  string
		parent string
	}{
		"failure":           {finish: func(a *engine.Attempt) engine.FinishRequest { return failure(a, false) }, state: "in_progress", parent: "error 1"},
		"permanent failure": {finish: func(a *engine.Attempt) engine.FinishRequest { return failure(a, true) }, state: "error", parent: "error 1"},
		"cancelled task": {
			finish: outcome, before: `SELECT tasker.transition_task(task_id, 'cancelled', '{}') FROM public.tasker_tasks`,
			state: "cancelled", parent: "complete 1",
		},
		"cancelled child": {
			finish: outcome, before: `SELECT tasker.transition_step(max(workflow_step_id), 'cancelled', '{}') FROM public.tasker_workflow_steps`,
			state: "error", parent: "complete 1",
		},
		"child resolved by hand": {
			finish: outcome, before: `SELECT tasker.transition_step(max(workflow_step_id), 'resolved_manually', '{}') FROM public.tasker_workflow_steps`,
			state: "complete", parent: "complete 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serving(t, pairYAML)
			id := b.create("pair")
			parent := b.claim(id, "parent")
			if row.before != "" {
				b.exec(row.before)
			}
			recorded := b.finishAll(sql.WaitForLock, row.finish(parent))[0]
			if recorded.Status != engine.StatusRecorded || recorded.Next != nil {
				t.Errorf("the finish: %+v", recorded)
			}
			if got := string(b.task(id).State); got != row.state {
				t.Errorf("the task is %s, want %s", got, row.state)
			}
			if got := b.states(id)["parent"]; got != row.parent {
				t.Errorf("the parent is %s, want %s", got, row.parent)
			}
			if jobs := b.jobs(id); slices.Contains(jobs, "child") {
				t.Errorf("jobs for %s", jobs)
			}
			sqltest.CheckInvariants(t, b.pool, false)
		})
	}
}

func TestBatchIsNotHeldUpByOneOfIt(t *testing.T) {
	t.Parallel()
	b := serving(t, pairYAML)
	var finishes []engine.FinishRequest
	for range 3 {
		finishes = append(finishes, outcome(b.claim(b.create("pair"), "parent")))
	}
	finishes[0].Token++ // the token of another step's claim
	statuses := func(recorded []engine.FinishResult) (all []string) {
		for _, r := range recorded {
			all = append(all, strings.TrimSpace(string(r.Status)+" "+spellNext(r)))
		}
		return all
	}

	locker := b.lock(finishes[1].TaskID)
	want := []string{"stale", "busy", "recorded child"}
	if diff := cmp.Diff(want, statuses(b.finishAll(sql.SkipLocked, finishes...))); diff != "" {
		t.Errorf("beside a lock on the second (-want +got):\n%s", diff)
	}
	if got := b.states(finishes[1].TaskID)["parent"]; got != "in_progress 1" {
		t.Errorf("the busy one's parent is %s", got)
	}
	done := make(chan []engine.FinishResult)
	go func() {
		recorded, _ := b.store.Finish(context.WithoutCancel(t.Context()), worker, finishes, sql.WaitForLock)
		done <- recorded
	}()
	b.waitForLock()
	if err := locker.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"stale", "recorded child", "recorded child"}, statuses(<-done)); diff != "" {
		t.Errorf("once the lock is gone (-want +got):\n%s", diff)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

// lock takes the lock of a task until the transaction ends.
func (b bundle) lock(task int64) pgx.Tx {
	b.t.Helper()
	tx, err := b.pool.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(b.t.Context())) })
	if _, err := tx.Exec(b.t.Context(), `SELECT FROM public.tasker_tasks WHERE task_id = $1 FOR NO KEY UPDATE`, task); err != nil {
		b.t.Fatal(err)
	}
	return tx
}

// waitForLock returns when some statement in the database waits for a lock.
func (b bundle) waitForLock() {
	b.t.Helper()
	for range 500 {
		if queryAll[bool](b, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)[0] {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatal("nobody waits for a lock")
}

func TestDataErrorInABatchWritesNothing(t *testing.T) {
	t.Parallel()
	b := serving(t, pairYAML)
	finishes := []engine.FinishRequest{outcome(b.claim(b.create("pair"), "parent")), outcome(b.claim(b.create("pair"), "parent"))}
	finishes[1].Result = json.RawMessage(`"\u0000"`)
	if _, err := b.store.Finish(t.Context(), worker, finishes, sql.WaitForLock); !errors.Is(err, engine.ErrDataRejected) {
		t.Errorf("got %v", err)
	}
	for _, f := range finishes {
		want := map[string]string{"parent": "in_progress 1", "child": "pending 0"}
		if diff := cmp.Diff(want, b.states(f.TaskID)); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	}
	if got := b.finishAll(sql.WaitForLock, finishes[0])[0]; got.Status != engine.StatusRecorded || spellNext(got) != "child" {
		t.Errorf("the good one alone: %+v", got)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

// TestEndOfALargeBlockedTaskIsPutOff: every finish in it asks for a look at all of its steps, and one look serves them all.
func TestEndOfALargeBlockedTaskIsPutOff(t *testing.T) {
	t.Parallel()
	var document strings.Builder
	document.WriteString("name: wide\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n  - {name: root, handler_class: H}\n")
	for i := range 299 {
		fmt.Fprintf(&document, "  - {name: leaf%d, handler_class: H, depends_on_step: root}\n", i)
	}
	b := serving(t, document.String())
	id := b.create("wide")
	b.succeed(b.claim(id, "root"))
	var finishes []engine.FinishRequest
	for i, step := range b.task(id).Steps[1:] {
		claims, err := b.store.Claim(t.Context(), worker, []engine.ClaimRequest{{TaskID: id, StepID: step.StepID}}, sql.WaitForLock)
		if err != nil || claims[0].Attempt == nil {
			t.Fatalf("claiming %s: %+v, %v", step.Name, claims, err)
		}
		finishes = append(finishes, outcome(claims[0].Attempt))
		if i == 0 {
			finishes[0] = failure(claims[0].Attempt, true)
		}
	}
	for batch := range slices.Chunk(finishes, 50) {
		for _, recorded := range b.finishAll(sql.WaitForLock, batch...) {
			if recorded.Status != engine.StatusRecorded || recorded.TaskState == engine.Error {
				t.Fatalf("a finish: %+v", recorded)
			}
		}
	}
	settles := queryAll[string](b, `SELECT concat_ws(' ', convert_from(unique_key, 'UTF8'), queue) FROM tasker.river_job WHERE kind = 'tasker_tick' AND convert_from(unique_key, 'UTF8') LIKE '%settle'`)
	if diff := cmp.Diff([]string{fmt.Sprintf("tick:%d:settle ticks", id)}, settles); diff != "" {
		t.Errorf("ticks that wait (-want +got):\n%s", diff)
	}
	if got := b.tick(id); got.State != engine.Error {
		t.Errorf("after the tick the task is %s", got.State)
	}
	sqltest.CheckInvariants(t, b.pool, true)
}

func TestCreateManyTasks(t *testing.T) {
	t.Parallel()
	b := serving(t, pairYAML)
	create := func(keys ...string) []int64 {
		tasks := make([]sql.NewTask, len(keys))
		for i, key := range keys {
			tasks[i] = sql.NewTask{Namespace: "test", Name: "pair", Version: "1.0.0", IdentityKey: key, Context: fmt.Appendf(nil, `{"place": %d}`, i)}
		}
		ids, err := b.store.CreateTasks(t.Context(), b.pool, tasks)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	contexts := func(ids []int64) []string {
		return queryAll[string](b, `SELECT k.context || (SELECT count(*) FROM public.tasker_workflow_steps s JOIN public.tasker_workflow_step_edges e ON e.to_step_id = s.workflow_step_id WHERE s.task_id = k.task_id)::text
			FROM unnest($1::bigint[]) WITH ORDINALITY AS u (id, n) JOIN public.tasker_tasks k ON k.task_id = u.id ORDER BY u.n`, ids)
	}

	plain := create("", "", "")
	if diff := cmp.Diff([]string{`{"place": 0}1`, `{"place": 1}1`, `{"place": 2}1`}, contexts(plain)); diff != "" {
		t.Errorf("contexts and edges in the order of the tasks (-want +got):\n%s", diff)
	}
	first := create("a", "b")
	mixed := create("c", "b", "d", "c")
	if mixed[1] != first[1] || mixed[0] != mixed[3] || mixed[0] == mixed[2] || slices.Contains(first, mixed[2]) {
		t.Errorf("with keys a, b: %d; with c, b, d, c: %d", first, mixed)
	}
	if diff := cmp.Diff([]string{`{"place": 0}1`, `{"place": 1}1`, `{"place": 2}1`, `{"place": 0}1`}, contexts(mixed)); diff != "" {
		t.Errorf("contexts of the mixture (-want +got):\n%s", diff)
	}
	if ticks := queryAll[int](b, `SELECT count(*)::int FROM tasker.river_job WHERE kind = 'tasker_tick' AND queue = 'default' AND args ->> 'handler' = 'H'`)[0]; ticks != 7 {
		t.Errorf("%d ticks wait for 7 tasks", ticks)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestStartOfATaskClaimsItsFirstRoot(t *testing.T) {
	t.Parallel()
	const roots = "name: roots\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n  - {name: elsewhere, handler_class: H, queue: other}\n" +
		"  - {name: first, handler_class: H}\n  - {name: second, handler_class: H}\n  - {name: last, handler_class: H, depends_on_step: first}\n"
	for name, insert := range map[string]string{
		"made by us": `SELECT tasker.create_task('test', 'roots', '1.0.0', '{"n": 1}')`,
		"plain INSERT": `INSERT INTO public.tasker_tasks (named_task_id, requested_at, context, identity_hash, created_at, updated_at)
			SELECT named_task_id, now(), '{"n": 1}', 'x', now(), now() FROM public.tasker_named_tasks RETURNING task_id`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serving(t, roots)
			id := queryAll[int64](b, insert)[0]
			results, err := b.store.Tick(t.Context(), worker, []sql.TickRequest{{TaskID: id, Queue: "default", Key: "7"}}, sql.WaitForLock)
			if err != nil {
				t.Fatal(err)
			}
			a := results[0].Attempt
			if results[0].State != engine.InProgress || a == nil || a.Step.Name != "first" || a.Task.ID != id || string(a.Step.Inputs) != `{"n": 1}` {
				t.Fatalf("the tick: %+v, %+v", results[0], a)
			}
			if diff := cmp.Diff([]string{"elsewhere", "second"}, b.jobs(id)); diff != "" {
				t.Errorf("the other roots' jobs (-want +got):\n%s", diff)
			}
			if got := spellNext(b.finishAll(sql.WaitForLock, outcome(a))[0]); got != "last" {
				t.Errorf("the first root handed over %q", got)
			}
			sqltest.CheckInvariants(t, b.pool, false)
		})
	}
}

// TestTickWhoseAnswerWasLost comes again with the same key, and nobody runs what it had claimed: the step gets a job.
func TestTickWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	b := serving(t, pairYAML)
	id, err := b.store.CreateTask(t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: "pair", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	tick := func(key string) *engine.Attempt {
		results, err := b.store.Tick(t.Context(), worker, []sql.TickRequest{{TaskID: id, Queue: "default", Key: key}}, sql.WaitForLock)
		if err != nil {
			t.Fatal(err)
		}
		return results[0].Attempt
	}
	lost := tick("7")
	if other := tick("8"); lost == nil || other != nil {
		t.Fatalf("the first tick claimed %+v, another %+v", lost, other)
	}
	if jobs := b.jobs(id); len(jobs) > 0 {
		t.Errorf("after another tick, jobs for %s", jobs)
	}
	if again := tick("7"); again != nil {
		t.Errorf("the same tick again claimed %+v", again)
	}
	if diff := cmp.Diff([]string{"parent"}, b.jobs(id)); diff != "" {
		t.Errorf("after the same tick again, jobs (-want +got):\n%s", diff)
	}
	if a := b.claim(id, "parent"); a.Step.Attempt != 1 {
		t.Errorf("the next attempt is number %d", a.Step.Attempt)
	}
	if got := b.succeed(lost).Status; got != engine.StatusStale {
		t.Errorf("the lost claim's outcome was %s", got)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

// TestTaskThatWasSetBackGoesOn, also in one tick with a task that starts.
func TestTaskThatWasSetBackGoesOn(t *testing.T) {
	t.Parallel()
	b := serving(t, pairYAML)
	back := b.create("pair")
	b.fail(b.claim(back, "parent"), true)
	b.exec(`SELECT tasker.transition_task($1, 'pending', '{}')`, back)
	b.exec(`UPDATE public.tasker_workflow_steps SET retry_limit = 3 WHERE task_id = $1`, back)
	b.exec(`SELECT tasker.transition_step($1, 'pending', '{}')`, b.step(back, "parent").StepID)
	fresh, err := b.store.CreateTask(t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: "pair", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	results, err := b.store.Tick(t.Context(), worker, []sql.TickRequest{{TaskID: back, Queue: "default"}, {TaskID: fresh, Queue: "default"}}, sql.WaitForLock)
	if err != nil || results[0].State != engine.InProgress || results[1].State != engine.InProgress || results[1].Attempt == nil {
		t.Fatalf("the tick: %+v, %v", results, err)
	}
	if a := b.claim(back, "parent"); a.Step.Attempt != 2 || spellNext(b.finishAll(sql.WaitForLock, outcome(a))[0]) != "child" {
		t.Errorf("attempt %d led to no child", a.Step.Attempt)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}
