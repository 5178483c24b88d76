package bench

import (
	"context"
	"time"
)

// System runs tasks of one workload.
type System interface {
	// Submit creates n tasks and returns when they are committed, or when the system will see to it. Their ends are told by
	// Done.
	Submit(ctx context.Context, n int) error
	// Done tells of every task that has ended. Its channel is never closed.
	Done() <-chan TaskResult
	// Steps is how many steps have been run so far.
	Steps() int64
	// Close stops working, whatever is left undone.
	Close() error
}

// TaskResult is one task that has ended.
type TaskResult struct {
	// Created is when its creation was committed, Ended when its end was.
	Created, Ended time.Time
	// Began is when its first step began, Finished when the result of its last one was committed, where the system knows.
	Began, Finished time.Time
	// Hops are the times between the end of a step and the begin of the next one, where the system knows.
	Hops []time.Duration
	// Err is set when it did not end well.
	Err error
}

// Contender is a way to run the tasks of a workload.
type Contender struct {
	// Name, Handlers and Indexes are what the table says of it.
	Name     string
	Handlers Language
	Indexes  Indexes
	// Empty makes the database of each measurement one without any table, for a system that brings its own.
	Empty bool
	// Start starts the system on a database. With watch, it tells of its tasks also what goes on in them.
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
