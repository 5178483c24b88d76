package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Bulk says on which tasks an operation is done, newest first, and how fast.
type Bulk struct {
	// Filter's Limit bounds how many; zero means all. Its Before is where to begin, to go on after an interruption.
	Filter TaskFilter
	// PerSecond bounds the rate, so that what the tasks depend on is not overrun; zero means no bound.
	PerSecond float64
}

// BulkResult is what an operation on many tasks came to.
type BulkResult struct {
	// Done is how many tasks it was done on, Refused how many were in a state that forbids it.
	Done    int `json:"done"`
	Refused int `json:"refused"`
	// Last is the smallest id that was reached: Before of a call that goes on.
	Last int64 `json:"last"`
}

const (
	bulkPage = 200
	// bulkAtOnce is how many tasks are changed at a time, each in a transaction of its own.
	bulkAtOnce = 4
)

// CountTasks counts the tasks that match; the filter's Limit does not count.
func (c *Client) CountTasks(ctx context.Context, f TaskFilter) (int, error) {
	return c.store.CountTasks(ctx, f)
}

// CancelTasks is [Client.CancelTask] on many tasks. After an error, or the end of ctx, the result says how far it came.
func (c *Client) CancelTasks(ctx context.Context, b Bulk, op Operation) (BulkResult, error) {
	return c.bulk(ctx, b, func(task int64) error {
		_, err := c.CancelTask(ctx, task, op)
		return err
	})
}

// RetryTasks is [Client.RetryTask] on many tasks. After an error, or the end of ctx, the result says how far it came.
func (c *Client) RetryTasks(ctx context.Context, b Bulk, r Retry, op Operation) (BulkResult, error) {
	return c.bulk(ctx, b, func(task int64) error {
		_, _, err := c.RetryTask(ctx, task, r, op)
		return err
	})
}

func (c *Client) bulk(ctx context.Context, b Bulk, do func(task int64) error) (BulkResult, error) {
	result, pace := BulkResult{Last: b.Filter.Before}, newPace(b.PerSecond)
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
		for some := range slices.Chunk(page, bulkAtOnce) {
			if err := pace.wait(ctx, len(some)); err != nil {
				return result, err
			}
			if err := result.all(some, do); err != nil {
				return result, err
			}
		}
		filter.Before = result.Last
	}
}

// all does it on each of the tasks at the same time, and counts.
func (r *BulkResult) all(tasks []TaskSummary, do func(task int64) error) error {
	errs := make([]error, len(tasks))
	var each sync.WaitGroup
	for i, task := range tasks {
		each.Go(func() { errs[i] = do(task.TaskID) })
	}
	each.Wait()
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

// pace spreads calls over time.
type pace struct {
	perSecond float64
	next      time.Time
}

func newPace(perSecond float64) *pace { return &pace{perSecond: perSecond, next: time.Now()} }

// wait returns when n more calls may be made, or with the error of ctx.
func (p *pace) wait(ctx context.Context, n int) error {
	if p.perSecond <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(time.Until(p.next))
	defer timer.Stop()
	p.next = p.next.Add(time.Duration(float64(n) / p.perSecond * float64(time.Second)))
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
