package sql_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// graphSQL inserts n tasks of one layered graph each: width steps in each of depth layers, every step a child of the two
// above it, its left neighbour wrapping around. Odd layers are complete and took an hour for each number of their layer.
const graphSQL = `
WITH names AS (
    INSERT INTO public.tasker_task_namespaces (name, created_at, updated_at) VALUES ('shop', now(), now()) RETURNING task_namespace_id
), named AS (
    INSERT INTO public.tasker_named_tasks (task_namespace_id, name, version, created_at, updated_at)
    SELECT task_namespace_id, 'order', '1.0.0', now(), now() FROM names RETURNING named_task_id
), systems AS (
    INSERT INTO public.tasker_dependent_systems (name, created_at, updated_at) VALUES ('shop', now(), now())
    RETURNING dependent_system_id
), steps AS (
    INSERT INTO public.tasker_named_steps (dependent_system_id, name, created_at, updated_at)
    SELECT dependent_system_id, 'pack', now(), now() FROM systems RETURNING named_step_id
), tasks AS (
    INSERT INTO public.tasker_tasks (task_id, named_task_id, requested_at, identity_hash, created_at, updated_at)
    SELECT g.task, named_task_id, now(), g.task::text, now() - interval '10 hours', now()
    FROM named, generate_series(1, $1::int) AS g (task)
), inserted AS (
    INSERT INTO public.tasker_workflow_steps (workflow_step_id, task_id, named_step_id, attempts, created_at, updated_at)
    SELECT g.task * 100000 + layer * 100 + place, g.task, named_step_id, 1, now() - interval '10 hours', now()
    FROM steps, generate_series(1, $1) AS g (task), generate_series(0, $2::int - 1) AS l (layer),
        generate_series(0, $3::int - 1) AS p (place)
), edges AS (
    INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
    SELECT g.task * 100000 + (layer - 1) * 100 + (place + d) % $3, g.task * 100000 + layer * 100 + place, 'provides', now(), now()
    FROM generate_series(1, $1) AS g (task), generate_series(1, $2 - 1) AS l (layer),
        generate_series(0, $3 - 1) AS p (place), generate_series(0, least($3, 2) - 1) AS d (d)
)
INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, sort_key, created_at, updated_at)
SELECT g.task * 100000 + layer * 100 + place, CASE WHEN layer % 2 = 1 THEN 'complete' ELSE 'in_progress' END, 10,
    now() - interval '10 hours' + layer * interval '1 hour', now()
FROM generate_series(1, $1) AS g (task), generate_series(0, $2 - 1) AS l (layer), generate_series(0, $3 - 1) AS p (place)`

// insertGraph fills a fresh database. Steps have ids task * 100000 + layer * 100 + place.
func insertGraph(t *testing.T, db *pgxpool.Pool, tasks, depth, width int) {
	t.Helper()
	if _, err := db.Exec(t.Context(), graphSQL, tasks, depth, width); err != nil {
		t.Fatal(err)
	}
}

func TestReadinessOfChosenSteps(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	insertGraph(t, db, 2, 2, 2)
	for name, test := range map[string]struct {
		steps any
		want  []int64
	}{
		"NULL means all":              {nil, []int64{100000, 100001, 100100, 100101}},
		"an empty array means none":   {[]int64{}, nil},
		"those given, ordered":        {[]int64{100100, 100001}, []int64{100001, 100100}},
		"no step of another task":     {[]int64{100000, 200000}, []int64{100000}},
		"a step given twice, one row": {[]int64{100000, 100000}, []int64{100000}},
		"a step that does not exist":  {[]int64{1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const query = `SELECT workflow_step_id FROM public.get_step_readiness_status(1, $1)`
			if diff := cmp.Diff(test.want, numbers(t, db, query, test.steps)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadinessBatchTakesATaskGivenTwiceOnce(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	insertGraph(t, db, 2, 1, 1)
	const query = `SELECT workflow_step_id FROM public.get_step_readiness_status_batch($1)`
	if diff := cmp.Diff([]int64{100000, 200000}, numbers(t, db, query, []int64{2, 1, 1, 9})); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestReadinessIsTheSameInEveryTimeZone(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	insertGraph(t, db, 1, 1, 1)
	exec(t, db, `UPDATE public.tasker_workflow_step_transitions SET to_state = 'error', created_at = now() - interval '3 seconds'`)
	for _, zone := range []string{"America/New_York", "UTC", "Asia/Tokyo"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			tx, err := db.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(t.Context()) }()
			var ready bool
			const query = `SELECT ready_for_execution FROM public.get_step_readiness_status(1)`
			if _, err := tx.Exec(t.Context(), "SET LOCAL timezone = '"+zone+"'"); err != nil {
				t.Fatal(err)
			}
			if err := tx.QueryRow(t.Context(), query).Scan(&ready); err != nil || !ready {
				t.Errorf("ready is %t (%v) a second after the backoff of two", ready, err)
			}
		})
	}
}

func TestReadinessSurvivesAnyNumberOfAttempts(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	insertGraph(t, db, 1, 1, 1)
	exec(t, db, `UPDATE public.tasker_workflow_steps SET attempts = 2147483647`)
	exec(t, db, `UPDATE public.tasker_workflow_step_transitions SET to_state = 'error'`)
	exec(t, db, `SELECT workflow_step_id FROM public.get_step_readiness_status(1)`)
}

// TestReadinessCostsTheSameInALargeDatabase counts pages, not time: with statistics or without, and however many tasks
// stand beside this one, its steps are looked up one by one.
func TestReadinessCostsTheSameInALargeDatabase(t *testing.T) {
	t.Parallel()
	// A task has 20 steps, each with its transition, two parents and their transitions.
	limits := map[string]int{
		`SELECT * FROM public.get_step_readiness_status(7)`:                    400,
		`SELECT * FROM public.get_step_readiness_status(7, '{700000,700101}')`: 60,
		`SELECT * FROM public.get_step_readiness_status_batch('{7,8,9}')`:      1000,
		`SELECT * FROM public.get_task_execution_context(7)`:                   400,
		`SELECT * FROM public.get_task_execution_contexts_batch('{7,8,9}')`:    1000,
		`SELECT * FROM public.calculate_dependency_levels(7)`:                  300,
		`SELECT * FROM public.tasker_step_dag_relationships WHERE task_id = 7`: 2000,
	}
	db := sqltest.New(t)
	insertGraph(t, db, 3000, 5, 4)
	for _, statistics := range []string{"without", "with"} {
		if statistics == "with" {
			exec(t, db, "ANALYZE")
		}
		for query, limit := range limits {
			if pages := pagesTouched(t, db, query); pages > limit {
				t.Errorf("%s, %s statistics: %d pages, want at most %d", query, statistics, pages, limit)
			}
		}
	}
}

// pagesTouched runs a query twice, because the first run also reads the catalog, and returns the pages of the second.
func pagesTouched(t *testing.T, db *pgxpool.Pool, query string) int {
	t.Helper()
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	for range 2 {
		if err := conn.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+query).Scan(&plans); err != nil {
			t.Fatal(err)
		}
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}

func TestDependencyLevels(t *testing.T) {
	t.Parallel()
	t.Run("are ordered by level, then step", func(t *testing.T) {
		t.Parallel()
		db := sqltest.New(t)
		insertGraph(t, db, 1, 3, 2)
		// A late step without parents.
		exec(t, db, `INSERT INTO public.tasker_workflow_steps (workflow_step_id, task_id, named_step_id, created_at, updated_at)
			SELECT 199999, 1, named_step_id, now(), now() FROM public.tasker_named_steps`)
		const query = `SELECT workflow_step_id FROM public.calculate_dependency_levels(1)`
		want := []int64{100000, 100001, 199999, 100100, 100101, 100200, 100201}
		if diff := cmp.Diff(want, numbers(t, db, query)); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
	t.Run("of a cycle end", func(t *testing.T) {
		t.Parallel()
		db := sqltest.New(t)
		insertGraph(t, db, 1, 3, 1)
		exec(t, db, `INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
			VALUES (100200, 100100, 'provides', now(), now())`)
		exec(t, db, `SELECT workflow_step_id FROM public.calculate_dependency_levels(1)`)
	})
	t.Run("of many paths cost no more than their steps", func(t *testing.T) {
		t.Parallel()
		db := sqltest.New(t)
		insertGraph(t, db, 1, 60, 2) // 2 to the power of 59 paths
		const query = `SELECT max(dependency_level)::bigint FROM public.calculate_dependency_levels(1)`
		if diff := cmp.Diff([]int64{59}, numbers(t, db, query)); diff != "" {
			t.Errorf("deepest level (-want +got):\n%s", diff)
		}
	})
}

func TestRelationshipsOfSteps(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	insertGraph(t, db, 1, 3, 2)
	// A shortcut from the first to the last layer: the depth is the shortest way.
	exec(t, db, `INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
		VALUES (100001, 100200, 'provides', now(), now())`)
	rows, err := db.Query(t.Context(), `SELECT concat_ws(' ', workflow_step_id, parent_step_ids, child_step_ids, parent_count,
		child_count, is_root_step, is_leaf_step, min_depth_from_root)
		FROM public.tasker_step_dag_relationships WHERE task_id = 1 ORDER BY workflow_step_id`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	want := []string{ //nolint:dupword // f f are two booleans
		"100000 [] [100100, 100101] 0 2 t f 0",
		"100001 [] [100100, 100101, 100200] 0 3 t f 0",
		"100100 [100000, 100001] [100200, 100201] 2 2 f f 1",
		"100101 [100000, 100001] [100200, 100201] 2 2 f f 1",
		"100200 [100001, 100100, 100101] [] 3 0 f t 1",
		"100201 [100100, 100101] [] 2 0 f t 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("relationships (-want +got):\n%s", diff)
	}
}

func TestSlowest(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	insertGraph(t, db, 2, 4, 1)
	exec(t, db, `UPDATE public.tasker_tasks SET created_at = created_at - interval '2 days' WHERE task_id = 2`)
	exec(t, db, `UPDATE public.tasker_workflow_steps SET created_at = created_at - interval '2 days' WHERE task_id = 2`)
	const (
		steps = `SELECT workflow_step_id FROM get_slowest_steps_v01`
		tasks = `SELECT task_id FROM get_slowest_tasks_v01`
	)
	for call, want := range map[string][]int64{
		steps + `()`:                                                          {100300, 100100},
		steps + `(limit_count => 1)`:                                          {100300},
		steps + `(now() - interval '3 days', 2)`:                              {200300, 200100},
		steps + `(namespace_filter => 'shop')`:                                {100300, 100100},
		steps + `(namespace_filter => 'sho')`:                                 nil,
		steps + `(task_name_filter => 'order')`:                               {100300, 100100},
		steps + `(version_filter => '2.0.0')`:                                 nil,
		tasks + `()`:                                                          {1},
		tasks + `(now() - interval '3 days')`:                                 {2, 1},
		tasks + `(now() - interval '3 days', 1)`:                              {2},
		tasks + `(task_name_filter => 'other')`:                               nil,
		tasks + `(namespace_filter => 'shop')`:                                {1},
		tasks + `(version_filter => '1.0.0')`:                                 {1},
		`SELECT duration_seconds::bigint FROM public.get_slowest_steps_v01()`: {3 * 3600, 3600},
		`SELECT duration_seconds::bigint FROM public.get_slowest_tasks_v01()`: {3 * 3600},
		`SELECT step_count * 100 + completed_steps * 10 + error_steps FROM public.get_slowest_tasks_v01()`:                 {420},
		`SELECT round(extract(epoch FROM completed_at - now()) / 3600)::bigint FROM public.get_slowest_steps_v01(NULL, 1)`: {-7},
		`SELECT round(extract(epoch FROM created_at - now()) / 3600)::bigint FROM public.get_slowest_tasks_v01()`:          {-10},
	} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(want, numbers(t, db, call)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func numbers(t *testing.T, db *pgxpool.Pool, query string, args ...any) []int64 {
	t.Helper()
	rows, err := db.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
