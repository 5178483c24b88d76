package sql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

// TestFinishesAgreeWithReadiness plays a worker with a few tasks of a random graph, and an application that writes SQL of
// its own. No finish looks at a whole task; still, after whatever happened, the steps that somebody runs or that have a
// job, and the tasks that have ended, are exactly those that a look at everything finds.
func TestFinishesAgreeWithReadiness(t *testing.T) {
	t.Parallel()
	b := setup(t)
	settleBlocked := queryAll[string](b, `SELECT pg_get_functiondef('tasker.finalize_blocked_task(bigint)'::regprocedure)`)[0]
	played := 0
	rapid.Check(t, func(rt *rapid.T) {
		// Larger blocked tasks than this wait for a tick.
		small := rapid.SampledFrom([]string{"200", "1"}).Draw(rt, "small")
		b.exec(strings.Replace(settleBlocked, "v_small constant integer := 200", "v_small constant integer := "+small, 1))
		played++
		a := newAgreement(rt, b, played)
		rt.Repeat(map[string]func(*rapid.T){
			"":                   a.check,
			"tick":               a.tick,
			"claim":              a.claim,
			"finish":             a.finish,
			"finish more":        a.finish,
			"finish and spawn":   a.spawn,
			"finish again":       a.finishAgain,
			"finish what others": a.finishLost,
			"give back":          a.giveBack,
			"expire":             a.expire,
			"time passes":        a.passTime,
			"plain SQL":          a.plainSQL,
		})
		a.runToTheEnd(rt)
		sqltest.CheckInvariants(inPlay{t, rt}, b.pool, false)
	})
}

// inPlay makes the failures of a check those of the play, so that a smaller one is looked for.
type inPlay struct {
	testing.TB
	rt *rapid.T
}

func (p inPlay) Errorf(format string, args ...any) { p.rt.Errorf(format, args...) }
func (p inPlay) Fatalf(format string, args ...any) { p.rt.Fatalf(format, args...) }

// agreement is one play. Ids differ from play to play, so that what is drawn are positions in sorted lists.
type agreement struct {
	b      bundle
	worker string
	tasks  []int64
	ended  map[int64]bool                 // the tasks that were cancelled
	held   map[int64]engine.FinishRequest // the worker's claims by step, as finishes without an outcome
	lost   []engine.FinishRequest         // claims that others ended
	sent   []sentFinish
	added  int // numbers the steps that steps added
}

// sentFinish is a finish that was recorded, and the claim that came with the answer.
type sentFinish struct {
	finish engine.FinishRequest
	next   int64 // the step, 0 when there was none
	token  int64
}

func newAgreement(rt *rapid.T, b bundle, number int) *agreement {
	for _, table := range []string{
		"tasker.river_job", "tasker.blocked_tasks", "tasker.spawned_steps", "tasker_workflow_step_transitions", "tasker_workflow_step_edges",
		"tasker_workflow_steps", "tasker_task_transitions", "tasker_tasks",
	} {
		b.exec(`DELETE FROM ` + table) // what the play before left
	}
	a := &agreement{b: b, worker: fmt.Sprintf("0b8f3c6e-0000-4000-9000-%012d", number), ended: map[int64]bool{}, held: map[int64]engine.FinishRequest{}}
	name := fmt.Sprintf("graph-%d", number)
	template, _, err := templates.Parse("test.yaml", []byte("name: "+name+"\nnamespace_name: test\nversion: 1.0.0\nretry: "+randomPolicy(rt)+"\nstep_templates:\n"+randomSteps(rt)), templates.Options{})
	if err != nil {
		rt.Fatal(err)
	}
	must(rt)(b.store.SyncTemplates(b.t.Context(), []*templates.Template{template}, false))
	must(rt)(0, b.store.RegisterWorker(b.t.Context(), sql.Worker{ID: a.worker, Handlers: []string{"Served"}, Lease: time.Hour}))
	tasks := make([]sql.NewTask, rapid.IntRange(1, 3).Draw(rt, "tasks"))
	for i := range tasks {
		tasks[i] = sql.NewTask{Namespace: "test", Name: name, Version: "1.0.0"}
	}
	if a.tasks, err = b.store.CreateTasks(b.t.Context(), b.pool, tasks); err != nil {
		rt.Fatal(err)
	}
	return a
}

// randomPolicy draws a retry policy: most often none, or one whose delay is shorter or longer than that of the engine's rule.
func randomPolicy(rt *rapid.T) string {
	return rapid.SampledFrom([]string{
		"{}", "{}", "{policy: fixed, base_seconds: 0}", "{policy: fixed, base_seconds: 1}", "{policy: linear, base_seconds: 60, jitter: equal}", "{policy: none}",
	}).Draw(rt, "retry")
}

// randomSteps draws the steps of a template. Most have one parent, and most may be handed over: the worker serves them, and
// they run in the default queue.
func randomSteps(rt *rapid.T) string {
	var steps strings.Builder
	var names []string
	for i := range rapid.IntRange(1, 12).Draw(rt, "steps") {
		var parents []string
		if i > 0 {
			n := min(i, rapid.SampledFrom([]int{1, 1, 1, 0, 2, 3}).Draw(rt, "number of parents"))
			parents = rapid.Permutation(names).Draw(rt, "parents")[:n]
		}
		name := fmt.Sprintf("s%d", i)
		names = append(names, name)
		fmt.Fprintf(&steps, "  - {name: %s, handler_class: %s, queue: %s, default_retry_limit: %d, default_retryable: %t, depends_on_steps: [%s]}\n", name,
			rapid.SampledFrom([]string{"Served", "Served", "Served", "Unserved"}).Draw(rt, "handler"),
			rapid.SampledFrom([]string{"default", "default", "default", "other"}).Draw(rt, "queue"),
			rapid.IntRange(0, 3).Draw(rt, "limit"), rapid.IntRange(0, 3).Draw(rt, "retryable") > 0, strings.Join(parents, ", "))
	}
	return steps.String()
}

// must returns a function that passes a value on and takes an error for the end of the play.
func must(rt *rapid.T) func(value any, err error) {
	return func(_ any, err error) {
		if err != nil {
			rt.Fatal(err)
		}
	}
}

// query is queryAll for a play.
func query[T any](rt *rapid.T, b bundle, scan pgx.RowToFunc[T], text string, args ...any) []T {
	rows, err := b.pool.Query(b.t.Context(), text, args...)
	if err != nil {
		rt.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, scan)
	if err != nil {
		rt.Fatal(err)
	}
	return all
}

// some draws one or more of all.
func some[T any](rt *rapid.T, name string, all []T) []T {
	if len(all) == 0 {
		rt.Skip("no " + name)
	}
	n := 1 // most ways for a step alone are its own
	if rapid.Bool().Draw(rt, "several "+name) {
		n = rapid.IntRange(1, len(all)).Draw(rt, "number of "+name)
	}
	return rapid.Permutation(all).Draw(rt, name)[:n]
}

// standing is a step as the rules see it.
type standing struct {
	Task      int64
	TaskState engine.State
	// Settles says that a tick of the task waits because it is blocked.
	Settles   bool
	Step      int64
	State     engine.State
	Readiness engine.Readiness
	// Want is the job that the step should have, and Job is the one that it has: one that was made for an earlier state
	// of the step wakes nobody.
	Want string
	Job  string
}

const standingSQL = `
WITH job AS (
    SELECT convert_from(j.unique_key, 'UTF8') AS key,
        string_agg(CASE WHEN j.scheduled_at <= now() THEN 'now' ELSE 'at ' || j.scheduled_at END, ', ') AS due
    FROM tasker.river_job j WHERE j.state = 'available' GROUP BY 1
)
SELECT k.id, tasker.task_state(k.id), settle.key IS NOT NULL, r.workflow_step_id, r.current_state, r.readiness,
    CASE r.readiness WHEN 'ready' THEN 'now' WHEN 'backing_off' THEN 'at ' || tasker.spread_due(r.workflow_step_id, r.due_at) ELSE '' END,
    -- A step is ready when it is due, and woken some moments later.
    CASE WHEN r.readiness = 'ready' AND step.due = 'at ' || tasker.spread_due(r.workflow_step_id, r.due_at) THEN 'now' ELSE coalesce(step.due, '') END
FROM unnest($1::bigint[]) AS k (id)
CROSS JOIN LATERAL tasker.step_readiness(k.id) r
LEFT JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = r.workflow_step_id AND t.most_recent
LEFT JOIN job step ON step.key = concat('step:', r.workflow_step_id, ':', coalesce(t.id, 0))
LEFT JOIN job settle ON settle.key = concat('tick:', k.id, ':settle')
ORDER BY r.workflow_step_id`

func (a *agreement) look(rt *rapid.T) []standing {
	return query(rt, a.b, pgx.RowToStructByPos[standing], standingSQL, a.tasks)
}

// check is what has to be true at any time. A task that nobody ticked yet has no jobs, and one that was cancelled may have
// any.
func (a *agreement) check(rt *rapid.T) {
	want, got := map[string]string{}, map[string]string{}
	byTask := map[int64][]standing{}
	for _, s := range a.look(rt) {
		step := fmt.Sprintf("task %d step %d", s.Task, s.Step)
		if s.TaskState == engine.InProgress {
			want[step], got[step] = "job "+s.Want, "job "+s.Job
		}
		if s.Readiness == engine.InFlight {
			want[step] += " claimed"
		}
		if _, held := a.held[s.Step]; held {
			got[step] += " claimed"
		}
		byTask[s.Task] = append(byTask[s.Task], s)
	}
	for task, steps := range byTask {
		name, state := fmt.Sprintf("task %d", task), steps[0].TaskState
		switch verdict := judge(steps); {
		case a.ended[task]:
			want[name], got[name] = string(engine.Cancelled), string(state)
		case state != engine.Pending && (verdict == engine.InProgress || !steps[0].Settles):
			want[name], got[name] = string(verdict), string(state)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		rt.Fatalf("the rules and what is there (-rules +there):\n%s", diff)
	}
}

// judge says in which state a task with these steps has to be.
func judge(steps []standing) engine.State {
	live := func(s standing) bool {
		return slices.Contains([]engine.Readiness{engine.InFlight, engine.Ready, engine.BackingOff}, s.Readiness)
	}
	switch {
	case !slices.ContainsFunc(steps, func(s standing) bool { return s.Readiness != engine.Done }):
		return engine.Complete
	case !slices.ContainsFunc(steps, live):
		return engine.Error
	}
	return engine.InProgress
}

// hold notes a claim that was made for the worker.
func (a *agreement) hold(rt *rapid.T, task, step, token int64) {
	if other, held := a.held[step]; held {
		rt.Fatalf("step %d was claimed with token %d while %d is held", step, token, other.Token)
	}
	if a.ended[task] {
		rt.Fatalf("step %d was claimed though its task %d was cancelled", step, task)
	}
	a.held[step] = engine.FinishRequest{TaskID: task, StepID: step, Token: token, Metadata: json.RawMessage(`{}`)}
}

// holding returns the claims that are held, in the order of the steps.
func (a *agreement) holding() []engine.FinishRequest {
	all := make([]engine.FinishRequest, 0, len(a.held))
	for _, step := range slices.Sorted(maps.Keys(a.held)) {
		all = append(all, a.held[step])
	}
	return all
}

// beside runs a call that may find one task locked by somebody else, whom it then must not wait for.
func (a *agreement) beside(rt *rapid.T, call func(lock sql.LockMode, busy int64)) {
	lock := sql.LockMode(rapid.Bool().Draw(rt, "wait"))
	if lock == sql.WaitForLock || rapid.IntRange(0, 2).Draw(rt, "alone") > 0 {
		call(lock, 0)
		return
	}
	busy := rapid.SampledFrom(a.tasks).Draw(rt, "busy")
	tx, err := a.b.pool.Begin(a.b.t.Context())
	if err != nil {
		rt.Fatal(err)
	}
	defer tx.Rollback(a.b.t.Context())
	must(rt)(tx.Exec(a.b.t.Context(), `SELECT FROM public.tasker_tasks WHERE task_id = $1 FOR NO KEY UPDATE`, busy))
	call(lock, busy)
}

// drawQueue draws the queue in whose room the worker would go on.
func drawQueue(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"default", "default", ""}).Draw(rt, "room")
}

func (a *agreement) tick(rt *rapid.T) {
	var wishes []sql.TickRequest
	for _, task := range some(rt, "tasks", a.tasks) {
		wishes = append(wishes, sql.TickRequest{TaskID: task, Queue: drawQueue(rt)})
	}
	a.beside(rt, func(lock sql.LockMode, busy int64) { a.tickThese(rt, wishes, lock, busy) })
}

func (a *agreement) tickThese(rt *rapid.T, wishes []sql.TickRequest, lock sql.LockMode, busy int64) {
	results, err := a.b.store.Tick(a.b.t.Context(), a.worker, wishes, lock)
	must(rt)(results, err)
	for _, result := range results {
		if (result.Status == sql.TickLocked) != (result.TaskID == busy) {
			rt.Fatalf("tick of task %d beside a lock on %d: %s", result.TaskID, busy, result.Status)
		}
		if result.Attempt != nil {
			a.hold(rt, result.TaskID, result.Attempt.Step.ID, result.Attempt.Token)
		}
	}
}

// waitingJob is a job that is due.
type waitingJob struct{ ID, Task, Step int64 }

func (a *agreement) jobs(rt *rapid.T) []waitingJob {
	return query(rt, a.b, pgx.RowToStructByPos[waitingJob], `SELECT id, (args ->> 'task_id')::bigint, (args ->> 'step_id')::bigint FROM tasker.river_job
		WHERE kind = 'tasker_step' AND state = 'available' AND scheduled_at <= now() AND (args ->> 'task_id')::bigint = ANY ($1) ORDER BY id`, a.tasks)
}

func (a *agreement) claim(rt *rapid.T) {
	jobs := some(rt, "jobs", a.jobs(rt))
	a.beside(rt, func(lock sql.LockMode, busy int64) {
		if rapid.IntRange(0, 4).Draw(rt, "answer arrives") == 0 {
			a.lost = append(a.lost, a.claimThese(rt, jobs, lock, busy)...)
		}
		a.claimNow(rt, jobs, lock, busy)
	})
}

// claimNow claims, and ends the jobs.
func (a *agreement) claimNow(rt *rapid.T, jobs []waitingJob, lock sql.LockMode, busy int64) {
	for _, f := range a.claimThese(rt, jobs, lock, busy) {
		a.hold(rt, f.TaskID, f.StepID, f.Token)
	}
	ended := []int64{}
	for _, job := range jobs {
		if job.Task != busy {
			ended = append(ended, job.ID)
		}
	}
	must(rt)(a.b.pool.Exec(a.b.t.Context(), `DELETE FROM tasker.river_job WHERE id = ANY ($1)`, ended))
}

func (a *agreement) claimThese(rt *rapid.T, jobs []waitingJob, lock sql.LockMode, busy int64) (claimed []engine.FinishRequest) {
	wishes := make([]engine.ClaimRequest, len(jobs))
	for i, job := range jobs {
		wishes[i] = engine.ClaimRequest{TaskID: job.Task, StepID: job.Step, ClaimKey: fmt.Sprint(job.ID)}
	}
	claims, err := a.b.store.Claim(a.b.t.Context(), a.worker, wishes, lock)
	must(rt)(claims, err)
	for i, c := range claims {
		if (c.Status == engine.ClaimLocked) != (jobs[i].Task == busy) {
			rt.Fatalf("claim in task %d beside a lock on %d: %s", jobs[i].Task, busy, c.Status)
		}
		if c.Status == engine.Claimed {
			claimed = append(claimed, engine.FinishRequest{
				TaskID: jobs[i].Task, StepID: jobs[i].Step, Token: c.Attempt.Token,
				Succeeded: true, Result: json.RawMessage(`{}`), Metadata: json.RawMessage(`{}`),
			})
		}
	}
	return claimed
}

func (a *agreement) finish(rt *rapid.T) {
	finishes := some(rt, "claims", a.holding())
	for i := range finishes {
		f := &finishes[i]
		f.Queue, f.Result = drawQueue(rt), json.RawMessage(`{"n": 1}`)
		f.Succeeded = rapid.IntRange(0, 3).Draw(rt, "succeeds") > 0
		f.Permanent = !f.Succeeded && rapid.IntRange(0, 2).Draw(rt, "for good") == 0
		f.RetryAfter = time.Duration(rapid.IntRange(0, 1).Draw(rt, "retry after")) * time.Minute
	}
	a.beside(rt, func(lock sql.LockMode, busy int64) { a.finishThese(rt, finishes, lock, busy) })
}

func (a *agreement) finishThese(rt *rapid.T, finishes []engine.FinishRequest, lock sql.LockMode, busy int64) {
	for i, r := range a.record(rt, finishes, lock) {
		f := finishes[i]
		if f.TaskID == busy {
			if r.Status != engine.StatusLocked {
				rt.Fatalf("the finish of step %d in a task that is locked is %s", f.StepID, r.Status)
			}
			continue
		}
		if r.Status != engine.StatusRecorded {
			rt.Fatalf("the finish of step %d is %s", f.StepID, r.Status)
		}
		a.note(rt, f, r)
	}
}

// note keeps what came of a finish that was recorded.
func (a *agreement) note(rt *rapid.T, f engine.FinishRequest, r engine.FinishResult) {
	delete(a.held, f.StepID)
	sent := sentFinish{finish: f}
	if r.Next != nil {
		sent.next, sent.token = r.Next.Step.ID, r.Next.Token
		a.hold(rt, f.TaskID, sent.next, sent.token)
	}
	a.sent = append(a.sent, sent)
}

// spawn finishes a step that adds some to its task, which wait for each other or for others of the task, as far as the task takes them.
func (a *agreement) spawn(rt *rapid.T) {
	if len(a.held) == 0 {
		rt.Skip("no claims")
	}
	f := rapid.SampledFrom(a.holding()).Draw(rt, "claim")
	f.Queue, f.Result, f.Succeeded = drawQueue(rt), json.RawMessage(`{"n": 1}`), true
	names := query(rt, a.b, pgx.RowTo[string], `SELECT name FROM tasker.step_readiness($1) ORDER BY workflow_step_id`, f.TaskID)
	for range rapid.IntRange(1, 3).Draw(rt, "spawned") {
		a.added++
		step := engine.SpawnedStep{
			Name: fmt.Sprintf("x%d", a.added), Handler: rapid.SampledFrom([]string{"Served", "Unserved"}).Draw(rt, "handler"),
			Retryable: true, RetryLimit: rapid.IntRange(0, 2).Draw(rt, "limit"),
		}
		if rapid.Bool().Draw(rt, "waits") {
			step.DependsOn = rapid.Permutation(names).Draw(rt, "parents")[:1]
		}
		names = append(names, step.Name)
		f.Spawned = append(f.Spawned, step)
	}
	recorded, err := a.b.store.FinishWithSideEffects(a.b.t.Context(), a.worker, f)
	if errors.Is(err, engine.ErrDataRejected) && strings.Contains(err.Error(), "waits for it in turn") {
		return
	}
	must(rt)(recorded, err)
	if recorded.Status != engine.StatusRecorded {
		rt.Fatalf("the finish of step %d, which adds others, is %s", f.StepID, recorded.Status)
	}
	a.note(rt, f, recorded)
}

func (a *agreement) record(rt *rapid.T, finishes []engine.FinishRequest, lock sql.LockMode) []engine.FinishResult {
	recorded, err := a.b.store.Finish(a.b.t.Context(), a.worker, finishes, lock)
	must(rt)(recorded, err)
	return recorded
}

// finishAgain sends what was recorded: the answer is the same while the claim in it is held.
func (a *agreement) finishAgain(rt *rapid.T) {
	again := some(rt, "finishes", a.sent[max(0, len(a.sent)-4):])
	finishes := make([]engine.FinishRequest, len(again))
	for i := range again {
		finishes[i] = again[i].finish
	}
	for i, r := range a.record(rt, finishes, sql.WaitForLock) {
		var want, got int64
		if again[i].token != 0 && a.held[again[i].next].Token == again[i].token {
			want = again[i].token
		}
		if r.Next != nil {
			got = r.Next.Token
		}
		if r.Status != engine.StatusRecorded || got != want {
			rt.Fatalf("the finish of step %d again: %s with claim %d, want recorded with %d", finishes[i].StepID, r.Status, got, want)
		}
	}
}

// finishLost sends outcomes of claims that others ended.
func (a *agreement) finishLost(rt *rapid.T) {
	lost := some(rt, "lost claims", a.lost)
	for i := range lost {
		lost[i].Queue, lost[i].Succeeded, lost[i].Result = drawQueue(rt), rapid.Bool().Draw(rt, "succeeds"), json.RawMessage(`{}`)
	}
	for i, r := range a.record(rt, lost, sql.WaitForLock) {
		if r.Status != engine.StatusStale || r.Next != nil {
			rt.Fatalf("the outcome of a claim of step %d that is not held: %+v", lost[i].StepID, r)
		}
	}
}

func (a *agreement) giveBack(rt *rapid.T) {
	for _, f := range some(rt, "claims", a.holding()) {
		recorded, err := a.b.store.GiveBack(a.b.t.Context(), engine.GiveBackRequest{
			TaskID: f.TaskID, StepID: f.StepID, Token: f.Token, Reason: "drain", Cap: 1,
			Delay: time.Duration(rapid.IntRange(0, 1).Draw(rt, "delay")) * time.Minute,
		})
		must(rt)(recorded, err)
		if recorded.Status != engine.StatusGivenBack && recorded.Status != engine.StatusCounted {
			rt.Fatalf("giving back step %d: %s", f.StepID, recorded.Status)
		}
		delete(a.held, f.StepID)
	}
}

func (a *agreement) expire(rt *rapid.T) {
	expired := query(rt, a.b, pgx.RowTo[int], `SELECT tasker.expire_claims($1, 'lease_expired')`, a.worker)[0]
	if expired != len(a.held) {
		rt.Fatalf("%d claims expired, %d were held", expired, len(a.held))
	}
	a.lost = append(a.lost, a.holding()...)
	clear(a.held)
}

// passTime moves everything that waits for an instant ten minutes into the past.
func (a *agreement) passTime(rt *rapid.T) {
	for _, statement := range []string{
		`UPDATE public.tasker_workflow_steps SET last_attempted_at = last_attempted_at - interval '10 minutes' WHERE task_id = ANY ($1)`,
		`UPDATE public.tasker_workflow_step_transitions SET created_at = created_at - interval '10 minutes'
			WHERE workflow_step_id IN (SELECT workflow_step_id FROM public.tasker_workflow_steps WHERE task_id = ANY ($1))`,
		`UPDATE tasker.river_job SET scheduled_at = scheduled_at - interval '10 minutes' WHERE (args ->> 'task_id')::bigint = ANY ($1)`,
	} {
		must(rt)(a.b.pool.Exec(a.b.t.Context(), statement, a.tasks))
	}
}

// plainSQL does to one step or task what an application does, and looks again, as the sweep would.
func (a *agreement) plainSQL(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "not now") {
		rt.Skip("not now")
	}
	s := rapid.SampledFrom(a.look(rt)).Draw(rt, "step")
	switch open := s.TaskState == engine.Pending || s.TaskState == engine.InProgress; {
	case open && rapid.IntRange(0, 3).Draw(rt, "whole task") == 0:
		a.cancel(rt, s.Task)
		return
	case !open && s.TaskState != engine.Error:
		rt.Skip("the task has ended")
	case s.State == engine.InProgress:
		a.lost = append(a.lost, a.held[s.Step])
		delete(a.held, s.Step)
		a.move(rt, s, engine.Cancelled, `in_process = false`)
	case s.State == engine.Pending:
		a.move(rt, s, rapid.SampledFrom([]engine.State{engine.Cancelled, engine.ResolvedManually}).Draw(rt, "to"), `in_process = false`)
	case s.State == engine.Error:
		to := rapid.SampledFrom([]engine.State{engine.Pending, engine.ResolvedManually}).Draw(rt, "to")
		a.move(rt, s, to, `retry_limit = attempts + 1, retryable = true, backoff_request_seconds = NULL`)
	default:
		rt.Skip("the step has ended")
	}
}

func (a *agreement) cancel(rt *rapid.T, task int64) {
	must(rt)(a.b.pool.Exec(a.b.t.Context(), `SELECT tasker.transition_task($1, 'cancelled', '{}')`, task))
	a.ended[task] = true
}

// move writes a transition of a step, makes its task go on if it had ended, and looks at it. What was cancelled, and what
// had failed before a task goes on, is noticed by the sweep only, which leaves new tasks to their first tick.
func (a *agreement) move(rt *rapid.T, s standing, to engine.State, set string) {
	ctx := a.b.t.Context()
	must(rt)(a.b.pool.Exec(ctx, `UPDATE public.tasker_workflow_steps SET `+set+` WHERE workflow_step_id = $1`, s.Step))
	must(rt)(a.b.pool.Exec(ctx, `SELECT tasker.transition_step($1, $2, '{}')`, s.Step, to))
	if s.TaskState == engine.Error {
		must(rt)(a.b.pool.Exec(ctx, `SELECT tasker.transition_task($1, 'pending', '{}')`, s.Task))
	}
	if s.TaskState != engine.InProgress {
		a.tickThese(rt, []sql.TickRequest{{TaskID: s.Task, Queue: drawQueue(rt)}}, sql.WaitForLock, 0)
	}
	if to == engine.Cancelled || s.TaskState == engine.Error || rapid.Bool().Draw(rt, "sweep") {
		must(rt)(a.b.store.Sweep(ctx, s.Task-1, 1, 0, 0))
		return
	}
	a.tickThese(rt, []sql.TickRequest{{TaskID: s.Task, Queue: drawQueue(rt)}}, sql.WaitForLock, 0)
}

// runToTheEnd goes on until every task has ended: attempts succeed, one at a time, but a task may be cancelled during one.
func (a *agreement) runToTheEnd(rt *rapid.T) {
	wishes := make([]sql.TickRequest, len(a.tasks))
	for i, task := range a.tasks {
		wishes[i] = sql.TickRequest{TaskID: task}
	}
	a.tickThese(rt, wishes, sql.WaitForLock, 0)
	for range 60 { // more than a task has steps and retries
		a.passTime(rt)
		jobs := a.jobs(rt)
		if len(jobs)+len(a.held) == 0 {
			break
		}
		a.claimNow(rt, jobs, sql.WaitForLock, 0)
		for len(a.held) > 0 {
			f := a.holding()[0]
			if !a.ended[f.TaskID] && rapid.IntRange(0, 14).Draw(rt, "cancel") == 0 {
				a.cancel(rt, f.TaskID)
			}
			f.Succeeded, f.Result, f.Queue = true, json.RawMessage(`{}`), "default"
			a.finishThese(rt, []engine.FinishRequest{f}, sql.WaitForLock, 0)
		}
		a.check(rt)
	}
	a.tickThese(rt, wishes, sql.WaitForLock, 0) // for those that are blocked
	for _, s := range a.look(rt) {
		if s.TaskState == engine.Pending || s.TaskState == engine.InProgress || s.State == engine.InProgress {
			rt.Fatalf("in the end task %d is %s and its step %d is %s", s.Task, s.TaskState, s.Step, s.State)
		}
	}
}
