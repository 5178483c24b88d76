package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/riverqueue/river"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// tickTimeout bounds one tick.
const tickTimeout = 30 * time.Second

// tickWorker runs tasker_tick jobs.
type tickWorker struct {
	river.WorkerDefaults[tickArgs]

	taker     *taker
	commit    *committer
	store     *sql.Store
	schemas   *schemaCache
	wake      func(engine.Due)
	taskEnded func(task int64, state engine.State)
	log       *slog.Logger
}

// Timeout implements river.Worker. A tick that claims a step has the time of that step.
func (w *tickWorker) Timeout(job *river.Job[tickArgs]) time.Duration {
	if job.Args.Handler != "" {
		return stepTimeout
	}
	return tickTimeout
}

// NextRetry implements river.Worker.
func (w *tickWorker) NextRetry(job *river.Job[tickArgs]) time.Time { return nextRetry(job.Attempt) }

// Work implements river.Worker.
func (w *tickWorker) Work(ctx context.Context, job *river.Job[tickArgs]) error {
	if job.Args.Handler == "" {
		_, err := w.tick(ctx, sql.TickWish{TaskID: job.Args.TaskID})
		return err
	}
	var ticked bool
	err := w.taker.run(ctx, engine.Opening{
		TaskID: job.Args.TaskID, Handler: job.Args.Handler, Queue: job.Queue,
		Claim: func(ctx context.Context) (*engine.Attempt, error) {
			ticked = true
			return w.tick(ctx, sql.TickWish{TaskID: job.Args.TaskID, Queue: job.Queue, Key: strconv.FormatInt(job.ID, 10)})
		},
	})
	if snooze, ok := errors.AsType[*river.JobSnoozeError](err); ok && !ticked && snooze.Duration > 0 {
		// There is no room here for the first step: the task starts, and the step waits for whoever has.
		_, err = w.tick(ctx, sql.TickWish{TaskID: job.Args.TaskID})
	}
	return err
}

// tick ticks a task, and returns the step that was claimed with it, if any.
func (w *tickWorker) tick(ctx context.Context, wish sql.TickWish) (*engine.Attempt, error) {
	result, err := w.commit.Tick(ctx, wish)
	if err == nil && result.Status == sql.TickUnchecked {
		result, err = w.check(ctx, wish, result)
	}
	if err != nil {
		return nil, fmt.Errorf("ticking task %d: %w", wish.TaskID, err)
	}
	switch {
	case result.Status == sql.TickUnknownTemplate:
		w.log.WarnContext(ctx, "task is left alone: its template is not synced", "task_id", result.TaskID)
	case result.Status == sql.Ticked && result.State.TaskEnded():
		w.log.InfoContext(ctx, "task "+string(result.State), "task_id", result.TaskID)
		w.taskEnded(result.TaskID, result.State)
	}
	if result.Due.Queue != "" {
		w.wake(result.Due)
	}
	return result.Attempt, nil
}

// check validates the context of a task that has not started, and starts or rejects it.
func (w *tickWorker) check(ctx context.Context, wish sql.TickWish, unchecked sql.TickResult) (sql.TickResult, error) {
	violations, err := w.violations(ctx, unchecked)
	if err != nil {
		return unchecked, err
	}
	if len(violations) == 0 {
		wish.Checked = true
		return w.commit.Tick(ctx, wish)
	}
	reason, err := json.Marshal(map[string]any{"reason": "invalid_context", "violations": violations})
	if err != nil {
		return unchecked, err
	}
	rejected, err := w.store.Reject(ctx, unchecked.TaskID, reason)
	if err != nil {
		return unchecked, err
	}
	w.log.WarnContext(ctx, "task rejected: its context cannot be read, or does not match the template's schema",
		"task_id", unchecked.TaskID, "violations", violations)
	if rejected {
		w.taskEnded(unchecked.TaskID, engine.Error)
	}
	return sql.TickResult{TaskID: unchecked.TaskID, Status: sql.TickClosed}, nil
}

// violations are what keeps the task from starting: first what no handler could read, then what the schema says.
func (w *tickWorker) violations(ctx context.Context, unchecked sql.TickResult) ([]string, error) {
	if fault := engine.CheckReadable(unchecked.Context); fault != nil {
		return []string{fault.Error()}, nil //nolint:nilerr // it is what was looked for
	}
	schema, err := w.schemas.get(ctx, unchecked.NamedTaskID, unchecked.Digest)
	if schema == nil || err != nil {
		return nil, err
	}
	found := schema.Check(unchecked.Context)
	lines := make([]string, len(found))
	for i, v := range found {
		lines[i] = v.String()
	}
	return lines, nil
}
