package bench

import (
	"context"
	"sync/atomic"

	"github.com/tasker-systems/tasker-worker/engine"
)

// countingExecutor counts the steps that the executor runs.
func countingExecutor(executor engine.Executor, steps *atomic.Int64) engine.Executor {
	return engine.WrapSlots(
		executor, func(slot engine.Slot) engine.Slot { return countingSlot{Slot: slot, steps: steps} },
	)
}

type countingSlot struct {
	engine.Slot

	steps *atomic.Int64
}

// Execute implements [engine.Slot].
func (s countingSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	defer s.steps.Add(1)
	return s.Slot.Execute(ctx, attempt)
}

// timingExecutor reports the start and the end of each handler to the tracker.
func timingExecutor(executor engine.Executor, tracker *taskTracker) engine.Executor {
	return engine.WrapSlots(
		executor, func(slot engine.Slot) engine.Slot { return timingSlot{Slot: slot, tracker: tracker} },
	)
}

type timingSlot struct {
	engine.Slot

	tracker *taskTracker
}

// Execute implements [engine.Slot].
func (s timingSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	s.tracker.stepBegan(attempt.Task.ID)
	defer s.tracker.stepEnded(attempt.Task.ID)
	return s.Slot.Execute(ctx, attempt)
}
