package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

type taskCommand struct {
	Create taskCreate `cmd:"" help:"Create a task."`
	Show   taskShow   `cmd:"" help:"Show a task with its steps, and why it is not moving."`
	Logs   taskLogs   `cmd:"" help:"Show what the attempts of a task printed and logged."`
	List   taskList   `cmd:"" help:"List tasks, newest first."`
	Errors taskErrors `cmd:"" help:"Show the steps in error, grouped by cause, and how to retry each group."`
	Watch  taskWatch  `cmd:"" help:"Follow a task until it ends."`
	Cancel taskCancel `cmd:"" help:"Cancel a task and stop its running handlers."`
	Retry  taskRetry  `cmd:"" help:"Run again what is not done in a task that failed or was cancelled."`
}

type taskCreate struct {
	Template    string   `arg:""                                                                  help:"NAMESPACE/NAME@VERSION."`
	Context     string   `help:"The context as JSON, or @FILE, or @- for standard input."        default:"{}"`
	Initiator   string   `help:"Who asks." placeholder:"NAME"`
	Source      string   `help:"The system that asks."                                           name:"source-system" placeholder:"NAME"`
	Reason      string   `help:"Why." placeholder:"TEXT"`
	Tag         []string `help:"A tag; may be given several times."                              placeholder:"TAG" sep:"none"`
	BypassStep  []string `help:"A step to bypass, stored with the task; may be given several times." placeholder:"STEP" sep:"none"`
	IdentityKey string   `help:"With the same key the same task is returned instead of a second one." placeholder:"KEY"`
	Wait        bool     `help:"Wait until the task has ended."`
	JSON        bool     `help:"Print JSON."                                                     name:"json"`
}

// Help implements kong's extension.
func (taskCreate) Help() string {
	return `Prints the id of the new task. The context is checked against the schema of the template as workers last synced it.
For example:

    tasker-worker task create shapes/linear_workflow@1.0.0
    tasker-worker task create ecommerce/process_order@1.0.0 --context @order.json --wait

Exits with 2 when the task was refused; with --wait, with 1 when the task does not end complete.`
}

// Run creates the task and prints its id. With Wait it exits with 1 when the task does not end complete.
func (cmd taskCreate) Run(ctx context.Context, s streams) error {
	namespace, name, version, err := parseTemplateName(cmd.Template)
	if err != nil {
		return setupError{err}
	}
	document, err := readArgument(cmd.Context)
	if err != nil {
		return setupError{fmt.Errorf("reading the context: %w", err)}
	}
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		tasks := client.New(pool)
		id, err := tasks.CreateNow(ctx, client.NewTask{
			Namespace: namespace, Name: name, Version: version, Context: document, Initiator: cmd.Initiator,
			SourceSystem: cmd.Source, Reason: cmd.Reason, Tags: cmd.Tag, BypassSteps: cmd.BypassStep, IdentityKey: cmd.IdentityKey,
		})
		if err != nil {
			return cmd.refusal(ctx, pool, err)
		}
		return cmd.report(ctx, s, tasks, id)
	})
}

// refusal words why there is no task for the one who typed the command.
func (cmd taskCreate) refusal(ctx context.Context, pool *pgxpool.Pool, err error) error {
	if errors.Is(err, client.ErrUnknownTemplate) {
		synced, listErr := sql.NewStore(pool).SyncedTemplates(ctx)
		if listErr != nil {
			return err
		}
		names := make([]string, len(synced))
		for i, t := range synced {
			names[i] = t.Namespace + "/" + t.Name + "@" + t.Version
		}
		return unknownTemplate(cmd.Template, names, "tasker-worker template list --synced")
	}
	if invalid, ok := errors.AsType[*client.InvalidContextError](err); ok {
		lines := []string{"the context does not match the schema of " + cmd.Template}
		for _, violation := range invalid.Violations {
			lines = append(lines, violation.String())
		}
		return setupError{errors.New(strings.Join(lines, "\n  "))}
	}
	if _, failed := errors.AsType[*pgconn.PgError](err); failed || ctx.Err() != nil {
		return err
	}
	if info, statErr := os.Stat(cmd.Context); statErr == nil && info.Mode().IsRegular() {
		return setupError{fmt.Errorf("%w; to read the file, write --context @%s", err, cmd.Context)}
	}
	return setupError{err}
}

func (cmd taskCreate) report(ctx context.Context, s streams, tasks *client.Client, id int64) error {
	if !cmd.Wait {
		if cmd.JSON {
			return printJSON(s.out, map[string]int64{"task_id": id})
		}
		_, err := fmt.Fprintln(s.out, id)
		return err
	}
	task, err := tasks.Wait(ctx, id)
	if err != nil {
		return err
	}
	if cmd.JSON {
		err = printTaskJSON(s.out, task)
	} else {
		err = printTask(s.out, task, widthOf(s.out))
	}
	if err == nil && task.State != engine.Complete {
		return exitError(exitFailure)
	}
	return err
}

// parseTemplateName reads NAMESPACE/NAME@VERSION.
func parseTemplateName(text string) (namespace, name, version string, err error) {
	namespace, rest, ok := strings.Cut(text, "/")
	name, version, versioned := strings.Cut(rest, "@")
	if !ok || !versioned || namespace == "" || name == "" || version == "" {
		return "", "", "", fmt.Errorf("%q is not of the form NAMESPACE/NAME@VERSION, for example ecommerce/process_order@1.0.0", text)
	}
	return namespace, name, version, nil
}

// readArgument reads a JSON argument, which may name a file with @.
func readArgument(text string) (json.RawMessage, error) {
	path, isFile := strings.CutPrefix(text, "@")
	switch {
	case !isFile:
		return json.RawMessage(text), nil
	case path == "-":
		return readBounded(os.Stdin)
	default:
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return readBounded(file)
	}
}

// readMax bounds what is kept of an argument. The text may be longer than the value that PostgreSQL makes of it.
const readMax = 16 << 20

// readBounded reads an argument. Of one that is much too large it keeps nothing, and says how large it is.
func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, readMax+1))
	if err != nil || len(data) <= readMax {
		return data, err
	}
	more, err := io.Copy(io.Discard, r)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("JSON has %d bytes, more than the %d allowed", int64(len(data))+more, engine.ContextBytesMax)
}

// unknownTask says where to look for the task that there is not.
func unknownTask(err error) error {
	if errors.Is(err, client.ErrNoTask) {
		return setupError{fmt.Errorf("%w; `tasker-worker task list` shows the newest", err)}
	}
	return err
}

type taskShow struct {
	ID   int64 `arg:""              help:"The task's id."`
	JSON bool  `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (taskShow) Help() string {
	return `Shows each step with its attempts, the errors, and why the task is not moving if it is not. --json has the whole results
and backtraces.`
}

// Run shows the task.
func (cmd taskShow) Run(ctx context.Context, s streams) error {
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		task, err := client.New(pool).Task(ctx, cmd.ID)
		if err != nil {
			return unknownTask(err)
		}
		if cmd.JSON {
			return printTaskJSON(s.out, task)
		}
		return printTask(s.out, task, widthOf(s.out))
	})
}

type taskList struct {
	taskFilterFlags
	Limit int  `default:"20"      help:"Tasks at most."`
	JSON  bool `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (taskList) Help() string {
	return `For example:

    tasker-worker task list --state error
    tasker-worker task list --limit 100 --before 4711    # the next page`
}

// Run lists tasks.
func (cmd taskList) Run(ctx context.Context, s streams) error {
	if cmd.Limit < 1 || cmd.Limit > 1000 {
		return setupError{fmt.Errorf("--limit is %d; it must be between 1 and 1000", cmd.Limit)}
	}
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		filter := cmd.filter()
		filter.Limit = cmd.Limit
		tasks, err := client.New(pool).Tasks(ctx, filter)
		if err != nil {
			return err
		}
		if cmd.JSON {
			return printJSON(s.out, orEmpty(tasks))
		}
		return printTasks(s.out, tasks)
	})
}

// printTasks prints a table of tasks.
func printTasks(w io.Writer, tasks []client.TaskSummary) error {
	if len(tasks) == 0 {
		_, err := fmt.Fprintln(w, "no tasks")
		return err
	}
	rows := [][]string{{"ID", "TASK", "STATE", "STEPS", "CREATED (UTC)", "TOOK"}}
	for _, t := range tasks {
		took := ""
		if t.EndedAt != nil {
			took = seconds(t.EndedAt.Sub(t.CreatedAt))
		}
		rows = append(rows, []string{
			fmt.Sprint(t.TaskID), t.Namespace + "/" + t.Name + "@" + t.Version, string(t.State),
			fmt.Sprintf("%d/%d", t.Done, t.Steps), t.CreatedAt.Format(time.DateTime), took,
		})
	}
	return table(w, rows)
}
