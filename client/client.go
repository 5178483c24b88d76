package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

// The types that tasks are written and read with.
type (
	// NewTask is a task to create.
	NewTask = sql.NewTask
	// Task is a task with its steps.
	Task = sql.Task
	// TaskFilter narrows a list of tasks.
	TaskFilter = sql.TaskFilter
	// TaskSummary is a task in a list.
	TaskSummary = sql.TaskSummary
)

// Errors that callers branch on.
var (
	// ErrUnknownTemplate is returned by [Client.Create] when no worker has synced such a template.
	ErrUnknownTemplate = sql.ErrUnknownTemplate
	// ErrNoTask is returned by [Client.Task] and [Client.Wait] when there is no such task.
	ErrNoTask = sql.ErrNoTask
)

// InvalidContextError is returned by [Client.Create] when the context does not match the template's schema.
type InvalidContextError struct {
	Namespace, Name, Version string
	Violations               []templates.Violation
}

func (e *InvalidContextError) Error() string {
	lines := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		lines[i] = v.String()
	}
	return fmt.Sprintf("context does not match the schema of %s/%s@%s: %s", e.Namespace, e.Name, e.Version, strings.Join(lines, "; "))
}

// Client creates and reads tasks. It is safe for concurrent use.
type Client struct {
	pool  *pgxpool.Pool
	store *sql.Store
}

// New returns a client over pool, which stays the caller's to close. The pool's sessions may have any time zone.
func New(pool *pgxpool.Pool) *Client { return &Client{pool: pool, store: sql.NewStore(pool)} }

// Create creates a task with its steps in tx and returns its id. The context is checked against the template's schema
// first. It returns ErrUnknownTemplate or an [*InvalidContextError], which may be wrapped; after either, and after a
// context that cannot be stored at all (too large, too deep, no JSON), tx is still usable. Any other error has aborted tx.
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

func (c *Client) check(ctx context.Context, q sql.Querier, t NewTask) error {
	if len(t.Context) > 0 {
		if err := engine.CheckJSON(t.Context, engine.ContextBytesMax); err != nil {
			return fmt.Errorf("context of the task: %w", err)
		}
	}
	template, err := c.store.Template(ctx, q, t.Namespace, t.Name, t.Version)
	if err != nil {
		return fmt.Errorf("template %s/%s@%s: %w", t.Namespace, t.Name, t.Version, err)
	}
	schema, err := template.CompileSchema()
	if err != nil {
		return fmt.Errorf("schema of %s/%s@%s: %w", t.Namespace, t.Name, t.Version, err)
	}
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

// waitPollMax bounds the time between two looks of [Client.Wait].
const waitPollMax = 500 * time.Millisecond

// Wait returns the task when it has ended, however it has ended: look at its State. It returns an error that wraps the
// one of ctx when ctx ends first, ErrNoTask, or that of the database.
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
