package bench

import (
	"context"
	"time"
)

// System runs tasks of one workload.
type System interface {
	// Submit creates n tasks. It returns after their commit, or after the system has taken responsibility for them.
	Submit(ctx context.Context, n int) error
	// Done receives the result of every task that has ended. It is never closed.
	Done() <-chan TaskResult
	// Steps is the number of steps that have run so far.
	Steps() int64
	// Close stops the system, even if tasks are open.
	Close() error
}

// TaskResult is one task that has ended.
type TaskResult struct {
	// Created is the time of the commit of its creation, Ended that of the commit of its end.
	Created, Ended time.Time
	// Began is the start of its first step, Finished the commit of the result of its last one, if the system knows
	// them.
	Began, Finished time.Time
	// Hops are the times from the end of a step to the start of the next one, if the system knows them.
	Hops []time.Duration
	// Err is set if the task failed.
	Err error
}

// Contender is a way to run the tasks of a workload.
type Contender struct {
	// Name, Handlers and Indexes identify it in the table.
	Name     string
	Handlers Language
	Indexes  Indexes
	// Empty gives the system a database without any table, because it creates its own.
	Empty bool
	// Start starts the system on a database. With watch, the results of its tasks include the times of their steps.
	Start func(ctx context.Context, d *Database, w *Workload, watch bool) (System, error)
}

// Ours is a worker of this program.
func Ours(language Language, indexes Indexes) Contender {
	return Contender{
		Name: "tasker", Handlers: language, Indexes: indexes,
		Start: func(ctx context.Context, d *Database, w *Workload, watch bool) (System, error) {
			worker, err := startWorker(ctx, d, language, w, watch)
			if err != nil {
				return nil, err // a nil *worker would not be a nil System
			}
			return worker, nil
		},
	}
}
