package client

import (
	"fmt"
	"unicode/utf8"

	"github.com/tasker-systems/tasker-worker/engine"
)

// checkSizes returns an error for fields that are larger than tasker.create_task accepts.
func checkSizes(t NewTask) error {
	for _, field := range []struct{ name, text string }{
		{"initiator", t.Initiator}, {"source_system", t.SourceSystem}, {"reason", t.Reason},
	} {
		if n := utf8.RuneCountInString(field.text); n > engine.TextCharactersMax {
			return fmt.Errorf("%s of the task has %d characters, more than the %d allowed", field.name, n, engine.TextCharactersMax)
		}
	}
	if err := engine.CheckTags(t.Tags); err != nil {
		return fmt.Errorf("tags of the task: %w", err)
	}
	if err := engine.CheckTags(t.BypassSteps); err != nil {
		return fmt.Errorf("bypass_steps of the task: %w", err)
	}
	return nil
}
