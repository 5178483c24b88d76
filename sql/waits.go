package sql

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
)

// WaitReason is why a step that is ready does not run.
type WaitReason struct {
	StepID int64 `json:"-"`
	// Reason is a word of tasker.waits_for.
	Reason string `json:"reason"`
	Queue  string `json:"queue"`
	// Pool is what of a worker's slots the step needs, a language for most; empty when no worker serves the handler.
	Pool string `json:"pool"`
	// Ahead is how many jobs of the same queue and pool come first.
	Ahead int64 `json:"ahead"`
	// DueAt is when the step's job is due, or since when the worker holds it.
	DueAt  *time.Time `json:"due_at"`
	Worker string     `json:"worker"`
}

const waitsSQL = `
SELECT w.workflow_step_id AS step_id, w.reason, w.queue, w.pool, w.ahead, w.due_at, w.worker FROM tasker.waits_for($1) w`

// explain says of each step that is ready why it does not run.
func (s *Store) explain(ctx context.Context, task *Task) error {
	byID := make(map[int64]*Step)
	for i := range task.Steps {
		if step := &task.Steps[i]; step.Readiness == engine.Ready && !task.State.TaskEnded() {
			byID[step.StepID] = step
		}
	}
	if len(byID) == 0 {
		return nil
	}
	rows, err := s.pool.Query(ctx, waitsSQL, task.TaskID)
	if err != nil {
		return err
	}
	waits, err := pgx.CollectRows(rows, pgx.RowToStructByName[WaitReason])
	for _, wait := range waits {
		if step := byID[wait.StepID]; step != nil {
			step.WaitsFor = &wait
		}
	}
	return err
}
