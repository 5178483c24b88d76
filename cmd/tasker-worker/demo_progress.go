package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/tasker-systems/tasker-worker/engine"
)

// demoProgress shows the demo's tasks again and again.
type demoProgress interface {
	show(runs []*demoRun) error
}

func newProgress(out io.Writer) demoProgress {
	if screen := newScreen(out); screen != nil {
		return &demoScreen{screen}
	}
	return &demoLines{out: out, views: make(map[int64]view)}
}

// demoScreen redraws one line for each task: a mark for each step.
type demoScreen struct{ *screen }

func (v *demoScreen) show(runs []*demoRun) error {
	var frame bytes.Buffer
	for _, run := range runs {
		var marks strings.Builder
		for _, step := range run.task.Steps {
			marks.WriteString(mark(step.State, step.Readiness))
		}
		fmt.Fprintf(&frame, "%-40s %-12s %s\n", run.template, run.task.State, marks.String())
	}
	frame.WriteString("✔ complete  ▶ running  ↻ failed, to be tried again  ✘ failed  · waiting\n")
	return v.draw(frame.String())
}

func mark(state engine.State, readiness engine.Readiness) string {
	switch {
	case state.Done():
		return "✔"
	case state == engine.InProgress:
		return "▶"
	case readiness == engine.Exhausted:
		return "✘"
	case state == engine.Error:
		return "↻"
	default:
		return "·"
	}
}

// demoLines prints one plain line for each change.
type demoLines struct {
	out io.Writer
	// views is by task.
	views map[int64]view
}

func (v *demoLines) show(runs []*demoRun) error {
	for _, run := range runs {
		if v.views[run.id] == nil {
			v.views[run.id] = newView(v.out, false)
		}
		if err := v.views[run.id].show(run.task); err != nil {
			return err
		}
	}
	return nil
}
