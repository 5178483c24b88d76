package host

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/templates"
)

// spawnedStep is a step as a handler asks for it.
type spawnedStep struct {
	Name       string          `json:"name"`
	Handler    string          `json:"handler"`
	DependsOn  []string        `json:"depends_on"`
	Inputs     json.RawMessage `json:"inputs"`
	Config     json.RawMessage `json:"config"`
	Retryable  *bool           `json:"retryable"`
	RetryLimit *int            `json:"default_retry_limit"`
}

// step fills in what the handler left out.
func (s *spawnedStep) step() engine.SpawnedStep {
	step := engine.SpawnedStep{
		Config: given(s.Config), DependsOn: slices.Compact(slices.Sorted(slices.Values(s.DependsOn))), Handler: s.Handler,
		Inputs: given(s.Inputs), Name: s.Name, RetryLimit: templates.RetryLimitDefault, Retryable: s.Retryable == nil || *s.Retryable,
	}
	step.TimeoutMs = templates.Timeout(step.Config).Milliseconds()
	if s.RetryLimit != nil {
		step.RetryLimit = *s.RetryLimit
	}
	return step
}

// given is nil for null.
func given(data json.RawMessage) json.RawMessage {
	if string(data) == "null" {
		return nil
	}
	return data
}

func parseSpawned(params json.RawMessage) ([]engine.SpawnedStep, error) {
	var p struct {
		Steps []spawnedStep `json:"steps"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, invalid("steps cannot be read: %v", err)
	}
	if p.Steps == nil {
		return nil, invalid("steps are missing")
	}
	steps := make([]engine.SpawnedStep, len(p.Steps))
	for i := range p.Steps {
		steps[i] = p.Steps[i].step()
	}
	return steps, nil
}

// keepSpawned keeps steps that are added with the result, unless they are faulty in themselves.
func (h *Host) keepSpawned(c *call, params json.RawMessage) error {
	steps, err := parseSpawned(params)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := engine.CheckSpawned(c.callbacks.spawned, steps); err != nil {
		return invalid("%v", err)
	}
	c.callbacks.spawned = slices.Concat(c.callbacks.spawned, steps)
	return nil
}

// spawn asks whether the task takes the steps, which are kept already, and drops them when it does not.
func spawn(ctx context.Context, h *Host, c *call, params json.RawMessage) (any, error) {
	steps, err := parseSpawned(params)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	all := c.callbacks.spawned
	h.mu.Unlock()
	if err := h.options.Callbacks.CheckSpawn(ctx, c.attempt, all); err != nil {
		h.dropSpawned(c, steps)
		return nil, err
	}
	return object{"accepted": len(steps)}, nil
}

func (h *Host) dropSpawned(c *call, steps []engine.SpawnedStep) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := make([]engine.SpawnedStep, 0, len(c.callbacks.spawned))
	for _, step := range c.callbacks.spawned {
		if !slices.ContainsFunc(steps, func(s engine.SpawnedStep) bool { return s.Name == step.Name }) {
			kept = append(kept, step)
		}
	}
	c.callbacks.spawned = kept
}
