package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

// tickTimeout bounds one tick.
const tickTimeout = 30 * time.Second

// tickWorker runs tasker_tick jobs.
type tickWorker struct {
	river.WorkerDefaults[tickArgs]

	store   *sql.Store
	schemas *schemaCache
	wakeIn  func(time.Duration)
	log     *slog.Logger
}

// Timeout implements river.Worker.
func (w *tickWorker) Timeout(*river.Job[tickArgs]) time.Duration { return tickTimeout }

// NextRetry implements river.Worker.
func (w *tickWorker) NextRetry(job *river.Job[tickArgs]) time.Time { return nextRetry(job.Attempt) }

// Work implements river.Worker.
func (w *tickWorker) Work(ctx context.Context, job *river.Job[tickArgs]) error {
	result, err := w.tick(ctx, job.Args.TaskID, false)
	if err == nil && result.Status == sql.TickUnchecked {
		result, err = w.check(ctx, result)
	}
	if err != nil {
		return fmt.Errorf("ticking task %d: %w", job.Args.TaskID, err)
	}
	switch {
	case result.Status == sql.TickUnknownTemplate:
		w.log.WarnContext(ctx, "task is left alone: its template is not synced", "task_id", result.TaskID)
	case result.Status == sql.Ticked && result.State.TaskEnded():
		w.log.InfoContext(ctx, "task "+string(result.State), "task_id", result.TaskID)
	}
	if result.RetryIn > 0 {
		w.wakeIn(result.RetryIn)
	}
	return nil
}

func (w *tickWorker) tick(ctx context.Context, task int64, checked bool) (sql.TickResult, error) {
	results, err := w.store.Tick(ctx, []int64{task}, checked)
	if err != nil {
		return sql.TickResult{}, err
	}
	if len(results) != 1 {
		return sql.TickResult{}, fmt.Errorf("the database answered %d ticks for one task", len(results))
	}
	return results[0], nil
}

// check validates the context of a task that has not started, and starts or rejects it.
func (w *tickWorker) check(ctx context.Context, unchecked sql.TickResult) (sql.TickResult, error) {
	schema, err := w.schemas.get(ctx, unchecked.NamedTaskID, unchecked.Digest)
	if err != nil {
		return unchecked, err
	}
	violations := schema.Check(unchecked.Context)
	if len(violations) == 0 {
		return w.tick(ctx, unchecked.TaskID, true)
	}
	reason, err := json.Marshal(rejection(violations))
	if err != nil {
		return unchecked, err
	}
	if _, err := w.store.Reject(ctx, unchecked.TaskID, reason); err != nil {
		return unchecked, err
	}
	w.log.WarnContext(ctx, "task rejected: its context does not match the template's schema",
		"task_id", unchecked.TaskID, "violations", violations)
	return sql.TickResult{TaskID: unchecked.TaskID, Status: sql.TickClosed}, nil
}

func rejection(violations []templates.Violation) map[string]any {
	lines := make([]string, len(violations))
	for i, v := range violations {
		lines[i] = v.String()
	}
	return map[string]any{"reason": "invalid_context", "violations": lines}
}
