package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// taskStarter starts tasks: it checks their contexts against the schemas of their templates, ticks them and handles the
// results of the ticks.
type taskStarter struct {
	commit    *committer
	store     *sql.Store
	schemas   *schemaCache
	wake      func(engine.ScheduledWake)
	taskEnded func(task int64, state engine.State)
	log       *slog.Logger
}

// tick ticks a task that needs no slot.
func (s *taskStarter) tick(ctx context.Context, task int64) error {
	result, err := s.commit.Tick(ctx, sql.TickRequest{TaskID: task})
	if err == nil && result.Status == sql.TickUnchecked {
		var valid bool
		if valid, err = s.contextValid(ctx, result); err == nil && valid {
			result, err = s.commit.Tick(ctx, sql.TickRequest{TaskID: task, Checked: true})
		}
	}
	if err != nil {
		return fmt.Errorf("ticking task %d: %w", task, err)
	}
	s.afterTick(ctx, result)
	return nil
}

// checkAndStart checks the context of a fetched task that has not started and starts the task. It returns the attempt
// of the first step if that was claimed. It rejects a task with an invalid context.
func (s *taskStarter) checkAndStart(
	ctx context.Context, queue string, job sql.Fetched, runner *engine.Runner,
) (*engine.Attempt, error) {
	valid, err := s.contextValid(ctx, sql.TickResult{
		TaskID: job.TaskID, NamedTaskID: job.NamedTaskID, Digest: job.Digest, Context: job.Context,
	})
	if err != nil || !valid {
		return nil, err
	}
	result, err := s.commit.TickFetched(ctx, queue, job, runner)
	if err != nil {
		return nil, err
	}
	s.afterTick(ctx, result)
	return result.Attempt, nil
}

// contextValid reports whether the context of a task is readable and matches the schema of its template. Otherwise it
// rejects the task.
func (s *taskStarter) contextValid(ctx context.Context, unchecked sql.TickResult) (bool, error) {
	violations, err := s.violations(ctx, unchecked)
	if err != nil || len(violations) == 0 {
		return err == nil, err
	}
	reason, err := json.Marshal(map[string]any{"reason": "invalid_context", "violations": violations})
	if err != nil {
		return false, err
	}
	rejected, err := s.store.Reject(ctx, unchecked.TaskID, reason)
	if err != nil {
		return false, err
	}
	s.log.WarnContext(ctx, "task rejected: its context is unreadable or does not match the template's schema",
		"task_id", unchecked.TaskID, "violations", violations)
	if rejected {
		s.taskEnded(unchecked.TaskID, engine.Error)
	}
	return false, nil
}

// violations returns the faults of the context: that no handler could read it, or the violations of the schema.
func (s *taskStarter) violations(ctx context.Context, unchecked sql.TickResult) ([]string, error) {
	if fault := engine.CheckReadable(unchecked.Context); fault != nil {
		return []string{fault.Error()}, nil //nolint:nilerr // it is the result
	}
	schema, err := s.schemas.get(ctx, unchecked.NamedTaskID, unchecked.Digest)
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

// afterTick handles the result of a tick: it logs the result, reports the end of the task and schedules the wake-up.
func (s *taskStarter) afterTick(ctx context.Context, result sql.TickResult) {
	switch {
	case result.Status == sql.TickUnknownTemplate:
		s.log.WarnContext(ctx, "task not started: its template is not synced", "task_id", result.TaskID)
	case result.Status == sql.Ticked && result.State.TaskEnded():
		s.log.InfoContext(ctx, "task "+string(result.State), "task_id", result.TaskID)
		s.taskEnded(result.TaskID, result.State)
	}
	if result.Due.Queue != "" {
		s.wake(result.Due)
	}
}
