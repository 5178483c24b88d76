package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// runRoundTrip measures calls of handlers without a task: from the worker to its only handler process and back.
func runRoundTrip(ctx context.Context, b *rig, r *Result) (err error) {
	executor, stop, err := startHandlers(ctx, b.contender.Handlers, b.concurrency)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	call := handlerCaller{
		executor: executor, handler: b.contender.Handlers.handler(b.workload.Job), context: payload(b.workload.Payload),
	}
	return b.calls(ctx, r, call.call)
}

// calls measures the calls of the workload, in one goroutine for each concurrent call.
func (b *rig) calls(ctx context.Context, r *Result, call func(context.Context, int64) error) error {
	if _, err := repeat(ctx, b.concurrency, b.workload.Warm, call); err != nil {
		return err
	}
	before, err := b.meter.Read(ctx)
	if err != nil {
		return err
	}
	latencies, err := repeat(ctx, b.concurrency, b.workload.Tasks, call)
	if err != nil {
		return err
	}
	after, err := b.meter.Read(ctx)
	r.fill(Measurement{Tasks: len(latencies), Steps: len(latencies), Usage: after.Since(before), Latencies: latencies})
	r.Statements, r.WAL, r.WALRecords, r.PostgresCPU = 0, 0, 0, 0 // the meter's own
	return err
}

// repeat makes that number of calls, each with its own id, and returns their durations.
func repeat(
	ctx context.Context, concurrency, calls int, call func(context.Context, int64) error,
) ([]time.Duration, error) {
	took := make([][]time.Duration, concurrency)
	errs := make([]error, concurrency)
	var ids atomic.Int64
	var group sync.WaitGroup
	for i := range concurrency {
		group.Go(func() {
			for range calls / concurrency {
				began := time.Now()
				if errs[i] = call(ctx, ids.Add(1)); errs[i] != nil {
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	group.Wait()
	var all []time.Duration
	for _, some := range took {
		all = append(all, some...)
	}
	return all, errors.Join(errs...)
}

// handlerCaller calls one handler with one context.
type handlerCaller struct {
	executor engine.Executor
	handler  string
	context  json.RawMessage
}

// call calls the handler. The ids must differ.
func (c *handlerCaller) call(ctx context.Context, id int64) error {
	slot, err := c.executor.Acquire(ctx, c.handler)
	if err != nil {
		return err
	}
	defer slot.Release()
	outcome := slot.Execute(ctx, &engine.Attempt{
		Token: id,
		Task: engine.TaskInfo{
			ID: 1, Namespace: Namespace, Name: "round-trip", Version: Version, Context: c.context, Tags: []byte(`[]`),
		},
		Step: engine.StepInfo{
			ID: id, Name: "step_1", Attempt: 1, MaxAttempts: 3, Inputs: []byte(`{}`), Results: []byte(`null`),
		},
		Handler: engine.Handler{Name: c.handler},
	})
	switch outcome.Kind {
	case engine.OutcomeSucceeded:
		return nil
	case engine.OutcomeFailed:
		return fmt.Errorf("the handler failed: %s", outcome.Failure.Message)
	default:
		return errors.New("the call was given back: " + outcome.GiveBack.Reason)
	}
}

// payload returns an order of that many bytes of JSON, at least 200.
func payload(bytes int) json.RawMessage {
	const (
		article = `{"sku":"A-1207","name":"Kettle, 1.7 l","quantity":2,"price":"39.90","tags":["kitchen","sale"],"gift":false,"weight_kg":1.25,"note":null}`
		head    = `{"order_id":8831,"articles":[` + article
		note    = `],"note":"`
		end     = `"}`
	)
	order := head
	for len(order)+len(article)+1 < bytes-len(note+end) {
		order += "," + article
	}
	order += note
	return json.RawMessage(order + strings.Repeat("-", max(0, bytes-len(order+end))) + end)
}
