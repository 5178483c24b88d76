package bench

import (
	"fmt"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// openMax exceeds the number of tasks that are open at once.
const openMax = 1 << 16

// taskTracker joins the events of each task, which arrive in any order, until both its creation and its end are known.
// It is safe for concurrent use.
type taskTracker struct {
	done chan TaskResult

	// mu protects the fields below.
	mu   sync.Mutex
	open map[int64]TaskResult
}

func newTaskTracker() *taskTracker {
	return &taskTracker{done: make(chan TaskResult, openMax), open: make(map[int64]TaskResult)}
}

// created is called with tasks whose creation was committed.
func (t *taskTracker) created(tasks []int64, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, task := range tasks {
		t.add(task, func(r *TaskResult) { r.Created = at })
	}
}

// ended is called after the commit that ended a task.
func (t *taskTracker) ended(task int64, state engine.State) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(task, func(r *TaskResult) {
		// The result of the last step is committed together with the end of the task.
		r.Ended, r.Finished = now, now
		if state != engine.Complete {
			r.Err = fmt.Errorf("task %d ended %s", task, state)
		}
	})
}

// stepBegan is called when a handler is called.
func (t *taskTracker) stepBegan(task int64) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(task, func(r *TaskResult) {
		if r.Began.IsZero() {
			r.Began = now
		}
		if !r.Finished.IsZero() {
			r.Hops = append(r.Hops, now.Sub(r.Finished))
		}
	})
}

// stepEnded is called when a handler has returned.
func (t *taskTracker) stepEnded(task int64) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(task, func(r *TaskResult) { r.Finished = now })
}

// failed is called when the worker has stopped, so that no further task ends.
func (t *taskTracker) failed(err error) { t.done <- TaskResult{Err: err} }

// add applies an event to a task. The caller holds the lock.
func (t *taskTracker) add(task int64, change func(*TaskResult)) {
	r := t.open[task]
	change(&r)
	if r.Created.IsZero() || r.Ended.IsZero() {
		t.open[task] = r
		return
	}
	delete(t.open, task)
	t.done <- r
}
