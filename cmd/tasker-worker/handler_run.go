package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors"
	"github.com/tasker-systems/tasker-worker/templates"
)

type handlerRun struct {
	Name    string            `arg:""                                                             help:"The handler."`
	Context string            `default:"{}"                                                       help:"The task's context as JSON, or @FILE, or @- for standard input."`
	Results map[string]string `help:"What an earlier step returned, as JSON or @FILE; may be given several times." mapsep:"none" placeholder:"STEP=JSON"`
	Inputs  string            `default:"{}"                                                       help:"The inputs of the step, as the context."`
	Config  string            `default:"{}"                                                       help:"The handler_config of the step, as the context."`
	Attempt int               `default:"1"                                                        help:"The number of the attempt."`
	Timeout time.Duration     `help:"Stop the handler after so long. Default: TASKER_STEP_TIMEOUT."`
	Watch   bool              `help:"Run it again whenever a file of TASKER_EXECUTORS_DIR changes."`
	JSON    bool              `help:"Print JSON."                                                 name:"json"`
}

// Help implements kong's extension.
func (handlerRun) Help() string {
	return `Runs the handler in its real host process. The result goes to standard output; logs, timing and failures go to
standard error. Exits with 0 when the handler succeeded and with 1 when it failed. For example:

    tasker-worker handler run Shop::Charge --context '{"amount": 12}'
    tasker-worker handler run Shop::Ship --context @order.json --results charge='{"charged": 12}' --watch`
}

// handlerReport is the outcome of a run, for JSON.
type handlerReport struct {
	Outcome    string          `json:"outcome"`
	Result     json.RawMessage `json:"result,omitempty"`
	Class      string          `json:"class,omitempty"`
	Message    string          `json:"message,omitempty"`
	Code       string          `json:"code,omitempty"`
	Permanent  bool            `json:"permanent,omitempty"`
	RetryAfter float64         `json:"retry_after_seconds,omitempty"`
	Details    json.RawMessage `json:"details,omitempty"`
	Backtrace  []string        `json:"backtrace,omitempty"`
	TookMS     float64         `json:"took_ms"`
}

// Run runs the handler once, or with --watch until it is interrupted.
func (cmd handlerRun) Run(ctx context.Context, s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	attempt, err := cmd.attempt()
	if err != nil {
		return setupError{err}
	}
	log := slog.New(dropProcessRecords{newLogger(c, s.err).Handler()})
	c.TemplatesDir = c.ExecutorsDir // no template is loaded, so that none is watched
	files := newFileState(c)
	supervisor, err := startExecutors(ctx, c, nil, nil, log)
	if err != nil {
		return err
	}
	defer stopExecutors(ctx, supervisor, log)
	if !cmd.Watch {
		return cmd.once(ctx, s, supervisor, attempt)
	}
	cmd.say(s, cmd.once(ctx, s, supervisor, attempt))
	watchFiles(ctx, c, files, log, func(fileState) {
		if err := supervisor.Reload(ctx); err != nil {
			fmt.Fprintln(s.err, "handlers not loaded again, the old ones go on:", printableLines(err.Error()))
			return
		}
		cmd.say(s, cmd.once(ctx, s, supervisor, attempt))
	})
	return ctx.Err()
}

// say prints what Run would leave to the end of the program.
func (handlerRun) say(s streams, err error) {
	if _, said := errors.AsType[exitError](err); err != nil && !said {
		fmt.Fprintln(s.err, printableLines(err.Error()))
	}
}

// once runs the handler and prints what came of it.
func (cmd handlerRun) once(ctx context.Context, s streams, supervisor *executors.Supervisor, attempt *engine.Attempt) error {
	if err := cmd.find(s, supervisor); err != nil {
		return err
	}
	slot, err := supervisor.Acquire(ctx, cmd.Name)
	if err != nil {
		return err
	}
	defer slot.Release()
	start := time.Now()
	outcome := slot.Execute(ctx, attempt)
	if err := ctx.Err(); err != nil {
		return err
	}
	report := newHandlerReport(&outcome, time.Since(start))
	if err := cmd.print(s, report); err != nil {
		return err
	}
	if outcome.Kind != engine.OutcomeSucceeded {
		return exitError(exitFailure)
	}
	return nil
}

// find says what is wrong when no host serves the handler.
func (cmd handlerRun) find(s streams, supervisor *executors.Supervisor) error {
	names := handlerNames(supervisor)
	if slices.Contains(names, cmd.Name) {
		return nil
	}
	warnUnserved(s, supervisor.Problems())
	if nearest, ok := templates.Nearest(cmd.Name, names); ok {
		return setupError{fmt.Errorf("there is no handler %s; did you mean %s?", cmd.Name, nearest)}
	}
	return setupError{fmt.Errorf("there is no handler %s; `tasker-worker handler list` shows what there is", cmd.Name)}
}

func warnUnserved(s streams, problems []executors.Problem) {
	for _, p := range problems {
		fmt.Fprintln(s.err, "warning: handler not served:", printableLines(p.Detail()))
	}
}

func (cmd handlerRun) print(s streams, r *handlerReport) error {
	if cmd.JSON {
		return printJSON(s.out, r)
	}
	fmt.Fprintf(s.err, "%s after %.1f ms\n", r.Outcome, r.TookMS)
	if r.Class == "" && r.Message == "" {
		_, err := fmt.Fprintln(s.out, printableLines(string(r.Result)))
		return err
	}
	fmt.Fprintln(s.err, printableLines(strings.TrimPrefix(r.Class+": "+r.Message, ": ")))
	if r.Code != "" {
		fmt.Fprintln(s.err, "code:", printable(r.Code))
	}
	if r.RetryAfter > 0 {
		fmt.Fprintf(s.err, "retry after %v s\n", r.RetryAfter)
	}
	if len(r.Details) > 0 {
		fmt.Fprintln(s.err, "details:", printable(string(r.Details)))
	}
	for _, frame := range r.Backtrace {
		fmt.Fprintln(s.err, "    "+printable(frame))
	}
	return nil
}

func newHandlerReport(o *engine.Outcome, took time.Duration) *handlerReport {
	r := &handlerReport{TookMS: float64(took.Microseconds()) / 1000}
	switch {
	case o.Kind == engine.OutcomeSucceeded:
		r.Outcome, r.Result = "success", o.Result
	case o.Failure != nil:
		f := o.Failure
		r.Outcome, r.Class, r.Message, r.Code, r.Permanent = "retryable failure", f.Class, f.Message, f.Code, f.Permanent
		if f.Permanent {
			r.Outcome = "permanent failure"
		}
		r.RetryAfter, r.Details, r.Backtrace = f.RetryAfter.Seconds(), f.Details, f.Backtrace
	case o.GiveBack != nil:
		r.Outcome, r.Message = "given back", o.GiveBack.Reason
	default:
		r.Outcome, r.Message = "no outcome", fmt.Sprint("kind ", o.Kind)
	}
	return r
}

// attempt is what the worker would have claimed.
func (cmd handlerRun) attempt() (*engine.Attempt, error) {
	a := &engine.Attempt{
		Token:   1,
		Task:    engine.TaskInfo{ID: 1, Namespace: "local", Name: "handler_run", Version: "0.0.0", RequestedAt: time.Now()},
		Step:    engine.StepInfo{ID: 1, Name: "step", Attempt: cmd.Attempt, MaxAttempts: max(cmd.Attempt, 3)},
		Handler: engine.Handler{Name: cmd.Name, Timeout: cmd.Timeout},
	}
	if cmd.Attempt < 1 {
		return nil, fmt.Errorf("--attempt counts from 1, it is %d", cmd.Attempt)
	}
	documents := []struct {
		flag, text string
		target     *json.RawMessage
	}{{"--context", cmd.Context, &a.Task.Context}, {"--inputs", cmd.Inputs, &a.Step.Inputs}, {"--config", cmd.Config, &a.Handler.Config}}
	for _, d := range documents {
		var err error
		if *d.target, err = readDocument(d.flag, d.text); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cmd.Results)) {
		result, err := readDocument("--results "+name, cmd.Results[name])
		if err != nil {
			return nil, err
		}
		id := int64(len(a.Dependencies) + 2)
		a.Dependencies = append(a.Dependencies, engine.Dependency{Name: name, StepID: id, Result: result})
	}
	return a, nil
}

func readDocument(flag, text string) (json.RawMessage, error) {
	document, err := readArgument(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", flag, err)
	}
	if !json.Valid(document) {
		return nil, fmt.Errorf("%s is no JSON: %.100s", flag, document)
	}
	// What a worker's handler would not be given.
	if err := engine.CheckJSON(document, readMax); err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return document, nil
}

// dropProcessRecords drops the records about handler processes that come and go: one run is all there is.
type dropProcessRecords struct{ slog.Handler }

// Handle implements slog.Handler.
func (h dropProcessRecords) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn && strings.HasPrefix(r.Message, "handler process ") {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h dropProcessRecords) WithAttrs(attrs []slog.Attr) slog.Handler {
	return dropProcessRecords{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h dropProcessRecords) WithGroup(name string) slog.Handler {
	return dropProcessRecords{h.Handler.WithGroup(name)}
}
