package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

// pool stands for the pool of an application.
var pool *pgxpool.Pool

// A task that belongs to an order exists if, and only if, the order does.
func ExampleClient_Create() { //nolint:testableexamples // it needs a database
	ctx := context.Background()
	tasks := client.New(pool)

	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO orders (id, email) VALUES ($1, $2)`, 7, "ann@example.com"); err != nil {
			return err
		}
		_, err := tasks.Create(ctx, tx, client.NewTask{
			Namespace: "ecommerce", Name: "process_order", Version: "1.0.0",
			Context: json.RawMessage(`{"order_id": 7}`),
		})
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

// An identity key makes the call idempotent: a second call returns the task of the first one.
func ExampleClient_CreateNow() { //nolint:testableexamples // it needs a database
	ctx := context.Background()
	tasks := client.New(pool)

	id, err := tasks.CreateNow(ctx, client.NewTask{
		Namespace: "ecommerce", Name: "process_order", Version: "1.0.0",
		Context:     json.RawMessage(`{"order_id": 7}`),
		Initiator:   "nightly import",
		IdentityKey: "order-7",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("task", id)
}

// The error of an invalid context lists its violations with their paths.
func ExampleInvalidContextError() { //nolint:testableexamples // it needs a database
	_, err := client.New(pool).CreateNow(context.Background(), client.NewTask{
		Namespace: "ecommerce", Name: "process_order", Version: "1.0.0",
		Context: json.RawMessage(`{"order_id": "seven"}`),
	})
	if invalid, ok := errors.AsType[*client.InvalidContextError](err); ok {
		for _, violation := range invalid.Violations {
			fmt.Println(violation)
		}
	}
}

// Wait returns the task after its end. Its state says how it ended.
func ExampleClient_Wait() { //nolint:testableexamples // it needs a database
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	task, err := client.New(pool).Wait(ctx, 42)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("it takes longer than a minute")
	case err != nil:
		fmt.Println(err)
	case task.State == engine.Complete:
		fmt.Println("done")
	default:
		fmt.Printf("the task ended %s: %s\n", task.State, task.StateDetail)
	}
}

// The failed tasks of one namespace, page by page, newest first.
func ExampleClient_Tasks() { //nolint:testableexamples // it needs a database
	ctx := context.Background()
	tasks := client.New(pool)

	filter := client.TaskFilter{Namespace: "ecommerce", State: engine.Error, Limit: 100}
	for {
		page, err := tasks.Tasks(ctx, filter)
		if err != nil {
			log.Fatal(err)
		}
		for _, task := range page {
			fmt.Printf("%d %s: %d of %d steps done\n", task.TaskID, task.Name, task.Done, task.Steps)
		}
		if len(page) < filter.Limit {
			return
		}
		filter.Before = page[len(page)-1].TaskID
	}
}

// The steps of a task with their results or errors.
func ExampleClient_Task() { //nolint:testableexamples // it needs a database
	task, err := client.New(pool).Task(context.Background(), 42)
	if errors.Is(err, client.ErrNoTask) {
		fmt.Println("there is no task 42")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range task.Steps {
		fmt.Printf("%s is %s after %d attempts: %s\n", step.Name, step.State, step.Attempts, step.Results)
	}
}
