package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// printTask prints a task for people: what it is, each step, the errors, and why it is not moving if it is not. Tables are
// no wider than width, if it is not 0.
func printTask(w io.Writer, t *client.Task, width int) error {
	fmt.Fprintf(w, "task %d  %s\n", t.TaskID, printable(t.Namespace+"/"+t.Name+"@"+t.Version))
	fmt.Fprintf(w, "state    %s%s\n", t.State, ended(t))
	fmt.Fprintf(w, "created  %s UTC by %s, source %s, reason %s\n", t.CreatedAt.Format(time.DateTime),
		printable(t.Initiator), printable(t.SourceSystem), printable(t.Reason))
	fmt.Fprintf(w, "context  %s\n\n", shorten(printable(string(t.Context)), 120))
	if err := tableWithin(w, stepRows(t.Steps), width); err != nil {
		return err
	}
	if rows := attemptRows(t.Steps); len(rows) > 1 {
		fmt.Fprintln(w)
		if err := tableWithin(w, rows, width); err != nil {
			return err
		}
	}
	printErrors(w, t)
	if why := whyNotMoving(t); len(why) > 0 {
		fmt.Fprintf(w, "\nwhy it is where it is:\n")
		for _, line := range why {
			fmt.Fprintf(w, "  %s\n", printable(line))
		}
	}
	return nil
}

func ended(t *client.Task) string {
	if t.EndedAt == nil {
		return ""
	}
	return ", " + seconds(t.EndedAt.Sub(t.CreatedAt)) + " after it was created"
}

// stepState names the state, or the readiness where it says more.
func stepState(step sql.Step) string {
	switch step.Readiness {
	case engine.Waiting, engine.BackingOff, engine.Ready:
		return string(step.State) + ", " + strings.ReplaceAll(string(step.Readiness), "_", " ")
	default:
		return string(step.State)
	}
}

// stepError is what a failed attempt left in a step's results.
type stepError struct {
	Error     any    `json:"error"`
	Class     string `json:"error_class"`
	Code      string `json:"error_code"`
	Backtrace string `json:"backtrace"`
}

func readError(step sql.Step) (stepError, bool) {
	var e stepError
	if step.State == engine.Complete || json.Unmarshal(step.Results, &e) != nil || e.Error == nil {
		return e, false
	}
	return e, true
}

// backtraceShown is how many lines of a backtrace `task show` prints; --json has all of them.
const backtraceShown = 5

func printErrors(w io.Writer, t *client.Task) {
	for _, step := range t.Steps {
		e, ok := readError(step)
		if !ok {
			continue
		}
		code := ""
		if e.Code != "" {
			code = " [" + e.Code + "]"
		}
		fmt.Fprintf(w, "\n%s: %s\n", printable(step.Name), printable(fmt.Sprintf("%s%s: %v", e.Class, code, e.Error)))
		printCategory(w, step)
		lines := strings.Split(strings.TrimSpace(e.Backtrace), "\n")
		for i, line := range lines {
			if i == backtraceShown {
				fmt.Fprintf(w, "    … %d more lines\n", len(lines)-backtraceShown)
				break
			}
			if line != "" {
				fmt.Fprintf(w, "    %s\n", printable(line))
			}
		}
		if step.Logged {
			fmt.Fprintf(w, "    what it printed: tasker-worker task logs %d --step %s\n", t.TaskID, quoteArgument(step.Name))
		}
	}
}

// quoteArgument is text as a shell takes it for one argument.
func quoteArgument(text string) string {
	plain := func(r rune) bool {
		return !strings.ContainsRune("_-./:@", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
	if text = printable(text); !strings.ContainsFunc(text, plain) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// whyNotMoving explains a task that is neither complete nor running a step.
func whyNotMoving(t *client.Task) []string {
	var lines []string
	if t.State == engine.Error {
		lines = append(lines, taskReason(t)...)
	}
	if t.State == engine.Cancelled {
		lines = append(lines, byHand(t)...)
	}
	if len(t.Steps) == 0 && !t.State.TaskEnded() {
		if !t.TemplateSynced {
			return []string{"it has no steps, and its template is synced by no worker: put the YAML into the templates folder of a worker, or run `tasker-worker template sync`"}
		}
		return []string{"no worker has picked it up yet: is `tasker-worker run` running?"}
	}
	for _, step := range t.Steps {
		if line := whyStep(t, step); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// byHand says who cancelled the task, and why, as far as that was recorded.
func byHand(t *client.Task) []string {
	var detail struct {
		By     string `json:"by"`
		Reason string `json:"reason"`
	}
	if json.Unmarshal(t.StateDetail, &detail) != nil || detail.By == "" {
		return nil
	}
	line := "cancelled by " + printable(detail.By)
	if detail.Reason != "" {
		line += ": " + printable(detail.Reason)
	}
	return []string{line}
}

func taskReason(t *client.Task) []string {
	var detail struct {
		Reason     string   `json:"reason"`
		Violations []string `json:"violations"`
	}
	if json.Unmarshal(t.StateDetail, &detail) != nil || detail.Reason == "" {
		return nil
	}
	return append([]string{strings.ReplaceAll(detail.Reason, "_", " ")}, detail.Violations...)
}

func whyStep(t *client.Task, step sql.Step) string {
	switch {
	case step.Readiness == engine.InFlight && step.Worker != "":
		return fmt.Sprintf("%s runs on %s since %s", step.Name, step.Worker, clock(step.StartedAt))
	case step.Readiness == engine.InFlight && step.Claimed:
		return fmt.Sprintf("%s is in progress since %s by a worker that is not registered any more; the sweep of any worker takes it back",
			step.Name, clock(step.StartedAt))
	case step.Readiness == engine.InFlight:
		return fmt.Sprintf("%s is in progress since %s without a worker, as the Rails engine marks its own steps. If that process is gone, "+
			"`tasker-worker doctor --release-abandoned` takes the step back; see TASKER_RELEASE_ABANDONED", step.Name, clock(step.StartedAt))
	case step.WokenAt != nil && !t.State.TaskEnded():
		return fmt.Sprintf("%s is tried again at %s, attempt %d of %d", step.Name, clock(step.WokenAt), step.Attempts+1, step.Limit)
	case step.Readiness == engine.Ready && !t.State.TaskEnded():
		return whyReady(step)
	case step.Readiness == engine.Exhausted:
		return step.Name + " failed for good after " + attemptsOf(step)
	case step.Readiness == engine.CancelledStep:
		return step.Name + " was cancelled; the steps after it never run"
	default:
		return ""
	}
}

// whyReady says what a step that is ready waits for.
func whyReady(step sql.Step) string {
	wait := step.WaitsFor
	if wait == nil {
		return step.Name + " was ready a moment ago"
	}
	line := wait.Queue
	if wait.Pool != "" {
		line += "/" + wait.Pool
	}
	switch wait.Reason {
	case "held":
		return fmt.Sprintf("%s is ready, and worker %s has fetched it at %s", step.Name, wait.Worker, clock(wait.DueAt))
	case "no_worker":
		return step.Name + " is ready, and no worker is running: start `tasker-worker run`"
	case "unserved":
		return fmt.Sprintf("%s is ready, and no live worker serves the handler %q", step.Name, step.Handler)
	case "unworked":
		return fmt.Sprintf("%s is ready, and no live worker that serves the handler %q works the queue %q (TASKER_QUEUES)", step.Name, step.Handler, wait.Queue)
	case "paused":
		return fmt.Sprintf("%s is ready, and the queue %q is paused", step.Name, wait.Queue)
	case "due":
		return fmt.Sprintf("%s is ready, and is woken at %s", step.Name, clock(wait.DueAt))
	case "queued":
		if wait.Ahead == 0 {
			return fmt.Sprintf("%s is ready, and next in queue %s", step.Name, line)
		}
		return fmt.Sprintf("%s is ready, behind %s of queue %s", step.Name, plural(int(wait.Ahead), "step"), line)
	default:
		return step.Name + " is ready, and no worker has been woken for it; the next sweep does that"
	}
}

// clock is the time of day.
func clock(at *time.Time) string {
	if at == nil {
		return "an unknown time"
	}
	return at.UTC().Format(time.TimeOnly) + " UTC"
}
