package client

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

// The types with which tasks are created and read.
type (
	// NewTask is a task to create.
	NewTask = sql.NewTask
	// Task is a task with its steps.
	Task = sql.Task
	// AttemptLine is a line that an attempt printed or logged.
	AttemptLine = sql.AttemptLine
	// LogFilter narrows what [Client.Logs] reads.
	LogFilter = sql.LogFilter
	// TaskFilter narrows a list of tasks.
	TaskFilter = sql.TaskFilter
	// TaskSummary is a task in a list.
	TaskSummary = sql.TaskSummary
	// Operation says why a person changes a task by hand, and who it is.
	Operation = sql.Operation
	// Retry says how many attempts a step gets that is retried by hand.
	Retry = sql.Retry
	// StateError is returned for an operation that the present state of a task or step forbids.
	StateError = sql.StateError
)

// Errors that callers branch on.
var (
	// ErrUnknownTemplate is returned by [Client.Create] if no worker has synced such a template.
	ErrUnknownTemplate = sql.ErrUnknownTemplate
	// ErrNoTask is returned by [Client.Task] and [Client.Wait] if there is no such task.
	ErrNoTask = sql.ErrNoTask
	// ErrNoStep is returned by operations on a step if there is no such step.
	ErrNoStep = sql.ErrNoStep
)

// InvalidContextError is returned by [Client.Create] if the context does not match the template's schema.
type InvalidContextError struct {
	Namespace, Name, Version string
	Violations               []templates.Violation
}

func (e *InvalidContextError) Error() string {
	lines := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		lines[i] = v.String()
	}
	return fmt.Sprintf(
		"context does not match the schema of %s/%s@%s: %s", e.Namespace, e.Name, e.Version, strings.Join(lines, "; "),
	)
}

// Client creates, reads and changes tasks. It is safe for concurrent use.
type Client struct {
	pool  *pgxpool.Pool
	store *sql.Store
}

// New returns a client that uses pool. The caller closes the pool. The pool's sessions may have any time zone.
func New(pool *pgxpool.Pool) *Client { return &Client{pool: pool, store: sql.NewStore(pool)} }

// Create creates a task with its steps in tx and returns its id. It first checks the context against the template's
// schema. It returns ErrUnknownTemplate or an [*InvalidContextError], which may be wrapped. After either of them, and
// after the error of a context that cannot be stored (too large, too deep, no JSON), tx is still usable. Any other
// error has aborted tx.
func (c *Client) Create(ctx context.Context, tx pgx.Tx, t NewTask) (int64, error) {
	return c.create(ctx, tx, t)
}

// CreateNow is [Client.Create] in a transaction of its own.
func (c *Client) CreateNow(ctx context.Context, t NewTask) (int64, error) {
	return c.create(ctx, c.pool, t)
}

func (c *Client) create(ctx context.Context, q sql.Querier, t NewTask) (int64, error) {
	if err := c.check(ctx, q, t); err != nil {
		return 0, err
	}
	return c.store.CreateTask(ctx, q, t)
}

// CreateMany creates tasks in tx, as [Client.Create] does, and returns their ids in the same order. Consecutive tasks
// that differ only in context and identity key share a statement, which costs a fraction of one statement per task. If
// it returns an [*InvalidContextError], no task was created.
func (c *Client) CreateMany(ctx context.Context, tx pgx.Tx, tasks []NewTask) ([]int64, error) {
	return c.createMany(ctx, tx, tasks)
}

// CreateManyNow is [Client.CreateMany] in a transaction of its own: it creates all tasks or none.
func (c *Client) CreateManyNow(ctx context.Context, tasks []NewTask) (ids []int64, err error) {
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		ids, err = c.createMany(ctx, tx, tasks)
		return err
	})
	return ids, err
}

func (c *Client) createMany(ctx context.Context, q sql.Querier, tasks []NewTask) ([]int64, error) {
	locate := func(i int, err error) error { return fmt.Errorf("task %d of %d: %w", i+1, len(tasks), err) }
	for i, t := range tasks {
		if err := checkStorable(t); err != nil {
			return nil, locate(i, err)
		}
	}
	schemas := make(map[[3]string]*templates.Schema)
	for i, t := range tasks {
		key := [3]string{t.Namespace, t.Name, t.Version}
		schema, known := schemas[key]
		if !known {
			var err error
			if schema, err = c.schema(ctx, q, t); err != nil {
				return nil, locate(i, err)
			}
			schemas[key] = schema
		}
		if err := checkContext(schema, t); err != nil {
			return nil, locate(i, err)
		}
	}
	return c.store.CreateTasks(ctx, q, tasks)
}

func (c *Client) check(ctx context.Context, q sql.Querier, t NewTask) error {
	if err := checkStorable(t); err != nil {
		return err
	}
	schema, err := c.schema(ctx, q, t)
	if err != nil {
		return err
	}
	return checkContext(schema, t)
}

// schema returns the schema of the task's template, nil if it has none.
func (c *Client) schema(ctx context.Context, q sql.Querier, t NewTask) (*templates.Schema, error) {
	template, err := c.store.Template(ctx, q, t.Namespace, t.Name, t.Version)
	if err != nil {
		return nil, fmt.Errorf("template %s/%s@%s: %w", t.Namespace, t.Name, t.Version, err)
	}
	schema, err := template.CompileSchema()
	if err != nil {
		return nil, fmt.Errorf("schema of %s/%s@%s: %w", t.Namespace, t.Name, t.Version, err)
	}
	return schema, nil
}

// checkStorable checks without the database that the fields of the task can be stored.
func checkStorable(t NewTask) error {
	for _, text := range append([]string{
		t.Initiator, t.SourceSystem, t.Reason, t.IdentityKey,
	}, append(t.Tags, t.BypassSteps...)...) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return fmt.Errorf(
				"%.100q is no text that PostgreSQL can store: it is not valid UTF-8 or holds U+0000", text,
			)
		}
	}
	if err := checkSizes(t); err != nil {
		return err
	}
	if len(t.Context) == 0 {
		return nil
	}
	err := engine.CheckContext(t.Context)
	if err == nil {
		err = engine.CheckUniqueKeys(t.Context)
	}
	if err != nil {
		return fmt.Errorf("context of the task: %w", err)
	}
	return nil
}

func checkContext(schema *templates.Schema, t NewTask) error {
	if schema == nil {
		return nil
	}
	document := t.Context
	if len(document) == 0 {
		document = []byte(`{}`)
	}
	if violations := schema.Check(document); len(violations) > 0 {
		return &InvalidContextError{Namespace: t.Namespace, Name: t.Name, Version: t.Version, Violations: violations}
	}
	return nil
}

// Task reads a task with its steps.
func (c *Client) Task(ctx context.Context, id int64) (*Task, error) { return c.store.Task(ctx, id) }

// Tasks lists tasks, newest first.
func (c *Client) Tasks(ctx context.Context, f TaskFilter) ([]TaskSummary, error) {
	return c.store.Tasks(ctx, f)
}

// Logs reads the attempt logs of a task, in the order of time.
func (c *Client) Logs(ctx context.Context, id int64, f LogFilter) ([]AttemptLine, error) {
	return c.store.AttemptLogs(ctx, id, f)
}

// waitPollMax is the longest interval between two polls of [Client.Wait].
const waitPollMax = 500 * time.Millisecond

// Wait waits for the end of the task and returns the task in its end state, whichever that is. If ctx ends first, it
// returns an error that wraps the one of ctx. It returns ErrNoTask, or the error of the database.
func (c *Client) Wait(ctx context.Context, id int64) (*Task, error) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, waitPollMax) {
		task, err := c.store.Task(ctx, id)
		if err != nil {
			return nil, err
		}
		if task.State.TaskEnded() {
			return task, nil
		}
		select {
		case <-ctx.Done():
			return task, fmt.Errorf("task %d is still %s: %w", id, task.State, ctx.Err())
		case <-time.After(pause):
		}
	}
}
