package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Bulk selects the tasks of an operation, which handles the newest first, and limits its rate.
type Bulk struct {
	// Filter selects the tasks. Its Limit bounds their number; zero means all. Its Before continues an interrupted
	// operation.
	Filter TaskFilter
	// PerSecond bounds the number of tasks per second, to protect the systems that they depend on. Zero means no bound.
	PerSecond float64
}

// BulkResult is the result of an operation on many tasks.
type BulkResult struct {
	// Done is the number of changed tasks, Refused the number of tasks whose state forbids the operation.
	Done    int `json:"done"`
	Refused int `json:"refused"`
	// Last is the smallest id that was handled. As Before of another call it continues the operation.
	Last int64 `json:"last"`
}

const (
	bulkPage = 200
	// bulkAtOnce is the number of tasks that are changed concurrently, each in a transaction of its own.
	bulkAtOnce = 4
)

// CountTasks counts the tasks that match the filter. It ignores the filter's Limit.
func (c *Client) CountTasks(ctx context.Context, f TaskFilter) (int, error) {
	return c.store.CountTasks(ctx, f)
}

// CancelTasks is [Client.CancelTask] on many tasks. After an error or the end of ctx it returns the result so far.
func (c *Client) CancelTasks(ctx context.Context, b Bulk, op Operation) (BulkResult, error) {
	return c.bulk(ctx, b, func(task int64) error {
		_, err := c.CancelTask(ctx, task, op)
		return err
	})
}

// RetryTasks is [Client.RetryTask] on many tasks. After an error or the end of ctx it returns the result so far.
func (c *Client) RetryTasks(ctx context.Context, b Bulk, r Retry, op Operation) (BulkResult, error) {
	return c.bulk(ctx, b, func(task int64) error {
		_, _, err := c.RetryTask(ctx, task, r, op)
		return err
	})
}

func (c *Client) bulk(ctx context.Context, b Bulk, do func(task int64) error) (BulkResult, error) {
	result, limiter := BulkResult{Last: b.Filter.Before}, newRateLimiter(b.PerSecond)
	filter, left := b.Filter, b.Filter.Limit
	for {
		filter.Limit = bulkPage
		if b.Filter.Limit > 0 {
			filter.Limit = min(left, bulkPage)
		}
		if filter.Limit == 0 {
			return result, nil
		}
		page, err := c.Tasks(ctx, filter)
		if err != nil || len(page) == 0 {
			return result, err
		}
		left -= len(page)
		for tasks := range slices.Chunk(page, bulkAtOnce) {
			if err := limiter.wait(ctx, len(tasks)); err != nil {
				return result, err
			}
			if err := result.apply(tasks, do); err != nil {
				return result, err
			}
		}
		filter.Before = result.Last
	}
}

// apply calls do with all of the tasks concurrently and counts the results.
func (r *BulkResult) apply(tasks []TaskSummary, do func(task int64) error) error {
	errs := make([]error, len(tasks))
	var group sync.WaitGroup
	for i, task := range tasks {
		group.Go(func() { errs[i] = do(task.TaskID) })
	}
	group.Wait()
	for i, err := range errs {
		if _, refused := errors.AsType[*StateError](err); refused {
			r.Refused++
			errs[i] = nil
		} else if err == nil {
			r.Done++
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.Last = tasks[len(tasks)-1].TaskID
	return nil
}

// rateLimiter spreads calls over time.
type rateLimiter struct {
	perSecond float64
	next      time.Time
}

func newRateLimiter(perSecond float64) *rateLimiter {
	return &rateLimiter{perSecond: perSecond, next: time.Now()}
}

// wait waits until n more calls are allowed, or returns the error of ctx.
func (l *rateLimiter) wait(ctx context.Context, n int) error {
	if l.perSecond <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(time.Until(l.next))
	defer timer.Stop()
	l.next = l.next.Add(time.Duration(float64(n) / l.perSecond * float64(time.Second)))
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
