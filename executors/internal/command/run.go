package command

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/host"
	"github.com/tasker-systems/tasker-worker/executors/internal/logs"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// Options says how to run a program for an attempt.
type Options struct {
	// Args is the program, as an absolute path, and its arguments.
	Args []string
	// Env is the environment of handlers, without the variables of the attempt.
	Env []string
	// Scratch is an empty folder of the attempt's own.
	Scratch string
	Timeout time.Duration
	// Force ends when there is no time left: then the program is killed.
	Force context.Context //nolint:containedctx // it is the end of the supervisor, not of a call
	// TermGrace is the time between SIGTERM and SIGKILL for a program whose outcome is no longer wanted.
	TermGrace time.Duration
	Logger    *slog.Logger
	// Limits bound the program, and User is who it runs as, nil for the worker's own user.
	Limits process.Limits
	User   *process.User
	// AttemptLog keeps what the program prints; nil keeps nothing.
	AttemptLog engine.AttemptLog
}

// scratchVariable also tells the program's processes from all others.
const scratchVariable = "TASKER_SCRATCH_DIR="

// resultName is the result file within the scratch folder.
const resultName = "result.json"

// Run runs the program to its end. When ctx ends, the program gets SIGTERM and then SIGKILL, and the attempt is given back.
func Run(ctx context.Context, starter *process.Starter, a *engine.Attempt, o Options) engine.Outcome {
	if ctx.Err() != nil {
		return engine.GivenBack(host.ReasonShutdown, 0)
	}
	input, err := writeInput(a, &o)
	if err != nil {
		return engine.Failed(engine.Failure{Class: ClassFailed, Message: "the step could not be written for the program: " + err.Error()})
	}
	p, err := starter.Start(process.Command{
		Args: o.Args, Env: environment(a, &o), Limits: o.Limits, Mark: scratchVariable + o.Scratch, Program: true, Stdin: input, User: o.User,
	})
	_ = input.Close() // the program has its own descriptor
	if err != nil {
		return engine.Failed(engine.Failure{Class: ClassFailed, Message: err.Error()})
	}
	defer p.Close()
	r := &run{attempt: a, options: &o, process: p, sink: sink(a, &o, p.PID())}
	return r.wait(ctx)
}

func sink(a *engine.Attempt, o *Options, pid int) *logs.Sink {
	s := logs.NewSink(o.Logger.With("handler", a.Handler.Name, "pid", pid, "task_id", a.Task.ID, "step", a.Step.Name, "attempt", a.Step.Attempt))
	if o.AttemptLog != nil {
		s.OnLine = func(stream, line string, _ int64) any {
			o.AttemptLog.Append(a, engine.LogLine{At: time.Now(), Level: "info", Message: line, Stream: stream})
			return nil // nobody else prints there
		}
	}
	return s
}

// writeInput writes the step to a file, which is the program's standard input: a program that does not read it blocks no one.
func writeInput(a *engine.Attempt, o *Options) (*os.File, error) {
	path := filepath.Join(o.Scratch, "input.json")
	if err := os.WriteFile(path, wire.AppendStep(nil, &wire.Params{Attempt: a, ExecutionID: wire.NewExecutionID(a), Deadline: time.Now().Add(o.Timeout), ScratchDir: o.Scratch, Timeout: o.Timeout}), 0o600); err != nil {
		return nil, err
	}
	return os.Open(path)
}

func environment(a *engine.Attempt, o *Options) []string {
	return append(append([]string(nil), o.Env...),
		scratchVariable+o.Scratch,
		"TASKER_RESULT_FILE="+filepath.Join(o.Scratch, resultName),
		"TASKER_TASK_ID="+strconv.FormatInt(a.Task.ID, 10),
		"TASKER_STEP_ID="+strconv.FormatInt(a.Step.ID, 10),
		"TASKER_STEP_NAME="+a.Step.Name,
		"TASKER_ATTEMPT="+strconv.Itoa(a.Step.Attempt),
		"TASKER_IDEMPOTENCY_KEY="+wire.IdempotencyKey(a),
	)
}

// run is a program that has been started.
type run struct {
	attempt *engine.Attempt
	options *Options
	process *process.Process
	sink    *logs.Sink
	// document is the JSON in the last line of stdout, nil when it is none, which flaw may explain.
	document []byte
	flaw     flaw
}

// end says why the program ended.
type end int

const (
	endExited end = iota
	endTimedOut
	endCancelled
)

// wait waits for the program and for all that it printed.
func (r *run) wait(ctx context.Context) engine.Outcome {
	var reading sync.WaitGroup
	reading.Go(func() {
		r.document, r.flaw = readStdout(r.process.Stdout, func(line []byte) { r.sink.Line("stdout", line) })
	})
	reading.Go(func() { r.sink.Drain(r.process.Stderr, "stderr", true) })
	why := r.await(ctx)
	reading.Wait()
	switch why {
	case endCancelled:
		return host.Cancelled(ctx)
	case endTimedOut:
		return engine.Failed(engine.Failure{
			Class:   engine.ClassTimeout,
			Message: fmt.Sprintf("%s ran longer than its timeout of %v and was killed", r.attempt.Handler.Name, r.options.Timeout),
		})
	default:
		return r.outcome()
	}
}

func (r *run) await(ctx context.Context) end {
	timer := time.NewTimer(r.options.Timeout)
	defer timer.Stop()
	select {
	case <-r.process.Done():
		return endExited
	case <-timer.C:
		r.process.Kill()
		<-r.process.Done()
		return endTimedOut
	case <-ctx.Done():
	}
	r.process.Terminate()
	grace := time.NewTimer(r.options.TermGrace)
	defer grace.Stop()
	select {
	case <-r.process.Done():
		return endCancelled
	case <-grace.C:
	case <-r.options.Force.Done():
	}
	r.process.Kill()
	<-r.process.Done()
	return endCancelled
}
