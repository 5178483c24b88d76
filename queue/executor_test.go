package queue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/tasker-systems/tasker-worker/engine"
)

// handler is the code of a step, in Go.
type handler func(ctx context.Context, a *engine.Attempt) engine.Outcome

// executor runs Go functions by handler name and records the runs. It is safe for concurrent use.
type executor struct {
	// handlers are the served handlers. fallback serves every other name, unless it is nil.
	handlers map[string]handler
	fallback handler
	// acquire is called first by Acquire, unless it is nil.
	acquire func(ctx context.Context) error

	// mu protects the fields below.
	mu   sync.Mutex
	runs []run
	now  int
	most int
}

// run is one execution. started and ended are positions in the order of all starts and ends, so that no clock is needed
// to compare them.
type run struct {
	task    int64
	step    string
	attempt int
	started int
	ended   int
}

// serve returns an executor with these handlers. The steps of all other handlers succeed.
func serve(handlers map[string]handler) *executor {
	return &executor{handlers: handlers, fallback: succeed}
}

// only returns an executor that serves these handlers only.
func only(handlers map[string]handler) *executor { return &executor{handlers: handlers} }

// Acquire implements engine.Executor.
func (e *executor) Acquire(ctx context.Context, name string) (engine.Slot, error) {
	if e.acquire != nil {
		if err := e.acquire(ctx); err != nil {
			return nil, err
		}
	}
	h, ok := e.handlers[name]
	if !ok {
		h = e.fallback
	}
	if h == nil {
		return nil, fmt.Errorf("%w: %s", engine.ErrHandlerNotServed, name)
	}
	return slot{e, h}, ctx.Err()
}

type slot struct {
	executor *executor
	handler  handler
}

// Execute implements engine.Slot.
func (s slot) Execute(ctx context.Context, a *engine.Attempt) engine.Outcome {
	i := s.executor.begin(a)
	defer s.executor.end(i)
	return s.handler(ctx, a)
}

// Reuse implements engine.Slot.
func (s slot) Reuse(string) bool { return false }

// Release implements engine.Slot.
func (s slot) Release() {}

func (e *executor) begin(a *engine.Attempt) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now++
	e.runs = append(e.runs, run{task: a.Task.ID, step: a.Step.Name, attempt: a.Step.Attempt, started: e.now})
	e.most = max(e.most, e.openLocked())
	return len(e.runs) - 1
}

func (e *executor) end(i int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now++
	e.runs[i].ended = e.now
}

func (e *executor) openLocked() int {
	open := 0
	for _, r := range e.runs {
		if r.ended == 0 {
			open++
		}
	}
	return open
}

// all returns the runs, in the order of their starts.
func (e *executor) all() []run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.runs)
}

// atOnce is the largest number of steps that ran at the same time.
func (e *executor) atOnce() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.most
}

// count returns the number of runs of a step, over all tasks.
func (e *executor) count(step string) int {
	n := 0
	for _, r := range e.all() {
		if r.step == step {
			n++
		}
	}
	return n
}

// succeed is a handler that returns {"from": STEP}.
func succeed(_ context.Context, a *engine.Attempt) engine.Outcome {
	return engine.Succeeded(fmt.Appendf(nil, `{"from": %q}`, a.Step.Name))
}

// failing is a handler that fails its first n attempts.
func failing(n int) handler {
	return func(ctx context.Context, a *engine.Attempt) engine.Outcome {
		if a.Step.Attempt <= n {
			return engine.Failed(engine.Failure{Class: "Flaky", Message: fmt.Sprintf("attempt %d", a.Step.Attempt)})
		}
		return succeed(ctx, a)
	}
}

// failPermanently is a handler whose failure is permanent.
func failPermanently(context.Context, *engine.Attempt) engine.Outcome {
	return engine.Failed(
		engine.Failure{Permanent: true, Class: "Declined", Message: "no", Details: json.RawMessage(`null`)},
	)
}

// gate is a handler that signals its start and then waits until the test opens the gate. Like a real handler it is
// given back when its context ends.
type gate struct {
	reached chan struct{}
	open    chan struct{}
	once    sync.Once
	// stubborn gates ignore the context.
	stubborn bool
}

func newGate() *gate { return &gate{reached: make(chan struct{}, 1000), open: make(chan struct{})} }

func (g *gate) run(ctx context.Context, a *engine.Attempt) engine.Outcome {
	g.reached <- struct{}{}
	if g.stubborn {
		<-g.open
		return succeed(ctx, a)
	}
	select {
	case <-g.open:
		return succeed(ctx, a)
	case <-ctx.Done():
		return engine.GivenBack("shutdown", 0)
	}
}

// unlock opens the gate for all attempts, now and later.
func (g *gate) unlock() { g.once.Do(func() { close(g.open) }) }

// recording is a handler that sends the step information that it gets to a channel.
func recording(seen chan<- engine.StepInfo, h handler) handler {
	return func(ctx context.Context, a *engine.Attempt) engine.Outcome {
		seen <- a.Step
		return h(ctx, a)
	}
}

// givingBack is a handler whose first n executions are interrupted by the infrastructure. Executions must not overlap.
func givingBack(given *int, n int) handler {
	return func(ctx context.Context, a *engine.Attempt) engine.Outcome {
		if *given++; *given <= n {
			return engine.GivenBack("neighbour_crashed", 0)
		}
		return succeed(ctx, a)
	}
}
