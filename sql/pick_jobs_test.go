package sql_test

import (
	"context"
	"encoding/json"
	"testing"
)

// backlog are jobs of a handler that nobody serves, more than the head of the queue that a fetch looks at.
const backlog = `INSERT INTO tasker.river_job (kind, args, queue, max_attempts)
	SELECT 'tasker_step', jsonb_build_object('task_id', n, 'step_id', n, 'handler', 'Unserved::InventoryReservation'), 'default', 25 FROM generate_series(1, 20000) AS n`

// pick looks for jobs of three handlers in two pools with two free slots each.
const pick = `SELECT tasker.pick_jobs('default', '{A,B,C}', '{1,1,2}', '{2,2}', 4)`

func TestJobsBehindABacklogOfHandlersWithoutSlotsArePicked(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]string{"a handler with free slots": "C", "no handler, which needs no slot": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.exec(backlog)
			job := queryAll[int64](b, `INSERT INTO tasker.river_job (kind, args, queue, max_attempts)
				VALUES ('tasker_step', jsonb_build_object('task_id', 1, 'step_id', 1, 'handler', $1::text), 'default', 25) RETURNING id`, handler)[0]
			if picked := queryAll[[]int64](b, pick)[0]; len(picked) != 1 || picked[0] != job {
				t.Errorf("picked are %v, want %d", picked, job)
			}
		})
	}
}

// A backlog comes faster than its statistics.
func TestBacklogIsNotReadForEachHandlerBeforeItIsAnalyzed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`ALTER TABLE tasker.river_job SET (autovacuum_enabled = off)`)
	b.exec(backlog)
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	// The settings are those of tasker.fetch_jobs, and the first call reads the catalogue.
	if _, err := tx.Exec(t.Context(), `SET LOCAL plan_cache_mode = force_generic_plan`); err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{"seqscan", "hashjoin", "mergejoin"} {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_`+setting+` = off`); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Exec(t.Context(), pick); err != nil {
		t.Fatal(err)
	}
	var text json.RawMessage
	if err := tx.QueryRow(t.Context(), `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) `+pick).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	pages := queryAll[int](b, `SELECT (pg_relation_size('tasker.river_job') / 8192)::int`)[0]
	if blocks := plans[0].Plan.Hit + plans[0].Plan.Read; blocks > pages {
		t.Errorf("%d blocks are read to look behind a backlog of %d", blocks, pages)
	}
}
