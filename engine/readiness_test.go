package engine_test

import (
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }
	fresh := engine.StepRow{State: engine.Pending, Limit: 3, Retryable: true, ParentsDone: true, Backoff: -1}
	with := func(change func(*engine.StepRow)) engine.StepRow {
		row := fresh
		change(&row)
		return row
	}
	failed := func(attempts, secondsAgo int) engine.StepRow {
		return with(func(s *engine.StepRow) {
			s.State, s.Attempts = engine.Error, attempts
			s.LastFailed, s.LastAttempted = ago(secondsAgo), ago(secondsAgo)
		})
	}
	for name, row := range map[string]struct {
		step engine.StepRow
		want engine.Readiness
		due  time.Time
	}{
		"fresh": {fresh, engine.Ready, time.Time{}},
		"complete": {
			with(func(s *engine.StepRow) { s.State = engine.Complete }), engine.Done, time.Time{},
		},
		"resolved manually": {
			with(func(s *engine.StepRow) { s.State = engine.ResolvedManually }), engine.Done, time.Time{},
		},
		"claimed": {
			with(func(s *engine.StepRow) { s.State = engine.InProgress }), engine.InFlight, time.Time{},
		},
		"cancelled": {
			with(func(s *engine.StepRow) { s.State = engine.Cancelled }), engine.CancelledStep, time.Time{},
		},
		"a parent is not done": {
			with(func(s *engine.StepRow) { s.ParentsDone = false }), engine.Waiting, time.Time{},
		},
		"failed, the rule's delay runs":    {failed(1, 1), engine.BackingOff, ago(-1)},
		"failed, the rule's delay is over": {failed(1, 2), engine.Ready, time.Time{}},
		"the rule's delay is bounded": {
			with(func(s *engine.StepRow) { *s = failed(9, 29); s.Limit = 10 }), engine.BackingOff, ago(-1),
		},
		"the handler's delay is longer": {
			with(func(s *engine.StepRow) { *s = failed(1, 5); s.Backoff = time.Minute }), engine.BackingOff, ago(-55),
		},
		"the rule's delay is longer": {
			with(func(s *engine.StepRow) { *s = failed(2, 1); s.Backoff = time.Second }), engine.BackingOff, ago(-3),
		},
		"pending with a handler's delay": {
			with(func(s *engine.StepRow) { s.LastAttempted = ago(5); s.Backoff = time.Minute }), engine.BackingOff,
			ago(-55),
		},
		"at its limit": {failed(3, 100), engine.Exhausted, time.Time{}},
		"back in pending at its limit": {
			with(func(s *engine.StepRow) { s.Attempts = 3 }), engine.Exhausted, time.Time{},
		},
		"failed and not retryable": {
			with(func(s *engine.StepRow) { *s = failed(1, 100); s.Retryable = false }), engine.Exhausted, time.Time{},
		},
		"first attempt, not retryable": {
			with(func(s *engine.StepRow) { s.Retryable = false }), engine.Ready, time.Time{},
		},
		"first attempt, limit of none": {with(func(s *engine.StepRow) { s.Limit = 0 }), engine.Ready, time.Time{}},
		"a flag says processed": {
			with(func(s *engine.StepRow) { s.Processed = true }), engine.Exhausted, time.Time{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, due := row.step.Readiness(now)
			if got != row.want || !due.Equal(row.due) {
				t.Errorf("got %s due %s, want %s due %s", got, due, row.want, row.due)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		steps []engine.Readiness
		want  engine.Decision
	}{
		"no steps":  {nil, engine.CompleteTask},
		"all done":  {[]engine.Readiness{engine.Done, engine.Done}, engine.CompleteTask},
		"one ready": {[]engine.Readiness{engine.Done, engine.Ready}, engine.ContinueTask},
		"one runs, another is exhausted": {
			[]engine.Readiness{engine.Exhausted, engine.InFlight}, engine.ContinueTask,
		},
		"one is retried, another is exhausted": {
			[]engine.Readiness{engine.Exhausted, engine.BackingOff}, engine.ContinueTask,
		},
		"exhausted": {
			[]engine.Readiness{engine.Done, engine.Exhausted, engine.Waiting}, engine.FailTask,
		},
		"cancelled": {
			[]engine.Readiness{engine.CancelledStep, engine.Waiting}, engine.FailTask,
		},
		"a cycle": {[]engine.Readiness{engine.Waiting, engine.Waiting}, engine.FailTask},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := engine.Decide(row.steps); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestBackoffDoublesUpToThirtySeconds(t *testing.T) {
	t.Parallel()
	for attempts, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
		want := time.Duration(seconds) * time.Second
		if got := engine.Backoff(attempts); got != want {
			t.Errorf("after %d attempts: %s, want %s", attempts, got, want)
		}
	}
}

func TestStepMachineHasNoWayFromInProgressToPending(t *testing.T) {
	t.Parallel()
	if engine.CanStepMove(engine.InProgress, engine.Pending) {
		t.Error("the engine's machine refuses it")
	}
	if !engine.CanTaskMove(engine.InProgress, engine.Pending) {
		t.Error("tasks may go back to pending")
	}
}
