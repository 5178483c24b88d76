package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

type taskErrors struct {
	Limit int  `default:"20"      help:"Groups at most."`
	JSON  bool `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (taskErrors) Help() string {
	return `Groups the steps in error by fingerprint, which failures of one step with one cause share, the largest group first. The newest
10,000 steps in error are read. Each group has its count, an example, what to do about it, and the command that retries its tasks.`
}

// Run prints the groups.
func (cmd taskErrors) Run(ctx context.Context, s streams) error {
	if cmd.Limit < 1 {
		return setupError{fmt.Errorf("--limit is %d; it must be at least 1", cmd.Limit)}
	}
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		failures, err := client.New(pool).Failures(ctx)
		if err != nil {
			return err
		}
		hidden := max(0, len(failures.Groups)-cmd.Limit)
		failures.Groups = orEmpty(failures.Groups[:len(failures.Groups)-hidden])
		if cmd.JSON {
			return printJSON(s.out, failures)
		}
		return printFailures(s.out, failures, hidden)
	})
}

func printFailures(w io.Writer, failures client.Failures, hidden int) error {
	if len(failures.Groups) == 0 {
		_, err := fmt.Fprintln(w, "no step is in error")
		return err
	}
	for i, group := range failures.Groups {
		if i > 0 {
			fmt.Fprintln(w)
		}
		printFailureGroup(w, group)
	}
	if hidden > 0 {
		fmt.Fprintf(w, "\n%s more; --limit shows them\n", plural(hidden, "group"))
	}
	if failures.Truncated {
		fmt.Fprintln(w, "\nonly the newest 10000 steps in error were read")
	}
	return nil
}

func printFailureGroup(w io.Writer, group client.FailureGroup) {
	what := strings.TrimPrefix(group.Class+": "+group.Message, ": ")
	fmt.Fprintf(w, "%s  %s of %s in error\n", group.Fingerprint, plural(group.Steps, "step"), plural(group.Tasks, "task"))
	fmt.Fprintf(w, "  %s: %s\n", printable(group.Step), shorten(printable(what), 200))
	fmt.Fprintf(w, "  first    %s UTC, last %s UTC, for example task %d\n",
		group.First.UTC().Format(time.DateTime), group.Last.UTC().Format(time.DateTime), group.TaskID)
	fmt.Fprintf(w, "  category %s: %s\n", printable(string(group.Category)), group.Category.Info().Remedy)
	fmt.Fprintf(w, "  retry    tasker-worker task retry --all --state error --fingerprint %s\n", group.Fingerprint)
}

// printCategory prints the category of the step's last failure, if the worker has recorded one.
func printCategory(w io.Writer, step sql.Step) {
	last := lastAttempt(step)
	if last == nil || last.State != engine.Error || last.ErrorCategory == "" {
		return
	}
	fmt.Fprintf(w, "    %s (%s): %s\n", printable(string(last.ErrorCategory)), printable(last.ErrorCode), last.ErrorCategory.Info().Remedy)
	if last.Fingerprint != "" {
		fmt.Fprintf(w, "    tasks with this failure: tasker-worker task list --fingerprint %s\n", printable(last.Fingerprint))
	}
}

// errorCategoryNames is the list of categories for flags.
func errorCategoryNames() string {
	var names []string
	for _, info := range engine.ErrorCategories() {
		names = append(names, string(info.Category))
	}
	return strings.Join(names, ",")
}
