package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/templates"
)

type taskLogs struct {
	ID      int64  `arg:""                                                       help:"The task's id."`
	Step    string `help:"Only this step." placeholder:"NAME"`
	Attempt int    `help:"Only this attempt of each step, counted from 1." placeholder:"N"`
	Follow  bool   `help:"Go on with new lines until the task has ended."        short:"f"`
	JSON    bool   `help:"Print a JSON line for each line."                      name:"json"`
}

// Help implements kong's extension.
func (taskLogs) Help() string {
	return `Each line has its time (UTC), step, attempt, stream and level; log is a structured record, worker what the worker adds.
Of one attempt at most 2000 lines and 256 KiB are kept, for TASKER_LOG_RETENTION. For example:

    tasker-worker task logs 7
    tasker-worker task logs 7 --step import_rows --attempt 2
    tasker-worker task logs 7 --follow --json | jq -r .message`
}

const (
	logsPoll = 250 * time.Millisecond
	// logsLate is how long after the end of a task lines may still be on their way to the database.
	logsLate = time.Second
)

// Run prints the lines, and with Follow those that come until the task ends.
func (cmd taskLogs) Run(ctx context.Context, s streams) error {
	if cmd.Attempt < 0 {
		return setupError{fmt.Errorf("--attempt is %d; attempts count from 1", cmd.Attempt)}
	}
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		tasks := client.New(pool)
		task, err := tasks.Task(ctx, cmd.ID)
		if err != nil {
			return unknownTask(err)
		}
		if err := cmd.checkStep(task); err != nil {
			return err
		}
		seen := make(map[int64]int)
		if err := cmd.show(ctx, tasks, seen, s); err != nil {
			return err
		}
		if cmd.Follow {
			return cmd.follow(ctx, tasks, seen, s)
		}
		if len(seen) == 0 && !cmd.JSON {
			fmt.Fprintln(s.err, "tasker-worker: nothing was printed, or it is no longer kept")
		}
		return nil
	})
}

// checkStep reports a step that the task does not have. A task that has not begun has none yet.
func (cmd taskLogs) checkStep(task *client.Task) error {
	names := make([]string, len(task.Steps))
	for i, step := range task.Steps {
		names[i] = step.Name
	}
	if cmd.Step == "" || len(names) == 0 || slices.Contains(names, cmd.Step) {
		return nil
	}
	if nearest, ok := templates.Nearest(cmd.Step, names); ok {
		return setupError{fmt.Errorf("task %d has no step %q; did you mean %q?", cmd.ID, cmd.Step, nearest)}
	}
	return setupError{fmt.Errorf("task %d has no step %q; its steps are %s", cmd.ID, cmd.Step, strings.Join(names, ", "))}
}

// follow prints new lines until the task has ended and its last lines had time to arrive.
func (cmd taskLogs) follow(ctx context.Context, tasks *client.Client, seen map[int64]int, s streams) error {
	ticker := time.NewTicker(logsPoll)
	defer ticker.Stop()
	var endedAt time.Time
	for endedAt.IsZero() || time.Since(endedAt) < logsLate {
		select {
		case <-ctx.Done():
			return exitError(exitInterrupted)
		case <-ticker.C:
		}
		task, err := tasks.Task(ctx, cmd.ID)
		if err == nil && task.State.TaskEnded() && endedAt.IsZero() {
			endedAt = time.Now()
		}
		if err == nil {
			err = cmd.show(ctx, tasks, seen, s)
		}
		if ctx.Err() != nil {
			return exitError(exitInterrupted)
		}
		if err != nil {
			return unknownTask(err)
		}
	}
	return nil
}

// show prints the lines that come after those seen, and notes them.
func (cmd taskLogs) show(ctx context.Context, tasks *client.Client, seen map[int64]int, s streams) error {
	lines, err := tasks.Logs(ctx, cmd.ID, client.LogFilter{Step: cmd.Step, Attempt: cmd.Attempt, Seen: seen})
	if err != nil {
		return err
	}
	width := 0
	for _, line := range lines {
		width = max(width, len(printable(line.Step)))
	}
	for _, line := range lines {
		seen[line.Token] = line.Line
		if cmd.JSON {
			err = printJSONLine(s.out, line)
		} else {
			_, err = fmt.Fprintf(s.out, "%s  %-*s  %d  %-6s  %-5s  %s\n", line.At.UTC().Format("15:04:05.000"), width,
				printable(line.Step), line.Attempt, printable(line.Stream), printable(line.Level), printableTabs(line.Message))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// printableTabs is printable for text in which tabs are welcome.
func printableTabs(text string) string {
	return printable(strings.ReplaceAll(text, "\t", "    "))
}
