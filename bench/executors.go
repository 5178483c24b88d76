package bench

import (
	"context"
	"sync/atomic"

	"github.com/tasker-systems/tasker-worker/engine"
)

// countingExecutor counts the steps that the executor runs.
func countingExecutor(executor engine.Executor, steps *atomic.Int64) engine.Executor {
	return engine.WrapSlots(executor, func(slot engine.Slot) engine.Slot { return countedSlot{Slot: slot, steps: steps} })
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

// timingExecutor tells the ledger when each handler is called and when it returns.
func timingExecutor(executor engine.Executor, ledger *taskTracker) engine.Executor {
	return engine.WrapSlots(executor, func(slot engine.Slot) engine.Slot { return watchedSlot{Slot: slot, ledger: ledger} })
}

type watchedSlot struct {
	engine.Slot

	ledger *taskTracker
}

// Execute implements [engine.Slot].
func (s watchedSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	s.ledger.stepBegan(attempt.Task.ID)
	defer s.ledger.stepEnded(attempt.Task.ID)
	return s.Slot.Execute(ctx, attempt)
}
