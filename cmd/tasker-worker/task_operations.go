package main

import (
	"context"

	"github.com/tasker-systems/tasker-worker/client"
)

type taskCancel struct {
	ID int64 `arg:"" help:"The task's id, unless --all is given." optional:""`
	bulkFlags
	operationFlags
}

// Help implements kong's extension.
func (taskCancel) Help() string {
	return `Steps that have not started are cancelled; workers stop the handlers of those that run, within two seconds. Steps that are
done stay done. For example:

    tasker-worker task cancel 7 --reason 'ordered twice'
    tasker-worker task cancel --all --state pending --namespace shop --older-than 24h --dry-run

Exits with 2 when the task has ended already.`
}

// Run cancels the task, or those that the filter keeps.
func (cmd taskCancel) Run(ctx context.Context, s streams) error {
	if one, err := cmd.check(cmd.ID); err != nil {
		return err
	} else if !one {
		return cmd.run(ctx, s, cmd.JSON, func(tasks *client.Client, b client.Bulk) (client.BulkResult, error) {
			return tasks.CancelTasks(ctx, b, cmd.operation())
		})
	}
	return cmd.operate(ctx, s, func(tasks *client.Client, op client.Operation) (operated, error) {
		state, err := tasks.CancelTask(ctx, cmd.ID, op)
		return operated{TaskID: cmd.ID, State: state}, err
	})
}

type taskRetry struct {
	ID int64 `arg:"" help:"The task's id, unless --all is given." optional:""`
	retryFlags
	bulkFlags
	operationFlags
}

// Help implements kong's extension.
func (taskRetry) Help() string {
	return `Steps that failed or were cancelled run again, now; steps that are done stay done. For example:

    tasker-worker task retry 7 --reason 'the bank is back'
    tasker-worker task retry 7 --attempts 5
    tasker-worker task retry --all --state error --error-class Bank::Timeout --newer-than 2h --rate 50/s

Exits with 2 when the task is complete.`
}

// Run retries the task, or those that the filter keeps.
func (cmd taskRetry) Run(ctx context.Context, s streams) error {
	if one, err := cmd.check(cmd.ID); err != nil {
		return err
	} else if !one {
		return cmd.run(ctx, s, cmd.JSON, func(tasks *client.Client, b client.Bulk) (client.BulkResult, error) {
			return tasks.RetryTasks(ctx, b, cmd.retry(), cmd.operation())
		})
	}
	return cmd.operate(ctx, s, func(tasks *client.Client, op client.Operation) (operated, error) {
		state, steps, err := tasks.RetryTask(ctx, cmd.ID, cmd.retry(), op)
		return operated{TaskID: cmd.ID, State: state, Steps: &steps}, err
	})
}
