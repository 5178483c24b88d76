package engine

import (
	"encoding/json"
	"fmt"
)

const (
	// shortJSONBytes is a size up to which every JSON value is readable: the brackets of a deeper nesting would be
	// longer.
	shortJSONBytes = 2 * JSONDepthMax
	// longNumberDigits is the smallest number of consecutive digits in a number beyond the bounds, in the notation of
	// jsonb.
	longNumberDigits = JSONDigitsMax / 2
)

// CheckReadable returns an error for JSON from the database that some handler language cannot read, with its path; see
// [CheckJSON]. Other programs write to the database too, and jsonb accepts any number at any depth, and 256 MB. The bound
// on the size is StoredBytesMax. A fast scan decides
// nearly all cases.
func CheckReadable(data []byte) error {
	if len(data) <= shortJSONBytes {
		return nil
	}
	if len(data) > StoredBytesMax {
		return fmt.Errorf("$ has %d bytes, more than the %d allowed", len(data), StoredBytesMax)
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

// checkReadable returns an error if the handler could not read a part of the attempt.
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
