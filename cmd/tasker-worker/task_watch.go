package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

type taskWatch struct {
	ID       int64         `arg:""                                  help:"The task's id."`
	Interval time.Duration `default:"250ms"                         help:"Time between two looks."`
	JSON     bool          `help:"Print each change as a JSON line." name:"json"`
}

// Help implements kong's extension.
func (taskWatch) Help() string {
	return `On a terminal the task is drawn in place; elsewhere each change is a line. Exits with 0 when the task ends complete, with
1 when it ends otherwise, and with 130 when you stop watching. For example:

    tasker-worker task watch 7
    tasker-worker task watch 7 --json | jq -r .state`
}

// Run follows the task until it ends. It exits with 1 when the task does not end complete.
func (cmd taskWatch) Run(ctx context.Context, s streams) error {
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		task, err := cmd.follow(ctx, client.New(pool), newView(s.out, cmd.JSON))
		if err != nil {
			return err
		}
		switch {
		case task.State == engine.Complete:
			return nil
		case task.State.TaskEnded():
			return exitError(exitFailure)
		default:
			fmt.Fprintf(s.err, "tasker-worker: no longer watching; task %d is %s\n", task.TaskID, task.State)
			return exitError(exitInterrupted)
		}
	})
}

func (cmd taskWatch) follow(ctx context.Context, tasks *client.Client, v view) (*client.Task, error) {
	ticker := time.NewTicker(max(cmd.Interval, 10*time.Millisecond))
	defer ticker.Stop()
	var task *client.Task
	for {
		now, err := tasks.Task(ctx, cmd.ID)
		if err != nil && task != nil && ctx.Err() != nil {
			return task, nil
		}
		if err != nil {
			return nil, unknownTask(err)
		}
		task = now
		if err := v.show(task); err != nil || task.State.TaskEnded() {
			return task, err
		}
		select {
		case <-ctx.Done():
			return task, nil
		case <-ticker.C:
		}
	}
}

// view shows the same task again and again.
type view interface {
	show(t *client.Task) error
}

func newView(w io.Writer, asJSON bool) view {
	if screen := newScreen(w); screen != nil && !asJSON {
		return taskScreen{screen}
	}
	return &lines{out: w, json: asJSON, seen: make(map[int64]string)}
}

// taskScreen redraws the task in place. At its end all of it is printed, to stay.
type taskScreen struct{ *screen }

func (v taskScreen) show(t *client.Task) error {
	var frame bytes.Buffer
	width, _, _ := v.size() // 0 when it is not known
	if t.State.TaskEnded() {
		width = 0 // what stays is whole
	}
	if err := printTask(&frame, t, max(width-1, 0)); err != nil {
		return err
	}
	if t.State.TaskEnded() {
		return v.last(frame.String())
	}
	return v.draw(frame.String())
}

// lines prints one line for each change.
type lines struct {
	out  io.Writer
	json bool
	// seen is the last line printed for each step, and for the task under 0.
	seen map[int64]string
}

func (v *lines) show(t *client.Task) error {
	for _, step := range t.Steps {
		if step.State == engine.Pending && step.Attempts == 0 {
			continue
		}
		change := map[string]any{"task_id": t.TaskID, "step": step.Name, "state": step.State, "attempts": step.Attempts}
		text := fmt.Sprintf("task %d  %-28s %s, attempt %d", t.TaskID, printable(step.Name), stepState(step), step.Attempts)
		if e, failed := readError(step); failed {
			text += ": " + printable(shorten(fmt.Sprint(e.Error), 100))
			change["error"] = e.Error
		}
		if err := v.line(step.StepID, text, change); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("task %d  %s%s", t.TaskID, t.State, ended(t))
	return v.line(0, text, map[string]any{"task_id": t.TaskID, "state": t.State})
}

func (v *lines) line(id int64, text string, change map[string]any) error {
	if v.seen[id] == text {
		return nil
	}
	v.seen[id] = text
	if v.json {
		return printJSONLine(v.out, change)
	}
	_, err := fmt.Fprintln(v.out, text)
	return err
}
