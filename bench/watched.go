package bench

import (
	"context"
	"sync/atomic"

	"github.com/tasker-systems/tasker-worker/engine"
)

// counted counts the steps that were run.
type counted struct {
	engine.Executor

	steps *atomic.Int64
}

// Acquire implements [engine.Executor].
func (c counted) Acquire(ctx context.Context, handler string) (engine.Slot, error) {
	slot, err := c.Executor.Acquire(ctx, handler)
	if err != nil {
		return nil, err
	}
	return countedSlot{Slot: slot, steps: c.steps}, nil
}

type countedSlot struct {
	engine.Slot

	steps *atomic.Int64
}

// Execute implements [engine.Slot].
func (s countedSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	defer s.steps.Add(1)
	return s.Slot.Execute(ctx, attempt)
}

// watched tells the ledger when each handler is called and when it returns.
type watched struct {
	engine.Executor

	ledger *ledger
}

// Acquire implements [engine.Executor].
func (w watched) Acquire(ctx context.Context, handler string) (engine.Slot, error) {
	slot, err := w.Executor.Acquire(ctx, handler)
	if err != nil {
		return nil, err
	}
	return watchedSlot{Slot: slot, ledger: w.ledger}, nil
}

type watchedSlot struct {
	engine.Slot

	ledger *ledger
}

// Execute implements [engine.Slot].
func (s watchedSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	s.ledger.stepBegan(attempt.Task.ID)
	defer s.ledger.stepEnded(attempt.Task.ID)
	return s.Slot.Execute(ctx, attempt)
}
