package bench

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/tasker-systems/tasker-worker/engine"
)

// inProcess runs handlers that are Go functions, so that only the costs of worker and database are measured.
type inProcess struct{}

var (
	noopResult = json.RawMessage(
		`{"ok": true, "note": "about a hundred bytes, as the results of small steps usually are"}`,
	)
	fiboResult = json.RawMessage(`{"ok": true, "fibo": 55}`)
)

// Acquire implements [engine.Executor].
func (inProcess) Acquire(_ context.Context, handler string) (engine.Slot, error) {
	if !serves(handler) {
		return nil, engine.ErrHandlerNotServed
	}
	return goSlot{}, nil
}

func serves(handler string) bool {
	return slices.ContainsFunc([]Job{Noop, Fibo, Flaky}, func(job Job) bool { return handler == Go.handler(job) })
}

type goSlot struct{}

// Execute implements [engine.Slot].
func (goSlot) Execute(_ context.Context, attempt *engine.Attempt) engine.Outcome {
	switch handler := attempt.Handler.Name; {
	case handler == Go.handler(Fibo) && fibonacci(10) == 55:
		return engine.Succeeded(fiboResult)
	case handler == Go.handler(Flaky) && attempt.Step.Attempt == 1 && attempt.Step.ID%20 == 0:
		return engine.Failed(
			engine.Failure{Class: "Bench::Flaky", Message: "the first attempt of one step in twenty fails"},
		)
	default:
		return engine.Succeeded(noopResult)
	}
}

// Reuse implements [engine.Slot].
func (goSlot) Reuse(handler string) bool { return serves(handler) }

// Release implements [engine.Slot].
func (goSlot) Release() {}

// fibonacci is deliberately as slow as its definition.
func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

// NoopResult is the result of [Noop], for systems whose handlers return values.
func NoopResult() map[string]any {
	return map[string]any{"ok": true, "note": "about a hundred bytes, as the results of small steps usually are"}
}
