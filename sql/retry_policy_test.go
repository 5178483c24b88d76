package sql_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

// policyModel is the rule of a retry policy in plain Go: whether a failure is retried, and the bounds of the delay.
func policyModel(p templates.RetryPolicy, classes []string, attempts, retryAfter int) (retried bool, least, most float64) {
	among := func(list []string) bool {
		return slices.ContainsFunc(classes, func(class string) bool { return slices.Contains(list, class) })
	}
	if p.Policy == templates.RetryNone || among(p.NeverOn) || len(p.On) > 0 && !among(p.On) {
		return false, 0, 0
	}
	base, rule := float64(p.BaseSeconds), math.Min(math.Pow(2, float64(attempts)), 30)
	switch p.Policy {
	case "":
		delay := math.Max(rule, float64(retryAfter))
		return true, delay, delay
	case templates.RetryFixed:
		most = base
	case templates.RetryLinear:
		most = base * float64(attempts)
	case templates.RetryExponential:
		most = base * math.Pow(2, float64(attempts-1))
	}
	most = math.Min(most, float64(p.MaxSeconds))
	least = map[string]float64{templates.JitterNone: most, templates.JitterEqual: math.Floor(most / 2), templates.JitterFull: 0}[p.Jitter]
	return true, math.Max(least, float64(retryAfter)), math.Max(most, float64(retryAfter))
}

func drawPolicy(rt *rapid.T) templates.RetryPolicy {
	classes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"A", "B", "C"}), 0, 2, rapid.ID)
	p := templates.RetryPolicy{Policy: rapid.SampledFrom([]string{"", "none", "fixed", "linear", "exponential"}).Draw(rt, "policy")}
	if p.Policy != templates.RetryNone {
		p.On, p.NeverOn = classes.Draw(rt, "on"), classes.Draw(rt, "never_on")
	}
	if p.Policy != "" && p.Policy != templates.RetryNone {
		p.MaxSeconds = rapid.IntRange(0, 400).Draw(rt, "max")
		p.BaseSeconds = rapid.IntRange(0, p.MaxSeconds).Draw(rt, "base")
		p.Jitter = rapid.SampledFrom([]string{"none", "equal", "full"}).Draw(rt, "jitter")
	}
	return p
}

// TestRetryPoliciesFollowTheirModel also asks the engine's own function when the step is ready.
func TestRetryPoliciesFollowTheirModel(t *testing.T) {
	t.Parallel()
	b := setup(t, "name: one\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n  - {name: only, handler_class: H, default_retry_limit: 100}\n")
	rapid.Check(t, func(rt *rapid.T) {
		policy := drawPolicy(rt)
		class := rapid.SampledFrom([]string{"A", "B", "D"}).Draw(rt, "class")
		attempts := rapid.IntRange(1, 40).Draw(rt, "attempts")
		retryAfter := rapid.SampledFrom([]int{0, 0, 1, 20, 200}).Draw(rt, "retry_after")
		document, _ := json.Marshal(policy)
		b.exec(`UPDATE tasker.template_steps SET retry = $1`, document)

		id := b.create("one")
		b.exec(`UPDATE public.tasker_workflow_steps SET attempts = $2 WHERE task_id = $1`, id, attempts-1)
		a := b.claim(id, "only")
		superclass := rapid.SampledFrom([]string{"C", "E"}).Draw(rt, "superclass")
		recorded := b.finish(engine.FinishRequest{
			Metadata: fmt.Appendf(nil, `{"exception_ancestors": ["F", %q]}`, superclass),
			Result:   fmt.Appendf(nil, `{"error": "no", "error_class": %q}`, class), RetryAfter: time.Duration(retryAfter) * time.Second,
			StepID: a.Step.ID, TaskID: id, Token: a.Token,
		})
		retried, least, most := policyModel(policy, []string{class, "F", superclass}, attempts, retryAfter)
		if !retried {
			if step := b.step(id, "only"); recorded.TaskState != engine.Error || step.Readiness != engine.Exhausted || step.Limit != attempts {
				rt.Fatalf("task %s, step %s, limit %d, want the end after %d attempts", recorded.TaskState, step.Readiness, step.Limit, attempts)
			}
			return
		}
		delay := queryAll[float64](b, `
			SELECT coalesce(extract(epoch FROM r.due_at - s.last_attempted_at AT TIME ZONE 'UTC'), 0)::float8
			FROM tasker.step_readiness($1) r JOIN public.tasker_workflow_steps s ON s.workflow_step_id = r.workflow_step_id`, id)[0]
		if delay < least-0.1 || delay > most+0.5 {
			rt.Fatalf("retried after %.3f s, want from %.0f to %.0f", delay, least, most)
		}
		for _, early := range []bool{true, false} {
			at := delay + 0.1
			if early {
				at = delay - 1
			}
			if early && delay < 2 {
				continue
			}
			if ready := b.readyAfter(id, at); ready != [2]bool{!early, !early} {
				rt.Fatalf("%.1f s after the failure, with a delay of %.1f s: ready for [the worker, the engine] %v", at, delay, ready)
			}
		}
	})
}

// readyAfter says whether the worker's and the engine's functions find the task's step ready that long after its last attempt.
func (b bundle) readyAfter(id int64, seconds float64) (ready [2]bool) {
	b.t.Helper()
	tx, err := b.pool.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(b.t.Context()) }()
	err = tx.QueryRow(b.t.Context(), `
		WITH shift AS (
			SELECT timezone('UTC', now()) - make_interval(secs => $2) - s.last_attempted_at AS by FROM public.tasker_workflow_steps s WHERE s.task_id = $1
		), steps AS (
			UPDATE public.tasker_workflow_steps s SET last_attempted_at = s.last_attempted_at + shift.by FROM shift WHERE s.task_id = $1 RETURNING s.workflow_step_id
		)
		UPDATE public.tasker_workflow_step_transitions t SET created_at = t.created_at + shift.by FROM shift, steps
		WHERE t.workflow_step_id = steps.workflow_step_id RETURNING true`, id, seconds).Scan(&ready[0])
	if err != nil {
		b.t.Fatal(err)
	}
	err = tx.QueryRow(b.t.Context(), `
		SELECT (SELECT readiness = 'ready' FROM tasker.step_readiness($1)),
			(SELECT ready_for_execution FROM public.get_step_readiness_status($1))`, id).Scan(&ready[0], &ready[1])
	if err != nil {
		b.t.Fatal(err)
	}
	return ready
}

const policiesYAML = `
name: policies
namespace_name: test
version: 1.0.0
retry: {policy: fixed, base_seconds: 0}
step_templates:
  - {name: at_once, handler_class: H, default_retry_limit: 2}
  - {name: later, handler_class: H, retry: {policy: fixed, base_seconds: 60}}
  - {name: picky, handler_class: H, retry: {never_on: [E]}}
`

func TestRetryPolicyOfTheTemplateIsKeptAndApplied(t *testing.T) {
	t.Parallel()
	b := setup(t, policiesYAML)
	id := b.create("policies")
	b.exec(`DELETE FROM tasker.river_job`)

	b.fail(b.claim(id, "at_once"), false)
	if step := b.step(id, "at_once"); step.State != engine.Pending || step.Readiness != engine.Ready {
		t.Errorf("at_once is %s, %s; want to be ready at once", step.State, step.Readiness)
	}
	if jobs := queryAll[int](b, `SELECT count(*) FROM tasker.river_job WHERE scheduled_at <= now()`)[0]; jobs != 1 {
		t.Errorf("%d jobs, want one for now", jobs)
	}
	b.fail(b.claim(id, "at_once"), false)
	if step := b.step(id, "at_once"); step.State != engine.Error || step.Readiness != engine.Exhausted {
		t.Errorf("after its last attempt at_once is %s, %s", step.State, step.Readiness)
	}
	recorded := b.fail(b.claim(id, "later"), false)
	if step := b.step(id, "later"); step.State != engine.Error || recorded.Due.After < 59*time.Second || recorded.Due.After > 71*time.Second {
		t.Errorf("later is %s, due in %s", step.State, recorded.Due.After)
	}
	b.fail(b.claim(id, "picky"), false) // with class E
	if step := b.step(id, "picky"); step.Readiness != engine.Exhausted || !step.History[0].Permanent || step.History[0].RetryLimit != 3 {
		t.Errorf("picky is %s, %+v", step.Readiness, step.History)
	}
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestRetryPolicyThatSomebodyChangedIsRestored(t *testing.T) {
	t.Parallel()
	b := setup(t, policiesYAML)
	b.exec(`UPDATE tasker.template_steps SET retry = '{"policy": "none"}' WHERE name = 'later'`)
	template, _, err := templates.Parse("test.yaml", []byte(policiesYAML), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := b.store.SyncTemplates(t.Context(), []*templates.Template{template}, false)
	if err != nil || len(report.Restored) != 1 {
		t.Errorf("synced %+v, %v", report, err)
	}
	if stored := queryAll[string](b, `SELECT retry ->> 'policy' FROM tasker.template_steps WHERE name = 'later'`)[0]; stored != "fixed" {
		t.Errorf("the policy is %s", stored)
	}
}

// TestSpawnedStepHasTheEnginesRule is about a step that a handler added: the template does not know it.
func TestSpawnedStepHasTheEnginesRule(t *testing.T) {
	t.Parallel()
	b := setup(t, policiesYAML)
	id := b.create("policies")
	a := b.claim(id, "later")
	_, err := b.store.FinishWithSideEffects(t.Context(), worker, engine.FinishRequest{
		TaskID: id, StepID: a.Step.ID, Token: a.Token, Succeeded: true, Result: []byte(`{}`), Metadata: []byte(`{}`),
		SideEffects: engine.SideEffects{Spawned: []engine.SpawnedStep{{Name: "more", Handler: "H", Retryable: true, RetryLimit: 3}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	recorded := b.fail(b.claim(id, "more"), false)
	if recorded.Due.After < time.Second || recorded.Due.After > 3*time.Second {
		t.Errorf("due in %s, want the engine's two seconds", recorded.Due.After)
	}
}
