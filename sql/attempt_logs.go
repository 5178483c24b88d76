package sql

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// AttemptLine is a line that an attempt printed or logged.
type AttemptLine struct {
	// Token is the attempt: the id of its in_progress transition.
	Token int64 `json:"token"`
	// Line counts from 1 within the attempt.
	Line   int    `json:"line"`
	StepID int64  `json:"step_id"`
	Step   string `json:"step"`
	// Attempt numbers the attempt within the step, from 1.
	Attempt int `json:"attempt"`
	// At is the time of the worker that ran the attempt.
	At      time.Time `db:"logged_at" json:"at"`
	Level   string    `json:"level"`
	Stream  string    `json:"stream"`
	Message string    `json:"message"`
}

// A line that is there already came with a call whose answer was lost.
const appendLogsSQL = `INSERT INTO tasker.attempt_logs (token, line, step_id, attempt, logged_at, level, stream, message)
SELECT l.token, l.line, l.step_id, l.attempt, l.logged_at, l.level, l.stream, l.message
FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::integer[], $5::timestamptz[], $6::text[], $7::text[], $8::text[])
    AS l (token, line, step_id, attempt, logged_at, level, stream, message)
ON CONFLICT DO NOTHING`

// AppendLogs writes lines in one statement. Calling it again with the same lines changes nothing.
func (s *Store) AppendLogs(ctx context.Context, lines []AttemptLine) error {
	n := len(lines)
	tokens, numbers, steps, attempts := make([]int64, n), make([]int, n), make([]int64, n), make([]int, n)
	times, levels, streams, messages := make([]time.Time, n), make([]string, n), make([]string, n), make([]string, n)
	for i := range lines {
		l := &lines[i]
		tokens[i], numbers[i], steps[i], attempts[i] = l.Token, l.Line, l.StepID, l.Attempt
		times[i], levels[i], streams[i], messages[i] = l.At, l.Level, l.Stream, l.Message
	}
	_, err := s.pool.Exec(ctx, appendLogsSQL, tokens, numbers, steps, attempts, times, levels, streams, messages)
	return err
}

// LogFilter narrows what [Store.AttemptLogs] reads. Zero values do not narrow.
type LogFilter struct {
	// Step is the name of a step.
	Step    string
	Attempt int
	// Seen is the last line that was read of each token: only later ones are returned.
	Seen map[int64]int
}

const attemptLogsSQL = `
SELECT l.token, l.line, l.step_id, n.name::text AS step, l.attempt, l.logged_at, l.level, l.stream, l.message
FROM public.tasker_workflow_steps s
JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = s.workflow_step_id AND t.to_state = 'in_progress'
LEFT JOIN unnest($4::bigint[], $5::integer[]) AS seen (token, line) ON seen.token = t.id
JOIN tasker.attempt_logs l ON l.token = t.id AND l.line > coalesce(seen.line, 0)
WHERE s.task_id = $1 AND ($2 = '' OR n.name = $2) AND ($3 = 0 OR l.attempt = $3)
ORDER BY l.logged_at, l.token, l.line`

// AttemptLogs reads what the attempts of a task printed and logged, in the order of time.
func (s *Store) AttemptLogs(ctx context.Context, task int64, f LogFilter) ([]AttemptLine, error) {
	tokens, lines := make([]int64, 0, len(f.Seen)), make([]int, 0, len(f.Seen))
	for token, line := range f.Seen {
		tokens, lines = append(tokens, token), append(lines, line)
	}
	rows, err := s.pool.Query(ctx, attemptLogsSQL, task, f.Step, f.Attempt, tokens, lines)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[AttemptLine])
}

// Tokens grow with time, so that the oldest lines are the first of the primary key.
const sweepLogsSQL = `
WITH old AS (
    SELECT l.token, l.line, l.logged_at FROM tasker.attempt_logs l ORDER BY l.token, l.line LIMIT $2
)
DELETE FROM tasker.attempt_logs l USING old
WHERE l.token = old.token AND l.line = old.line AND old.logged_at < clock_timestamp() - $1 * interval '1 ms'`

// SweepLogs forgets lines older than retention, of the oldest page of them. It returns how many; a full page means that
// there may be more.
func (s *Store) SweepLogs(ctx context.Context, retention time.Duration, page int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tag, err := s.pool.Exec(ctx, sweepLogsSQL, retention.Milliseconds(), page)
	return int(tag.RowsAffected()), err
}
