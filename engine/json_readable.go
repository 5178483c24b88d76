package engine

import (
	"encoding/json"
	"fmt"
)

const (
	// shortJSONBytes is how short JSON can hold nothing that a handler could not read: brackets alone of more levels are longer.
	shortJSONBytes = 2 * JSONDepthMax
	// longNumberDigits is how many digits without a break every number has at least that is at fault, written out.
	longNumberDigits = JSONDigitsMax / 2
)

// CheckReadable returns an error for JSON from the database that not every handler language can read, and names the place; see
// [CheckJSON]. Who stored it may have been anybody, and jsonb holds any number at any depth. One fast look finds nothing nearly
// always.
func CheckReadable(data []byte) error {
	if len(data) <= shortJSONBytes {
		return nil
	}
	depth, digits := 0, 0
	for i := 0; i < len(data); i++ {
		c := data[i]
		if c >= '0' && c <= '9' {
			if digits++; digits >= longNumberDigits {
				_, err := checkTokens(data)
				return err
			}
			continue
		}
		digits = 0
		switch c {
		case '"':
			i = stringEnd(data, i+1)
		case '{', '[':
			if depth++; depth > JSONDepthMax {
				_, err := checkTokens(data)
				return err
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// checkReadable returns an error when a part of the attempt is nothing that its handler could be given.
func (a *Attempt) checkReadable() error {
	for _, part := range [...]struct {
		name string
		data json.RawMessage
	}{
		{"the task's context", a.Task.Context},
		{"the task's tags", a.Task.Tags},
		{"the step's inputs", a.Step.Inputs},
		{"what earlier attempts left in the step's results", a.Step.Results},
		{"the step's handler_config", a.Handler.Config},
		{"the step's checkpoint", a.Checkpoint},
	} {
		if err := CheckReadable(part.data); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	for i := range a.Dependencies {
		if err := CheckReadable(a.Dependencies[i].Result); err != nil {
			return fmt.Errorf("the result of step %.100q: %w", a.Dependencies[i].Name, err)
		}
	}
	return nil
}
