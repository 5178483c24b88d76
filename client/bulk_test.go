package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

func TestOperationsOnManyTasks(t *testing.T) {
	t.Parallel()
	c, pool := setup(t)
	var ids []int64
	for i := range 450 { // more than two pages
		id, err := c.CreateNow(t.Context(), client.NewTask{
			Namespace: "shop", Name: "refund", Version: "1.0.0", Tags: []string{[]string{"even", "odd"}[i%2]},
		})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	some := client.TaskFilter{Namespace: "shop", Tag: "odd"}
	count := func(f client.TaskFilter) int {
		n, err := c.CountTasks(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := count(some); got != 225 {
		t.Fatalf("%d tasks match, want 225", got)
	}

	limited := some
	limited.Limit = 25
	first, err := c.CancelTasks(t.Context(), client.Bulk{Filter: limited}, client.Operation{By: "ann"})
	if err != nil || first.Done != 25 {
		t.Fatalf("with a limit: %+v, %v", first, err)
	}
	rest := some
	rest.Before = first.Last
	result, err := c.CancelTasks(t.Context(), client.Bulk{Filter: rest}, client.Operation{By: "ann"})
	if err != nil || result.Done != 200 || result.Refused != 0 || result.Last != ids[1] {
		t.Fatalf("from there on: %+v, %v", result, err)
	}
	if got := count(client.TaskFilter{State: engine.Cancelled}); got != 225 {
		t.Errorf("%d tasks are cancelled, want 225", got)
	}

	if _, err := pool.Exec(
		t.Context(),
		`SELECT tasker.transition_task($1, 'in_progress', '{}'), tasker.transition_task($1, 'complete', '{}')`, ids[0],
	); err != nil {
		t.Fatal(err)
	}
	result, err = c.RetryTasks(
		t.Context(), client.Bulk{Filter: client.TaskFilter{Namespace: "shop"}}, client.Retry{},
		client.Operation{By: "ann"},
	)
	if err != nil || result.Done != 449 || result.Refused != 1 {
		t.Errorf("retried with one that is complete: %+v, %v", result, err)
	}
}

func TestOperationsOnManyTasksKeepTheirRate(t *testing.T) {
	t.Parallel()
	c, _ := setup(t)
	for range 12 {
		if _, err := c.CreateNow(t.Context(), refund); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	result, err := c.CancelTasks(t.Context(), client.Bulk{PerSecond: 20}, client.Operation{})
	if took := time.Since(began); err != nil || result.Done != 12 || took < 400*time.Millisecond {
		t.Errorf("12 tasks at 20 a second took %s: %+v, %v", took, result, err)
	}

	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.RetryTasks(
		ctx, client.Bulk{PerSecond: 1}, client.Retry{}, client.Operation{},
	); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
