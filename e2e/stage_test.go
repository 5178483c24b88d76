package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/sql"
)

// stage is a place where the system runs: on this machine, or in containers.
type stage interface {
	// startWorker starts one more worker and returns when it works.
	startWorker(t *testing.T) process
	// pool reaches the database from outside, where the migrations have been applied.
	pool() *pgxpool.Pool
	// interruptDatabase stops the database and returns what starts it again.
	interruptDatabase(t *testing.T) (resume func())
}

// process is a running worker.
type process interface {
	// name is what the worker calls itself in the database.
	name() string
	// kill ends the worker at once, as a crash does.
	kill(t *testing.T)
	// stop asks the worker to end and returns its exit code.
	stop(t *testing.T) int
}

// patience bounds everything that these tests wait for.
const patience = 4 * time.Minute

// await returns the first value for which done says yes.
func await[T any](t *testing.T, what string, look func(context.Context) (T, error), done func(T) bool) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		value, err := look(ctx)
		if err == nil && done(value) {
			return value
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s; last seen: %+v, %v", what, value, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// awaitEnd returns the task when it has ended. The database may be away in between.
func awaitEnd(t *testing.T, pool *pgxpool.Pool, id int64) *client.Task {
	t.Helper()
	tasks := client.New(pool)
	return await(t, fmt.Sprintf("the end of task %d", id),
		func(ctx context.Context) (*client.Task, error) { return tasks.Task(ctx, id) },
		func(task *client.Task) bool { return task.State.TaskEnded() })
}

// awaitStep returns the step when it satisfies done.
func awaitStep(t *testing.T, pool *pgxpool.Pool, id int64, name string, done func(sql.Step) bool) sql.Step {
	t.Helper()
	tasks := client.New(pool)
	return await(t, fmt.Sprintf("step %s of task %d", name, id), func(ctx context.Context) (sql.Step, error) {
		task, err := tasks.Task(ctx, id)
		if err != nil {
			return sql.Step{}, err
		}
		return stepOf(t, task, name), nil
	}, done)
}

func stepOf(t *testing.T, task *client.Task, name string) sql.Step {
	t.Helper()
	i := slices.IndexFunc(task.Steps, func(s sql.Step) bool { return s.Name == name })
	if i < 0 {
		if len(task.Steps) == 0 {
			return sql.Step{}
		}
		t.Fatalf("task %d has no step %s", task.TaskID, name)
	}
	return task.Steps[i]
}

// create creates a task with plain SQL, as any app could.
func create(t *testing.T, pool *pgxpool.Pool, namespace, name, version, document string) int64 {
	t.Helper()
	var id int64
	err := pool.QueryRow(t.Context(), `SELECT tasker.create_task($1, $2, $3, $4::jsonb)`, namespace, name, version, document).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sample is the sample context of an example template.
func sample(t *testing.T, namespace, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, "templates", "examples", "contexts", namespace+"."+name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// logBuffer collects a worker's log for the report of a failed test.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// report shows the end of the log when the test has failed.
func (l *logBuffer) report(t *testing.T, who string) {
	t.Helper()
	if text := l.String(); t.Failed() {
		t.Logf("the end of the log of %s:\n%s", who, text[max(0, len(text)-8000):])
	}
}
