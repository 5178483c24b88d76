package sql_test

import (
	"errors"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestStepRunsOnlyWhenItIsReady(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	status := func(name string) engine.ClaimStatus {
		claims, err := b.store.Claim(t.Context(), worker, []engine.ClaimRequest{{TaskID: id, StepID: b.step(id, name).StepID}}, sql.WaitForLock)
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
	claims, err := b.store.Claim(t.Context(), worker, []engine.ClaimRequest{{TaskID: id, StepID: 1 << 60}}, sql.WaitForLock)
	if err != nil || claims[0].Status != engine.StepGone {
		t.Errorf("a step that is not there: %v, %v", claims, err)
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
	giveBack := func(limit int) engine.FinishStatus {
		a := b.claim(id, "top")
		recorded, err := b.store.GiveBack(t.Context(), engine.GiveBackRequest{TaskID: id, StepID: a.Step.ID, Token: a.Token, Reason: "shutdown", Cap: limit})
		if err != nil {
			t.Fatal(err)
		}
		return recorded.Status
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
		workers, steps, _, err := b.store.ReapWorkers(t.Context())
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

func TestClaimWhoseAnswerWasLostIsMadeAnewByTheSameWakeUp(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	claim := func(key string) engine.ClaimResult {
		claims, err := b.store.Claim(t.Context(), worker, []engine.ClaimRequest{{TaskID: id, StepID: b.step(id, "top").StepID, ClaimKey: key}}, sql.WaitForLock)
		if err != nil {
			t.Fatal(err)
		}
		return claims[0]
	}

	lost := claim("7").Attempt
	if got := claim("8").Status; got != engine.NotReady {
		t.Errorf("another wake-up: %s", got)
	}
	again := claim("7").Attempt
	if again == nil || again.Token == lost.Token || again.Step.Attempt != 1 {
		t.Fatalf("the same wake-up: %+v", again)
	}
	if got := b.succeed(lost).Status; got != engine.StatusStale {
		t.Errorf("the lost claim's outcome was %s", got)
	}
	b.succeed(again)
	sqltest.CheckInvariants(t, b.pool, false)
}

func TestWorkerThatIsNotRegisteredClaimsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	id := b.create("diamond")
	b.exec(`DELETE FROM tasker.workers`)
	_, err := b.store.Claim(t.Context(), worker, []engine.ClaimRequest{{TaskID: id, StepID: b.step(id, "top").StepID}}, sql.WaitForLock)
	if !errors.Is(err, engine.ErrWorkerUnknown) {
		t.Errorf("got %v", err)
	}
	if got := b.states(id)["top"]; got != "pending 0" {
		t.Errorf("top is %s", got)
	}
}
