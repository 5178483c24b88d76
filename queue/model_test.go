package queue_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// plannedOutcome is the planned outcome of one execution of a step.
type plannedOutcome string

const (
	succeeds         plannedOutcome = "succeeds"
	fails            plannedOutcome = "fails"
	failsPermanently plannedOutcome = "fails permanently"
	givenBack        plannedOutcome = "is given back"
)

// model is a random graph with the planned outcomes of its steps.
type model struct {
	steps []modelStep
}

// modelStep is a step with its parents, which precede it, and the outcomes of its executions. The last one repeats.
type modelStep struct {
	name     string
	parents  []int
	limit    int
	outcomes []plannedOutcome
}

func drawModel(t *rapid.T) model {
	m := model{steps: make([]modelStep, rapid.IntRange(1, 12).Draw(t, "steps"))}
	for i := range m.steps {
		s := &m.steps[i]
		s.name = fmt.Sprintf("s%d", i)
		for parent := range i {
			if rapid.IntRange(0, 3).Draw(t, fmt.Sprintf("%d waits for %d", i, parent)) == 0 {
				s.parents = append(s.parents, parent)
			}
		}
		s.limit = rapid.IntRange(1, 4).Draw(t, "limit")
		// The number of give-backs stays below the cap, so that none is counted.
		s.outcomes = rapid.SliceOfN(rapid.SampledFrom([]plannedOutcome{fails, givenBack}), 0, 4).Draw(t, "outcomes")
		last := rapid.SampledFrom([]plannedOutcome{succeeds, succeeds, succeeds, succeeds, failsPermanently})
		s.outcomes = append(s.outcomes, last.Draw(t, "last outcome"))
	}
	return m
}

func (m model) document(name string) string {
	lines := make([]string, len(m.steps))
	for i, s := range m.steps {
		for j, parent := range s.parents {
			lines[i] += map[bool]string{true: ", "}[j > 0] + m.steps[parent].name
		}
		lines[i] = fmt.Sprintf("%s: %s | default_retry_limit: %d", s.name, lines[i], s.limit)
	}
	return document(name, lines...)
}

// predict returns the end states by the rules, whatever the order of execution.
func (m model) predict() (engine.State, map[string]string) {
	task, states := engine.Complete, make(map[string]string)
	done := make([]bool, len(m.steps))
	for i, s := range m.steps {
		states[s.name] = "pending 0"
		blocked := false
		for _, parent := range s.parents {
			blocked = blocked || !done[parent]
		}
		if !blocked {
			done[i], states[s.name] = s.predict()
		}
		if !done[i] {
			task = engine.Error
		}
	}
	return task, states
}

func (s modelStep) predict() (done bool, state string) {
	attempts := 0
	for _, f := range s.outcomes {
		if f == givenBack {
			continue
		}
		attempts++
		if f == succeeds {
			return true, fmt.Sprintf("complete %d", attempts)
		}
		if f == failsPermanently || attempts == s.limit {
			break
		}
	}
	return false, fmt.Sprintf("error %d", attempts)
}

// oracle returns the outcomes of the running model. It is safe for concurrent use.
type oracle struct {
	mu    sync.Mutex
	model model
	used  map[string]int
}

func (o *oracle) set(m model) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.model, o.used = m, make(map[string]int)
}

func (o *oracle) next(step string) plannedOutcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.model.steps {
		if s.name == step {
			i := min(o.used[step], len(s.outcomes)-1)
			o.used[step]++
			return s.outcomes[i]
		}
	}
	panic("queue_test: no step " + step)
}

func (o *oracle) run(ctx context.Context, a *engine.Attempt) engine.Outcome {
	switch o.next(a.Step.Name) {
	case fails:
		return engine.Failed(engine.Failure{Class: "Drawn", Message: "as drawn"})
	case failsPermanently:
		return failPermanently(ctx, a)
	case givenBack:
		return engine.GivenBack("drawn", 0)
	default:
		return succeed(ctx, a)
	}
}

// servingDrawn lets the worker claim the steps of all models eagerly.
func servingDrawn(c *queue.Config) {
	for i := range 12 {
		c.Handlers = append(c.Handlers, fmt.Sprintf("S%d", i))
	}
}

func TestRandomGraphsEndAsTheRulesPredict(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := &oracle{}
	for _, name := range []string{"a", "b"} {
		b.start(options{name: name, executor: &executor{fallback: o.run}, change: servingDrawn})
	}
	var drawn atomic.Int32
	rapid.Check(t, func(rt *rapid.T) {
		m := drawModel(rt)
		o.set(m)
		name := fmt.Sprintf("drawn_%d", drawn.Add(1))
		b.sync(m.document(name))
		id := b.create(name)
		wantTask, wantSteps := m.predict()
		if task := b.awaitEndWithoutBackoff(id); task.State != wantTask {
			rt.Errorf("the task of\n%sended %s, want %s", m.document(name), task.State, wantTask)
		}
		if diff := cmp.Diff(wantSteps, b.states(id)); diff != "" {
			rt.Errorf("states of\n%s(-want +got):\n%s", m.document(name), diff)
		}
	})
	sqltest.CheckInvariants(t, b.pool, true)
}
