package sql

import (
	"context"

	"github.com/jackc/pgx/v5"
)

const claimsOfSQL = `
SELECT s.task_id, s.workflow_step_id, t.id
FROM public.tasker_workflow_step_transitions t
JOIN public.tasker_workflow_steps s ON s.workflow_step_id = t.workflow_step_id
WHERE t.id = ANY ($1) AND t.most_recent`

// ClaimsOf returns those of the claims with these tokens that are still held.
func (s *Store) ClaimsOf(ctx context.Context, tokens []int64) ([]UnheldClaim, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, claimsOfSQL, tokens)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c UnheldClaim, err error) {
		err = row.Scan(&c.TaskID, &c.StepID, &c.Token)
		return c, err
	})
}
