package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

// operationFlags are those of every command that changes a task by hand.
type operationFlags struct {
	Reason string `help:"Why; recorded with the change."                                      placeholder:"TEXT"`
	By     string `help:"Who changes it; recorded with the change. The default is your login." placeholder:"NAME"`
	JSON   bool   `help:"Print JSON."                                                         name:"json"`
}

// operation says why and by whom.
func (f operationFlags) operation() client.Operation {
	op := client.Operation{Reason: f.Reason, By: f.By}
	if op.By == "" {
		if login, err := user.Current(); err == nil {
			op.By = login.Username
		}
	}
	return op
}

// retryFlags are those of commands that run steps again.
type retryFlags struct {
	Attempts int  `help:"How many attempts a step gets from now on. The default is those that are left, and one at least." placeholder:"N"`
	Reset    bool `help:"Start the count of attempts again."`
}

func (f retryFlags) retry() client.Retry { return client.Retry{Attempts: f.Attempts, Reset: f.Reset} }

// operated is what an operation did.
type operated struct {
	TaskID int64        `json:"task_id"`
	StepID int64        `json:"step_id,omitempty"`
	State  engine.State `json:"state"`
	// Steps is how many were opened again.
	Steps *int `json:"steps,omitempty"`
}

func (f operationFlags) print(s streams, done operated) error {
	if f.JSON {
		return printJSON(s.out, done)
	}
	text := fmt.Sprintf("task %d is %s", done.TaskID, done.State)
	if done.Steps != nil {
		text += fmt.Sprintf("; steps to run again: %d", *done.Steps)
	}
	_, err := fmt.Fprintln(s.out, text)
	return err
}

// operate connects to the database, does it, and prints what it did.
func (f operationFlags) operate(ctx context.Context, s streams, do func(*client.Client, client.Operation) (operated, error)) error {
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		done, err := do(client.New(pool), f.operation())
		if refused, ok := errors.AsType[*client.StateError](err); ok {
			if refused.Hint != "" {
				err = fmt.Errorf("%w\n  %s", err, refused.Hint)
			}
			return setupError{err}
		}
		if errors.Is(err, client.ErrNoTask) || errors.Is(err, client.ErrNoStep) {
			return setupError{err}
		}
		if err != nil {
			return err
		}
		return f.print(s, done)
	})
}
