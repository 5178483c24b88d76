package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

func TestTaskShowsTheAttemptsOfItsSteps(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	attempt := func(n int, state engine.State, seconds float64) sql.AttemptRecord {
		return sql.AttemptRecord{Attempt: n, State: state, Seconds: seconds, StartedAt: at, Worker: "web-1"}
	}
	failed := attempt(2, engine.Error, 0.5)
	failed.ErrorClass, failed.ErrorMessage, failed.Permanent, failed.RetryLimit = "Shop::Declined", "no cover\nat all", true, 4
	busy := attempt(1, engine.Error, 0.25)
	busy.ErrorMessage = "busy"
	quick := attempt(1, engine.Complete, 0.004)
	task := &client.Task{TaskID: 7, Namespace: "shop", Name: "checkout", Version: "1.0.0", State: engine.Error, Steps: []sql.Step{
		{Name: "quick", State: engine.Complete, Attempts: 1, Limit: 3, Retryable: true, History: []sql.AttemptRecord{quick}},
		{
			Name: "charge", State: engine.Error, Attempts: 2, Limit: 2, Retryable: true, Readiness: engine.Exhausted, DependsOn: []string{"quick"},
			History: []sql.AttemptRecord{busy, attempt(2, engine.Pending, 3), failed},
			Usage:   []sql.AttemptUsage{{Attempt: 1, CPUMS: 340.4, PeakMemoryBytes: 64 << 20, Seconds: 0.25, State: engine.Error}},
		},
		{Name: "once", State: engine.Error, Attempts: 1, Limit: 1, Readiness: engine.Exhausted, History: []sql.AttemptRecord{attempt(1, engine.Error, 0)}},
	}}
	var out strings.Builder
	if err := printTask(&out, task, 0); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(out.String(), "\n\n")
	want := `STEP    STATE     ATTEMPTS               TOOK   WORKER  AFTER  RESULT
quick   complete  1 of 3                 4ms    web-1
charge  error     2 of 4, permanent      500ms  web-1   quick
once    error     1 of 1, not retryable  0ms    web-1

ATTEMPT   STATE       STARTED (UTC)  TOOK   WORKER  CPU    PEAK MEMORY  ERROR
charge 1  error       03:04:05       250ms  web-1   340ms  64 MiB       busy
charge 2  given back  03:04:05       3.0s   web-1
charge 2  error       03:04:05       500ms  web-1                       Shop::Declined: no cover·at all

why it is where it is:
  charge failed for good after 2 of 4 attempts, permanent
  once failed for good after 1 of 1 attempt, not retryable
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTaskFitsAnyTerminal(t *testing.T) {
	t.Parallel()
	step := sql.Step{Name: strings.Repeat("long_", 25), State: engine.InProgress, Readiness: engine.InFlight, Attempts: 1, Limit: 3, Worker: "web-1"}
	step.History = []sql.AttemptRecord{{Attempt: 1, State: engine.InProgress, Worker: "web-1-with-a-long-name"}}
	for _, width := range []int{200, 80, 40, 20, 10} {
		var out strings.Builder
		if err := tableWithin(&out, stepRows([]sql.Step{step}), width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > max(width, 19) { // seven columns of one letter
				t.Errorf("of %d columns, %d are used: %s", width, n, line)
			}
		}
		if width >= 80 && !strings.Contains(out.String(), "in_progress") {
			t.Errorf("the state is cut in %d columns, and the name is wider:\n%s", width, &out)
		}
	}
}

func TestTaskSaysWhatAReadyStepWaitsFor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		wait *sql.WaitReason
		want string
	}{
		{nil, `pay was ready a moment ago`},
		{&sql.WaitReason{Reason: "no_worker"}, "pay is ready, and no worker is running: start `tasker-worker run`"},
		{&sql.WaitReason{Reason: "unserved"}, `pay is ready, and no live worker serves the handler "Shop::Pay"`},
		{&sql.WaitReason{Reason: "unworked", Queue: "slow"}, `pay is ready, and no live worker that serves the handler "Shop::Pay" works the queue "slow" (TASKER_QUEUES)`},
		{&sql.WaitReason{Reason: "paused", Queue: "slow"}, `pay is ready, and the queue "slow" is paused`},
		{&sql.WaitReason{Reason: "held", Worker: "web-1", DueAt: &at}, `pay is ready, and worker web-1 has fetched it at 03:04:05 UTC`},
		{&sql.WaitReason{Reason: "due", DueAt: &at}, `pay is ready, and is woken at 03:04:05 UTC`},
		{&sql.WaitReason{Reason: "queued", Queue: "default", Pool: "ruby"}, `pay is ready, and next in queue default/ruby`},
		{&sql.WaitReason{Reason: "queued", Queue: "default", Pool: "ruby", Ahead: 1}, `pay is ready, behind 1 step of queue default/ruby`},
		{&sql.WaitReason{Reason: "queued", Queue: "default", Ahead: 12}, `pay is ready, behind 12 steps of queue default`},
		{&sql.WaitReason{Reason: "no_job"}, `pay is ready, and no worker has been woken for it; the next sweep does that`},
	} {
		if got := whyReady(sql.Step{Name: "pay", Handler: "Shop::Pay", WaitsFor: test.wait}); got != test.want {
			t.Errorf("%+v: %q, want %q", test.wait, got, test.want)
		}
	}
}
