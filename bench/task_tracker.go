package bench

import (
	"fmt"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// openMax is more tasks than are ever open at once.
const openMax = 1 << 16

// taskTracker joins what is told of a task from several sides, in any order, until both its creation and its end are known.
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
func (l *taskTracker) created(tasks []int64, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, task := range tasks {
		l.add(task, func(d *TaskResult) { d.Created = at })
	}
}

// ended is called after the commit that ended a task.
func (l *taskTracker) ended(task int64, state engine.State) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(task, func(d *TaskResult) {
		// The result of the last step is committed together with the end of the task.
		d.Ended, d.Finished = now, now
		if state != engine.Complete {
			d.Err = fmt.Errorf("task %d ended %s", task, state)
		}
	})
}

// stepBegan is called when a handler is called.
func (l *taskTracker) stepBegan(task int64) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(task, func(d *TaskResult) {
		if d.Began.IsZero() {
			d.Began = now
		}
		if !d.Finished.IsZero() {
			d.Hops = append(d.Hops, now.Sub(d.Finished))
		}
	})
}

// stepEnded is called when a handler has returned.
func (l *taskTracker) stepEnded(task int64) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(task, func(d *TaskResult) { d.Finished = now })
}

// failed is called when no task will end any more.
func (l *taskTracker) failed(err error) { l.done <- TaskResult{Err: err} }

// add changes what is known of a task, with the lock held.
func (l *taskTracker) add(task int64, change func(*TaskResult)) {
	d := l.open[task]
	change(&d)
	if d.Created.IsZero() || d.Ended.IsZero() {
		l.open[task] = d
		return
	}
	delete(l.open, task)
	l.done <- d
}
