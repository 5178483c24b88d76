package engine

import (
	"encoding/json"
	"fmt"

	"github.com/tasker-systems/tasker-worker/templates"
)

// Bounds of the steps that one attempt adds to its task.
const (
	// SpawnedAtOnceMax bounds the steps of one request, SpawnedMax those of all requests of the attempt.
	SpawnedAtOnceMax = 100
	SpawnedMax       = 1000
	// SpawnedInputsBytesMax bounds the inputs of a step, and its configuration. SpawnedBytesMax bounds the data of all
	// steps of the attempt.
	SpawnedInputsBytesMax = 64 << 10
	SpawnedBytesMax       = 8 << 20
)

// SpawnedStep is a step that a handler adds to its task. It is added with the attempt's result. Its parents are the
// step of the attempt and the steps that it names.
type SpawnedStep struct {
	Name    string `json:"name"`
	Handler string `json:"handler"`
	// DependsOn names steps of the task, or steps that the same attempt adds.
	DependsOn []string `json:"depends_on,omitempty"`
	// Inputs default to a copy of the task's context if they are nil.
	Inputs     json.RawMessage `json:"inputs,omitempty"`
	Config     json.RawMessage `json:"config,omitempty"`
	TimeoutMs  int64           `json:"timeout_ms"`
	Retryable  bool            `json:"retryable"`
	RetryLimit int             `json:"retry_limit"`
}

// CheckSpawned returns an error if an attempt that has added the earlier steps cannot add more, whatever its task
// contains.
func CheckSpawned(earlier, more []SpawnedStep) error {
	if len(more) > SpawnedAtOnceMax {
		return fmt.Errorf("%d steps at once are more than the %d allowed", len(more), SpawnedAtOnceMax)
	}
	if n := len(earlier) + len(more); n > SpawnedMax {
		return fmt.Errorf("%d steps of one attempt are more than the %d allowed", n, SpawnedMax)
	}
	for i := range more {
		if err := more[i].checkData(); err != nil {
			return err
		}
	}
	all := make([]templates.Step, 0, len(earlier)+len(more))
	size := 0
	for _, steps := range [][]SpawnedStep{earlier, more} {
		for _, s := range steps {
			all = append(all, templates.Step{
				Name: s.Name, Handler: s.Handler, DependsOn: s.DependsOn, RetryLimit: s.RetryLimit,
			})
			size += s.size()
		}
	}
	if size > SpawnedBytesMax {
		return fmt.Errorf("the steps of one attempt have %d bytes, more than the %d allowed", size, SpawnedBytesMax)
	}
	return templates.CheckSpawned(all)
}

func (s *SpawnedStep) size() int {
	size := len(s.Inputs) + len(s.Config)
	for _, parent := range s.DependsOn {
		size += len(parent)
	}
	return size
}

func (s *SpawnedStep) checkData() error {
	if s.Inputs != nil {
		if err := CheckJSON(s.Inputs, SpawnedInputsBytesMax); err != nil {
			return fmt.Errorf("inputs of step %.100q: %w", s.Name, err)
		}
	}
	if s.Config == nil {
		return nil
	}
	if err := CheckJSON(s.Config, SpawnedInputsBytesMax); err != nil {
		return fmt.Errorf("config of step %.100q: %w", s.Name, err)
	}
	if s.Config[0] != '{' {
		return fmt.Errorf("config of step %.100q is no object", s.Name)
	}
	return nil
}
