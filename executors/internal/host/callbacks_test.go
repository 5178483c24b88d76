package host

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

// published counts the events that reach the database.
type published struct {
	engine.Callbacks
	events int
}

func (p *published) Publish(context.Context, *engine.Attempt, engine.Event) error {
	p.events++
	return nil
}

// The rate of requests is bounded, and so is what an attempt of many hours leaves in the database.
func TestEventsBeforeTheResultAreCounted(t *testing.T) {
	t.Parallel()
	var stored published
	h := &Host{options: Options{Callbacks: &stored}}
	c := &call{attempt: &engine.Attempt{}}
	params := json.RawMessage(`{"name": "progress", "delivery": "now"}`)
	for i := range engine.EventsNowMax {
		if _, err := publish(t.Context(), h, c, params); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	if _, err := publish(t.Context(), h, c, params); err == nil || !strings.Contains(err.Error(), "at most 10000 events") {
		t.Errorf("one more: error is %v", err)
	}
	if stored.events != engine.EventsNowMax {
		t.Errorf("%d events were stored, want %d", stored.events, engine.EventsNowMax)
	}
}
