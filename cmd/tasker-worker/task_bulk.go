package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
)

// bulkFlags do a command on all tasks that a filter keeps, in place of one.
type bulkFlags struct {
	taskFilterFlags
	All    bool   `help:"All tasks that the other flags keep."`
	DryRun bool   `help:"Print how many tasks there are, and ten of them, and change nothing."`
	Rate   perSec `help:"Tasks in a second at most, so that what they depend on is not overrun: 50/s." placeholder:"N/s"`
}

// perSec is a rate such as 50/s.
type perSec float64

// UnmarshalText reads a rate.
func (p *perSec) UnmarshalText(text []byte) error {
	number, _ := strings.CutSuffix(string(text), "/s")
	rate, err := strconv.ParseFloat(number, 64)
	if err != nil || rate <= 0 || rate > 1e6 {
		return fmt.Errorf("%q is not a rate of tasks in a second, for example 50/s", text)
	}
	*p = perSec(rate)
	return nil
}

// check says whether one task is meant, or many.
func (f bulkFlags) check(id int64) (one bool, err error) {
	filtered := f.taskFilterFlags != taskFilterFlags{}
	switch {
	case id != 0 && (f.All || filtered || f.DryRun || f.Rate != 0):
		return false, setupError{errors.New("give the id of a task, or --all with flags that say which tasks; not both")}
	case id == 0 && !f.All:
		return false, setupError{errors.New("give the id of a task, or --all with flags that say which tasks, for example --all --state error")}
	}
	return id != 0, nil
}

const bulkExamples = 10

// run does it on the tasks, or with --dry-run says which they are. An interrupted run says how to go on.
func (f bulkFlags) run(ctx context.Context, s streams, asJSON bool, do func(*client.Client, client.Bulk) (client.BulkResult, error)) error {
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		tasks := client.New(pool)
		if f.DryRun {
			return f.preview(ctx, s, asJSON, tasks)
		}
		result, err := do(tasks, client.Bulk{Filter: f.filter(), PerSecond: float64(f.Rate)})
		if err != nil {
			fmt.Fprintf(s.err, "tasker-worker: stopped after %s; to go on, run the same command with --before %d\n",
				plural(result.Done+result.Refused, "task"), result.Last)
			return err
		}
		if asJSON {
			return printJSON(s.out, result)
		}
		_, err = fmt.Fprintf(s.out, "%s changed, %d refused because of their states\n", plural(result.Done, "task"), result.Refused)
		return err
	})
}

func (f bulkFlags) preview(ctx context.Context, s streams, asJSON bool, tasks *client.Client) error {
	filter := f.filter()
	count, err := tasks.CountTasks(ctx, filter)
	if err != nil {
		return err
	}
	filter.Limit = bulkExamples
	some, err := tasks.Tasks(ctx, filter)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(s.out, map[string]any{"count": count, "examples": orEmpty(some)})
	}
	fmt.Fprintln(s.out, plural(count, "task"))
	return printTasks(s.out, some)
}
