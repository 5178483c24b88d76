package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sourcegraph/conc"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

type demoCommand struct {
	Keep     bool          `help:"Stay up afterwards, until Ctrl-C."`
	Examples string        `default:"templates/examples"             help:"Folder of the example templates and their contexts."`
	Timeout  time.Duration `default:"5m"                             help:"Give up after this long."`
}

// demoTemplates are the examples that the demo runs, in the order of its table.
var demoTemplates = []string{ //nolint:gochecknoglobals // a constant that Go cannot write as one
	"shapes/linear_workflow@1.0.0", "shapes/diamond_workflow@1.1.0", "shapes/parallel_merge_workflow@1.2.0",
	"shapes/tree_workflow@1.3.0", "shapes/mixed_workflow@1.3.0", "ecommerce/process_order@1.0.0",
	"analytics/customer_analytics@1.0.0", "accounts/user_registration@1.0.0", "demo/polyglot_report@1.0.0",
	"demo/flaky_import@1.0.0",
}

// Help implements kong's extension.
func (demoCommand) Help() string {
	return `Without DATABASE_URL a private PostgreSQL is started, and stopped again at the end. Ctrl-C ends everything and leaves
nothing behind.`
}

// Run starts everything, creates the example tasks with SQL, shows their progress and says how each ended. It exits with
// 1 when one did not end complete.
func (cmd demoCommand) Run(ctx context.Context, s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	c.TemplatesDir = cmd.Examples
	if c.DatabaseURL == "" {
		fmt.Fprintln(s.out, "starting a private PostgreSQL (set DATABASE_URL to use yours)")
		server, err := startDevDB(ctx, false)
		if err != nil {
			return stopped(ctx, s, setupError{err})
		}
		c.DatabaseURL = server.URL("postgres")
		err = stopped(ctx, s, cmd.run(ctx, c, s))
		return stopDevDB(server, s, err)
	}
	fmt.Fprintln(s.out, "using the database of DATABASE_URL:", redact(c.DatabaseURL))
	return stopped(ctx, s, cmd.run(ctx, c, s))
}

// errKept ends a demo that had done its work and stayed up until it was stopped.
var errKept = errors.New("the demo has stayed up long enough")

// stopped says so when a signal has ended the demo: what failed after that failed for it.
func stopped(ctx context.Context, s streams, err error) error {
	if ctx.Err() == nil {
		return err
	}
	fmt.Fprintln(s.out, "stopped")
	if errors.Is(err, errKept) {
		return nil
	}
	return exitError(exitInterrupted)
}

func (cmd demoCommand) run(ctx context.Context, c config, s streams) error {
	pool, err := connect(ctx, c)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := sql.Migrate(ctx, pool, sql.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return setupError{err}
	}
	logFile, err := os.CreateTemp("", "tasker-demo-*.log")
	if err != nil {
		return err
	}
	defer os.Remove(logFile.Name())
	defer logFile.Close()

	workerCtx, stopWorker := context.WithCancel(ctx)
	var group conc.WaitGroup
	var workerErr error
	group.Go(func() {
		defer stopWorker()
		workerErr = runWorker(workerCtx, deadline{hard: ctx, last: context.Background()}, c, pool, newLogger(c, logFile), runCommand{Replace: true})
	})
	fmt.Fprintln(s.out, "starting the worker with its Ruby, Python and Node processes")
	showErr := cmd.show(workerCtx, c, pool, s)
	stopWorker()
	group.Wait()
	err = errors.Join(workerErr, showErr)
	if err != nil && ctx.Err() == nil {
		printTail(s.err, logFile.Name())
	}
	return err
}

// show creates the tasks and follows them. ctx ends when the worker does.
func (cmd demoCommand) show(ctx context.Context, c config, pool *pgxpool.Pool, s streams) error {
	tasks := client.New(pool)
	if err := waitForTemplates(ctx, pool); err != nil {
		return nil // the worker's own error says more
	}
	runs, err := cmd.create(ctx, pool, s)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, cmd.Timeout)
	defer cancel()
	if err := follow(bounded, tasks, runs, s.out); err != nil {
		return err
	}
	failed := printOutcomes(s.out, runs)
	cmd.printNext(s.out, c, runs)
	if cmd.Keep {
		<-ctx.Done()
	}
	switch {
	case failed:
		return exitError(exitFailure)
	case cmd.Keep:
		return errKept
	default:
		return nil
	}
}

// waitForTemplates returns when the worker has synced the demo's templates.
func waitForTemplates(ctx context.Context, pool *pgxpool.Pool) error {
	store := sql.NewStore(pool)
	for {
		synced, err := store.SyncedTemplates(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(synced, func(t sql.SyncedTemplate) bool { return t.Namespace == "demo" }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// demoRun is one task of the demo.
type demoRun struct {
	template string
	id       int64
	task     *client.Task
}

// create creates the tasks as an app would: with SQL alone.
func (cmd demoCommand) create(ctx context.Context, pool *pgxpool.Pool, s streams) ([]*demoRun, error) {
	fmt.Fprintf(s.out, "creating %d tasks with SQL, for example:\n", len(demoTemplates))
	fmt.Fprintln(s.out, "  SELECT tasker.create_task('ecommerce', 'process_order', '1.0.0', '{\"cart_items\": …}');")
	runs := make([]*demoRun, len(demoTemplates))
	for i, ref := range demoTemplates {
		namespace, name, version, err := parseTemplateName(ref)
		if err != nil {
			return nil, err
		}
		document, err := os.ReadFile(filepath.Join(cmd.Examples, "contexts", namespace+"."+name+".json"))
		if err != nil {
			return nil, setupError{fmt.Errorf("reading the example context of %s: %w", ref, err)}
		}
		runs[i] = &demoRun{template: ref}
		err = pool.QueryRow(ctx, `SELECT tasker.create_task($1, $2, $3, $4::jsonb, initiator => 'demo')`,
			namespace, name, version, string(document)).Scan(&runs[i].id)
		if err != nil {
			return nil, fmt.Errorf("creating %s: %w", ref, err)
		}
	}
	fmt.Fprintln(s.out)
	return runs, nil
}

// follow shows the tasks until all have ended.
func follow(ctx context.Context, tasks *client.Client, runs []*demoRun, out io.Writer) error {
	progress := newProgress(out)
	for {
		open := 0
		for _, run := range runs {
			task, err := tasks.Task(ctx, run.id)
			if err != nil {
				return err
			}
			run.task = task
			if !task.State.TaskEnded() {
				open++
			}
		}
		if err := progress.show(runs); err != nil || open == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("of the tasks, %d did not end: %w", open, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// printOutcomes says how each task ended, and whether one did not end complete.
func printOutcomes(out io.Writer, runs []*demoRun) (failed bool) {
	rows := [][]string{{"TASK", "ID", "OUTCOME", "STEPS", "ATTEMPTS", "TOOK"}}
	for _, run := range runs {
		attempts := 0
		for _, step := range run.task.Steps {
			attempts += step.Attempts
		}
		took := ""
		if run.task.EndedAt != nil {
			took = seconds(run.task.EndedAt.Sub(run.task.CreatedAt))
		}
		failed = failed || run.task.State != engine.Complete
		rows = append(rows, []string{
			run.template, fmt.Sprint(run.id), string(run.task.State), fmt.Sprint(len(run.task.Steps)), fmt.Sprint(attempts), took,
		})
	}
	fmt.Fprintln(out)
	_ = table(out, rows)
	return failed
}

func (cmd demoCommand) printNext(out io.Writer, c config, runs []*demoRun) {
	fmt.Fprintln(out, "\nWhat to try next:")
	if !cmd.Keep {
		fmt.Fprint(out, "  script/demo --keep                  stay up, to look around\n",
			"  bin/tasker-worker template show shapes/diamond_workflow@1.0.0\n",
			"  docs/handlers.md                    write a handler of your own\n",
			"  DATABASE_URL=… bin/tasker-worker run --migrate\n                                      work on your own database\n")
		return
	}
	flaky := runs[len(runs)-1].id
	fmt.Fprintf(out, "  export DATABASE_URL='%s'\n", c.DatabaseURL)
	fmt.Fprintf(out, "  bin/tasker-worker task show %-8d   the task whose step failed twice\n", flaky)
	fmt.Fprint(out, "  bin/tasker-worker task list\n",
		"  psql \"$DATABASE_URL\" -c \"SELECT tasker.create_task('shapes', 'linear_workflow', '1.0.0', '{}')\"\n",
		"Ctrl-C ends it all and leaves nothing behind.\n")
}

// tailBytes is how much of the worker's log the demo shows when something went wrong.
const tailBytes = 4 << 10

func printTail(w io.Writer, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return
	}
	fmt.Fprintf(w, "the end of the worker's log:\n%s\n", data[max(0, len(data)-tailBytes):])
}
