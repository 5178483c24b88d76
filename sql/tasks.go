package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Querier runs statements: a pool, a connection or a transaction of pgx.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// NewTask is a task to create. Namespace, Name and Version name a synced template.
type NewTask struct {
	Namespace, Name, Version string
	// Context is a JSON object; nil means {}.
	Context json.RawMessage
	// Initiator, SourceSystem and Reason default to "unknown", as the engine has them.
	Initiator, SourceSystem, Reason string
	Tags                            []string
	// BypassSteps is stored as the engine stores it.
	BypassSteps []string
	// IdentityKey makes the creation idempotent within namespace and name; empty means no key.
	IdentityKey string
}

const createTaskSQL = `SELECT tasker.create_task($1, $2, $3, $4::jsonb, coalesce($5, 'unknown'), coalesce($6, 'unknown'),
	coalesce($7, 'unknown'), $8::jsonb, $9::jsonb, $10)`

// CreateTask calls tasker.create_task through q, usually the caller's own transaction, and returns the task's id.
func (s *Store) CreateTask(ctx context.Context, q Querier, t NewTask) (int64, error) {
	context := t.Context
	if len(context) == 0 {
		context = json.RawMessage(`{}`)
	}
	var id int64
	err := q.QueryRow(ctx, createTaskSQL, t.Namespace, t.Name, t.Version, string(context), orNull(t.Initiator),
		orNull(t.SourceSystem), orNull(t.Reason), stringArray(t.Tags), stringArray(t.BypassSteps), orNull(t.IdentityKey)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("creating a task of %s/%s@%s: %w", t.Namespace, t.Name, t.Version, err)
	}
	return id, nil
}

const createTasksSQL = `SELECT id FROM tasker.create_tasks($1, $2, $3, $4::jsonb[], coalesce($5, 'unknown'), coalesce($6, 'unknown'),
	coalesce($7, 'unknown'), $8::jsonb, $9::jsonb, $10) AS t (id)`

// CreateTasks calls tasker.create_tasks through q once for each run of tasks that differ in context and identity key only.
// The ids are in the order of the tasks. One that cannot be created fails all, when q is a transaction.
func (s *Store) CreateTasks(ctx context.Context, q Querier, tasks []NewTask) ([]int64, error) {
	ids := make([]int64, 0, len(tasks))
	for len(tasks) > 0 {
		n := 1
		for n < len(tasks) && alike(&tasks[0], &tasks[n]) {
			n++
		}
		var err error
		if ids, err = appendCreated(ctx, ids, q, tasks[:n]); err != nil {
			return nil, fmt.Errorf("creating %d tasks of %s/%s@%s: %w", n, tasks[0].Namespace, tasks[0].Name, tasks[0].Version, err)
		}
		tasks = tasks[n:]
	}
	return ids, nil
}

func alike(a, b *NewTask) bool {
	return a.Namespace == b.Namespace && a.Name == b.Name && a.Version == b.Version &&
		a.Initiator == b.Initiator && a.SourceSystem == b.SourceSystem && a.Reason == b.Reason &&
		slices.Equal(a.Tags, b.Tags) && slices.Equal(a.BypassSteps, b.BypassSteps) && (a.IdentityKey == "") == (b.IdentityKey == "")
}

func appendCreated(ctx context.Context, ids []int64, q Querier, tasks []NewTask) ([]int64, error) {
	contexts, keys := make([]string, len(tasks)), make([]string, len(tasks))
	for i, t := range tasks {
		contexts[i], keys[i] = string(t.Context), t.IdentityKey
		if len(t.Context) == 0 {
			contexts[i] = `{}`
		}
	}
	t := tasks[0]
	if t.IdentityKey == "" {
		keys = nil
	}
	rows, err := q.Query(ctx, createTasksSQL, t.Namespace, t.Name, t.Version, contexts, orNull(t.Initiator), orNull(t.SourceSystem),
		orNull(t.Reason), stringArray(t.Tags), stringArray(t.BypassSteps), keys)
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows(ids, rows, pgx.RowTo[int64])
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func stringArray(texts []string) string {
	if len(texts) == 0 {
		return `[]`
	}
	data, err := json.Marshal(texts)
	if err != nil {
		panic("sql: encoding strings: " + err.Error())
	}
	return string(data)
}

// ErrNoTask is returned by [Store.Task] when there is no such task.
var ErrNoTask = errors.New("no such task")

// Task is a task as people read it. Times are UTC.
type Task struct {
	TaskID       int64           `json:"task_id"`
	Namespace    string          `json:"namespace"`
	Name         string          `json:"name"`
	Version      string          `json:"version"`
	State        engine.State    `json:"state"`
	StateDetail  json.RawMessage `json:"state_detail"`
	Complete     bool            `json:"complete"`
	Context      json.RawMessage `json:"context"`
	Tags         json.RawMessage `json:"tags"`
	Initiator    string          `json:"initiator"`
	SourceSystem string          `json:"source_system"`
	Reason       string          `json:"reason"`
	RequestedAt  time.Time       `json:"requested_at"`
	CreatedAt    time.Time       `json:"created_at"`
	// EndedAt is when the task reached its state, if it has ended.
	EndedAt        *time.Time `json:"ended_at"`
	TemplateSynced bool       `json:"template_synced"`
	Steps          []Step     `json:"steps" db:"-"`
}

// Step is a step as people read it.
type Step struct {
	StepID    int64            `json:"step_id"`
	Name      string           `json:"name"`
	Handler   string           `json:"handler"`
	Queue     string           `json:"queue"`
	State     engine.State     `json:"state"`
	Readiness engine.Readiness `json:"readiness"`
	DependsOn []string         `json:"depends_on"`
	Attempts  int              `json:"attempts"`
	Limit     int              `json:"retry_limit"`
	Retryable bool             `json:"retryable"`
	// DueAt is when a step that is backing off may run.
	DueAt *time.Time `json:"due_at"`
	// WokenAt is when a step that waits for its next attempt is woken, some moments after DueAt; nil once that is past.
	WokenAt *time.Time `json:"woken_at"`
	// StartedAt and EndedAt bound the last attempt.
	StartedAt *time.Time `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Worker    string     `json:"worker"`
	// Claimed says that a worker started the last attempt, registered or not; the engine's own attempts name none.
	Claimed bool `json:"claimed"`
	// Logged says that the last attempt printed or logged something that is kept.
	Logged  bool            `json:"logged"`
	Results json.RawMessage `json:"results"`
	// Usage has an entry for each attempt that was recorded, in their order.
	Usage []AttemptUsage `json:"usage"`
	// WaitsFor says of a step that is ready why it does not run.
	WaitsFor *WaitReason `json:"waits_for,omitempty" db:"-"`
	// History has an entry for each time that the step was claimed, in their order.
	History []AttemptRecord `json:"history"`
}

// AttemptRecord is one claim of a step and what came of it.
type AttemptRecord struct {
	Attempt int `json:"attempt"`
	// State is what the step became: in_progress as long as it runs, pending when it was given back.
	State engine.State `json:"state"`
	// Worker is the name of the worker, the beginning of its id when its name is forgotten, and empty for another process.
	Worker    string    `json:"worker"`
	StartedAt time.Time `json:"started_at"`
	// Seconds is how long the handler took, and otherwise how long the claim was held.
	Seconds      float64 `json:"seconds"`
	ErrorClass   string  `json:"error_class,omitempty"`
	ErrorMessage string  `json:"error_message,omitempty"`
	// ErrorCategory and ErrorCode classify the error; Fingerprint is equal for failures with one cause. All are empty for a failure
	// that another program, or an older worker, has recorded.
	ErrorCategory engine.ErrorCategory `json:"error_category,omitempty"`
	ErrorCode     string               `json:"error_code,omitempty"`
	Fingerprint   string               `json:"fingerprint,omitempty"`
	// Permanent says that the error is never retried; RetryLimit is the limit that the step had until then.
	Permanent  bool `json:"permanent,omitempty"`
	RetryLimit int  `json:"retry_limit,omitempty"`
}

// AttemptUsage is what an attempt took. What is zero was not measured: see [engine.Usage].
type AttemptUsage struct {
	Attempt int          `json:"attempt"`
	State   engine.State `json:"state"`
	// Seconds is the time on the clock.
	Seconds         float64 `json:"seconds"`
	CPUMS           float64 `json:"cpu_ms,omitempty"`
	PeakMemoryBytes int64   `json:"peak_memory_bytes,omitempty"`
}

const selectTaskSQL = `
SELECT k.task_id, ns.name::text AS namespace, nt.name::text AS name, nt.version::text AS version,
       coalesce(t.to_state, 'pending') AS state, t.metadata AS state_detail, k.complete, k.context, k.tags,
       coalesce(k.initiator, '')::text AS initiator, coalesce(k.source_system, '')::text AS source_system,
       coalesce(k.reason, '')::text AS reason,
       least(greatest(k.requested_at, '0001-01-01'), '9999-12-31') AS requested_at, k.created_at,
       CASE WHEN t.to_state NOT IN ('pending', 'in_progress') THEN t.created_at END AS ended_at,
       EXISTS (SELECT FROM tasker.templates tpl WHERE tpl.named_task_id = k.named_task_id) AS template_synced
FROM public.tasker_tasks k
JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
JOIN public.tasker_task_namespaces ns ON ns.task_namespace_id = nt.task_namespace_id
LEFT JOIN public.tasker_task_transitions t ON t.task_id = k.task_id AND t.most_recent`

const selectStepsSQL = `
SELECT s.workflow_step_id AS step_id, r.name, coalesce(h.handler, '') AS handler, coalesce(h.queue, '') AS queue,
       r.current_state AS state, r.readiness, r.attempts, r.retry_limit AS limit, r.retryable, r.due_at AT TIME ZONE 'UTC' AS due_at,
       CASE WHEN r.readiness IN ('ready', 'backing_off') AND woken.at > now() THEN woken.at AT TIME ZONE 'UTC' END AS woken_at,
       ARRAY(SELECT pn.name::text FROM public.tasker_workflow_step_edges e
             JOIN public.tasker_workflow_steps p ON p.workflow_step_id = e.from_step_id
             JOIN public.tasker_named_steps pn ON pn.named_step_id = p.named_step_id
             WHERE e.to_step_id = s.workflow_step_id ORDER BY e.id) AS depends_on,
       claim.created_at AS started_at,
       CASE WHEN r.current_state <> 'in_progress' THEN ended.created_at END AS ended_at,
       coalesce(w.name, '') AS worker, coalesce(claim.metadata ->> 'worker', '') <> '' AS claimed, s.results,
       EXISTS (SELECT FROM tasker.attempt_logs l WHERE l.token = claim.id) AS logged,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
               'attempt', t.metadata -> 'attempt_number', 'state', t.to_state, 'seconds', t.metadata -> 'execution_duration',
               'cpu_ms', t.metadata -> 'cpu_ms', 'peak_memory_bytes', t.metadata -> 'peak_memory_bytes') ORDER BY t.sort_key), '[]')
        FROM public.tasker_workflow_step_transitions t
        WHERE t.workflow_step_id = s.workflow_step_id AND jsonb_typeof(t.metadata -> 'attempt_number') = 'number'
          AND jsonb_typeof(t.metadata -> 'execution_duration') = 'number') AS usage,
       (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'attempt', CASE WHEN c.metadata ->> 'attempt_number' ~ '^[0-9]{1,9}$' THEN (c.metadata ->> 'attempt_number')::int ELSE 0 END,
               'state', coalesce(e.to_state, 'in_progress'),
               'worker', coalesce((SELECT n.name FROM tasker.worker_names n WHERE n.worker_id =
                    CASE WHEN c.metadata ->> 'worker' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (c.metadata ->> 'worker')::uuid END), left(c.metadata ->> 'worker', 8)),
               'started_at', c.created_at AT TIME ZONE 'UTC',
               'seconds', CASE WHEN jsonb_typeof(e.metadata -> 'execution_duration') = 'number' THEN e.metadata -> 'execution_duration'
                    ELSE to_jsonb(extract(epoch FROM coalesce(e.created_at, timezone('UTC', now())) - c.created_at)) END,
               'error_class', e.metadata ->> 'exception_class', 'error_message', e.metadata ->> 'error_message',
               'error_category', e.metadata ->> 'error_category', 'error_code', e.metadata ->> 'error_code', 'fingerprint', e.metadata ->> 'fingerprint',
               'permanent', e.metadata -> 'permanent' = 'true', 'retry_limit', CASE WHEN e.metadata ->> 'retry_limit' ~ '^[0-9]{1,9}$' THEN (e.metadata ->> 'retry_limit')::int END)) ORDER BY c.sort_key), '[]')
        FROM public.tasker_workflow_step_transitions c
        LEFT JOIN LATERAL (
            SELECT t.to_state, t.created_at, t.metadata FROM public.tasker_workflow_step_transitions t
            WHERE t.workflow_step_id = c.workflow_step_id AND t.sort_key > c.sort_key ORDER BY t.sort_key LIMIT 1
        ) e ON true
        WHERE c.workflow_step_id = s.workflow_step_id AND c.to_state = 'in_progress') AS history
FROM tasker.step_readiness($1) r
CROSS JOIN LATERAL (SELECT CASE WHEN r.due_at IS NOT NULL THEN tasker.spread_due(r.workflow_step_id, r.due_at) END AS at) woken
JOIN public.tasker_workflow_steps s ON s.workflow_step_id = r.workflow_step_id
JOIN public.tasker_tasks k ON k.task_id = s.task_id
CROSS JOIN LATERAL tasker.step_handler(s.workflow_step_id, k.named_task_id, s.named_step_id) h
LEFT JOIN LATERAL (
    SELECT t.id, t.created_at, t.metadata FROM public.tasker_workflow_step_transitions t
    WHERE t.workflow_step_id = s.workflow_step_id AND t.to_state = 'in_progress' ORDER BY t.sort_key DESC LIMIT 1
) claim ON true
LEFT JOIN LATERAL (
    SELECT t.created_at FROM public.tasker_workflow_step_transitions t
    WHERE t.workflow_step_id = s.workflow_step_id AND t.id > claim.id ORDER BY t.sort_key LIMIT 1
) ended ON true
LEFT JOIN tasker.workers w ON w.worker_id::text = claim.metadata ->> 'worker' AND r.current_state = 'in_progress'
ORDER BY s.workflow_step_id`

// Task reads a task with its steps in the order of their ids, in two statements, or three when one of them is ready.
func (s *Store) Task(ctx context.Context, id int64) (*Task, error) {
	rows, err := s.pool.Query(ctx, selectTaskSQL+` WHERE k.task_id = $1`, id)
	if err != nil {
		return nil, err
	}
	task, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Task])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("task %d: %w", id, ErrNoTask)
	}
	if err != nil {
		return nil, err
	}
	rows, err = s.pool.Query(ctx, selectStepsSQL, id)
	if err != nil {
		return nil, err
	}
	if task.Steps, err = pgx.CollectRows(rows, pgx.RowToStructByName[Step]); err != nil {
		return task, err
	}
	return task, s.explain(ctx, task)
}

// TaskFilter narrows a list of tasks. Zero values do not narrow.
type TaskFilter struct {
	Namespace, Name, Version string
	State                    engine.State
	// FailedStep, ErrorClass, ErrorCategory and Fingerprint keep tasks with a step in error for which all of them hold: it has this
	// name, and its error this class, category and fingerprint.
	FailedStep, ErrorClass string
	ErrorCategory          engine.ErrorCategory
	Fingerprint            string
	// Initiator is who asked for the task; Tag is one of its tags.
	Initiator, Tag string
	// CreatedAfter and CreatedBefore bound the time of creation.
	CreatedAfter, CreatedBefore time.Time
	// Before keeps tasks with smaller ids: the id to go on from.
	Before int64
	// Limit is the number of tasks at most; zero means 20.
	Limit int
}

// TaskSummary is a task in a list.
type TaskSummary struct {
	TaskID    int64        `json:"task_id"`
	Namespace string       `json:"namespace"`
	Name      string       `json:"name"`
	Version   string       `json:"version"`
	State     engine.State `json:"state"`
	Steps     int          `json:"steps"`
	Done      int          `json:"steps_done"`
	CreatedAt time.Time    `json:"created_at"`
	EndedAt   *time.Time   `json:"ended_at"`
}

const listTasksSQL = `
SELECT k.task_id, ns.name::text AS namespace, nt.name::text AS name, nt.version::text AS version,
       coalesce(t.to_state, 'pending') AS state, k.created_at,
       CASE WHEN t.to_state NOT IN ('pending', 'in_progress') THEN t.created_at END AS ended_at,
       (SELECT count(*) FROM public.tasker_workflow_steps s WHERE s.task_id = k.task_id) AS steps,
       (SELECT count(*) FROM public.tasker_workflow_steps s
        JOIN public.tasker_workflow_step_transitions st ON st.workflow_step_id = s.workflow_step_id AND st.most_recent
        WHERE s.task_id = k.task_id AND st.to_state IN ('complete', 'resolved_manually')) AS done`

const countTasksSQL = `SELECT count(*) `

const filterTasksSQL = `
FROM public.tasker_tasks k
JOIN public.tasker_named_tasks nt ON nt.named_task_id = k.named_task_id
JOIN public.tasker_task_namespaces ns ON ns.task_namespace_id = nt.task_namespace_id
LEFT JOIN public.tasker_task_transitions t ON t.task_id = k.task_id AND t.most_recent
WHERE ($1 = '' OR ns.name = $1) AND ($2 = '' OR nt.name = $2) AND ($3 = '' OR nt.version = $3)
  AND ($4 = '' OR coalesce(t.to_state, 'pending') = $4) AND ($5 = 0 OR k.task_id < $5)
  AND ($6 = '' OR k.initiator = $6) AND ($7 = '' OR jsonb_typeof(k.tags) = 'array' AND jsonb_exists(k.tags, $7))
  AND ($8::timestamp IS NULL OR k.created_at > $8) AND ($9::timestamp IS NULL OR k.created_at < $9)`

// arguments are those of filterTasksSQL, and of failedTasksSQL if the filter narrows by a failure.
func (f TaskFilter) arguments() []any {
	arguments := []any{
		f.Namespace, f.Name, f.Version, string(f.State), f.Before, f.Initiator, f.Tag,
		utcOrNull(f.CreatedAfter), utcOrNull(f.CreatedBefore),
	}
	if f.byFailure() {
		arguments = append(arguments, f.FailedStep, f.ErrorClass, string(f.ErrorCategory), f.Fingerprint)
	}
	return arguments
}

// where is the condition for these arguments.
func (f TaskFilter) where() string {
	if f.byFailure() {
		return filterTasksSQL + failedTasksSQL
	}
	return filterTasksSQL
}

func (f TaskFilter) byFailure() bool {
	return f.FailedStep != "" || f.ErrorClass != "" || f.ErrorCategory != "" || f.Fingerprint != ""
}

// utcOrNull is the time as the engine stores it, without a zone.
func utcOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// CountTasks counts the tasks that match; the filter's Limit does not count.
func (s *Store) CountTasks(ctx context.Context, f TaskFilter) (count int, err error) {
	err = s.pool.QueryRow(ctx, countTasksSQL+f.where(), f.arguments()...).Scan(&count)
	return count, err
}

// Tasks lists tasks, newest first.
func (s *Store) Tasks(ctx context.Context, f TaskFilter) ([]TaskSummary, error) {
	if f.Limit == 0 {
		f.Limit = 20
	}
	arguments := append(f.arguments(), f.Limit)
	limit := fmt.Sprintf("\nORDER BY k.task_id DESC LIMIT $%d", len(arguments))
	rows, err := s.pool.Query(ctx, listTasksSQL+f.where()+limit, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[TaskSummary])
}
