package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

type stepCommand struct {
	Retry   stepRetry   `cmd:"" help:"Run a failed step again, now."`
	RunNow  stepRunNow  `cmd:"" help:"End the backoff of a step."                           name:"run-now"`
	Resolve stepResolve `cmd:"" help:"Declare a step as done by hand, with a result."`
	Skip    stepSkip    `cmd:"" help:"Go on without a step: its children see no result."`
	Cancel  stepCancel  `cmd:"" help:"Cancel a step and stop its handler."`
}

// stepName is TASK/STEP, as a person knows a step.
type stepName struct {
	task int64
	name string
}

// UnmarshalText reads TASK/STEP.
func (n *stepName) UnmarshalText(text []byte) error {
	task, name, found := strings.Cut(string(text), "/")
	id, err := strconv.ParseInt(task, 10, 64)
	if !found || err != nil || name == "" {
		return fmt.Errorf("%q is not of the form TASK/STEP, for example 7/charge_card", text)
	}
	n.task, n.name = id, name
	return nil
}

// stepArgument names a step; commands embed it.
type stepArgument struct {
	Step stepName `arg:"" help:"The task's id and the step's name: 7/charge_card."`
	operationFlags
}

// operateStep finds the step and does it.
func (a stepArgument) operateStep(ctx context.Context, s streams, do func(*client.Client, int64, client.Operation) (engine.State, error)) error {
	return a.operate(ctx, s, func(tasks *client.Client, op client.Operation) (operated, error) {
		id, err := tasks.Step(ctx, a.Step.task, a.Step.name)
		if err != nil {
			return operated{}, err
		}
		state, err := do(tasks, id, op)
		return operated{TaskID: a.Step.task, StepID: id, State: state}, err
	})
}

type stepRetry struct {
	stepArgument
	retryFlags
}

// Help implements kong's extension.
func (stepRetry) Help() string {
	return `The step runs again at once, whatever its backoff was, and a task that had ended in error goes on. For example:

    tasker-worker step retry 7/charge_card --attempts 5 --reason 'the bank is back'

Exits with 2 when the step runs, is done or was cancelled.`
}

// Run retries the step.
func (cmd stepRetry) Run(ctx context.Context, s streams) error {
	return cmd.operateStep(ctx, s, func(tasks *client.Client, step int64, op client.Operation) (engine.State, error) {
		return tasks.RetryStep(ctx, step, cmd.retry(), op)
	})
}

type stepRunNow struct {
	stepArgument
}

// Run ends the backoff of the step.
func (cmd stepRunNow) Run(ctx context.Context, s streams) error {
	return cmd.operateStep(ctx, s, func(tasks *client.Client, step int64, op client.Operation) (engine.State, error) {
		return tasks.RunNow(ctx, step, op)
	})
}

type stepResolve struct {
	stepArgument
	Result string `help:"The result that the step's children read, as JSON, or @FILE, or @- for standard input." placeholder:"JSON"`
}

// Help implements kong's extension.
func (stepResolve) Help() string {
	return `For work that was done outside, or a failure that does not matter. The task goes on. For example:

    tasker-worker step resolve 7/charge_card --result '{"charge_id": "ch_1"}' --reason 'charged by phone'

Exits with 2 when the step runs or is done.`
}

// Run resolves the step.
func (cmd stepResolve) Run(ctx context.Context, s streams) error {
	var result json.RawMessage
	if cmd.Result != "" {
		var err error
		if result, err = readArgument(cmd.Result); err != nil {
			return setupError{fmt.Errorf("reading the result: %w", err)}
		}
		if err := engine.CheckJSON(result, engine.ResultBytesMax); err != nil {
			return setupError{fmt.Errorf("the result: %w", err)}
		}
	}
	return cmd.operateStep(ctx, s, func(tasks *client.Client, step int64, op client.Operation) (engine.State, error) {
		return tasks.ResolveStep(ctx, step, result, op)
	})
}

type stepSkip struct {
	stepArgument
	Force bool `help:"Skip it although its template does not say skippable."`
}

// Run skips the step.
func (cmd stepSkip) Run(ctx context.Context, s streams) error {
	return cmd.operateStep(ctx, s, func(tasks *client.Client, step int64, op client.Operation) (engine.State, error) {
		return tasks.SkipStep(ctx, step, cmd.Force, op)
	})
}

type stepCancel struct {
	stepArgument
}

// Help implements kong's extension.
func (stepCancel) Help() string {
	return `A worker stops the handler of a running step within two seconds. Steps that depend on it never run, and the task ends in
error once nothing else can run. For example:

    tasker-worker step cancel 7/send_mail --reason 'the address is wrong'`
}

// Run cancels the step.
func (cmd stepCancel) Run(ctx context.Context, s streams) error {
	return cmd.operateStep(ctx, s, func(tasks *client.Client, step int64, op client.Operation) (engine.State, error) {
		return tasks.CancelStep(ctx, step, op)
	})
}
