package sql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// readyStep is a row of tasker.ready_steps.
type readyStep struct {
	Task, Step   int64
	Readiness    string
	Due          *time.Time
	State        string
	TransitionID int64
}

// readinessSQL is what tasker.ready_steps promises, in terms of the function that says it of every step.
const readinessSQL = `SELECT k.id, r.workflow_step_id, r.readiness, r.due_at, r.current_state, coalesce(t.id, 0)
	FROM unnest($1::bigint[]) AS k (id) CROSS JOIN LATERAL tasker.step_readiness(k.id) r
	LEFT JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = r.workflow_step_id AND t.most_recent
	WHERE r.readiness IN ('ready', 'backing_off') ORDER BY k.id, r.workflow_step_id`

// readyDifference compares tasker.ready_steps and its batch form with tasker.step_readiness, and returns how many steps
// are ready or will be.
func readyDifference(ctx context.Context, tx pgx.Tx, tasks []int64) (diff string, ready int, err error) {
	want, err := readySteps(ctx, tx, readinessSQL, tasks)
	if err != nil {
		return "", 0, err
	}
	for _, query := range []string{
		`SELECT r.* FROM unnest($1::bigint[]) AS k (id) CROSS JOIN LATERAL tasker.ready_steps(k.id) r ORDER BY r.task_id, r.workflow_step_id`,
		`SELECT * FROM tasker.ready_steps_batch($1::bigint[] || $1::bigint[]) r ORDER BY r.task_id, r.workflow_step_id`,
	} {
		got, err := readySteps(ctx, tx, query, tasks)
		if err != nil {
			return "", 0, err
		}
		diff += cmp.Diff(want, got)
	}
	return diff, len(want), nil
}

func readySteps(ctx context.Context, tx pgx.Tx, query string, tasks []int64) ([]readyStep, error) {
	rows, err := tx.Query(ctx, query, tasks)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[readyStep])
}

func TestReadyStepsOfTheGoldenStates(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/readiness.json")
	if err != nil {
		t.Fatal(err)
	}
	var scenarios []scenario
	if err := json.Unmarshal(data, &scenarios); err != nil {
		t.Fatal(err)
	}
	pool := sqltest.New(t)
	total := 0
	for _, s := range scenarios {
		inTransaction(t, pool, func(tx pgx.Tx) {
			diff, ready, err := readyDifference(t.Context(), tx, s.load(t, tx))
			if err != nil || diff != "" {
				t.Errorf("state %d: %v (-step_readiness +ready_steps):\n%s", s.Seed, err, diff)
			}
			total += ready
		})
	}
	if total == 0 {
		t.Error("no step of any state is ready")
	}
}

// inTransaction runs work in a transaction that is rolled back: now() stands still in it.
func inTransaction(t testing.TB, pool *pgxpool.Pool, work func(pgx.Tx)) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	work(tx)
}

// TestReadyStepsOfRandomTasks makes tasks with ids close together, far apart and among one another's, so that steps are
// found in ranges as well as one by one.
func TestReadyStepsOfRandomTasks(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	insertGraph(t, pool, 1, 1, 1) // for the names
	seen := 0
	rapid.Check(t, func(rt *rapid.T) {
		steps, edges, transitions := randomTasks(rt)
		inTransaction(t, pool, func(tx pgx.Tx) {
			insertDocument(t.Context(), rt, tx, insertStepsSQL, steps)
			insertDocument(t.Context(), rt, tx, insertEdgesSQL, edges)
			insertDocument(t.Context(), rt, tx, insertTransitionsSQL, transitions)
			diff, ready, err := readyDifference(t.Context(), tx, []int64{2, 3, 4})
			if err != nil || diff != "" {
				rt.Fatalf("%v (-step_readiness +ready_steps):\n%s", err, diff)
			}
			seen += ready
		})
	})
	if seen == 0 {
		t.Error("no step of any task was ready")
	}
}

// TestReadyStepsWithParentsFarAway has ranges of forty steps, each step a child of one in the range before: the first is
// done, every other one of the second is, and nothing of the third can be ready but what those lead to.
func TestReadyStepsWithParentsFarAway(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	insertGraph(t, pool, 1, 1, 1) // for the names
	var steps []randomStep
	var edges [][2]int64
	var transitions []randomTransition
	for i := range int64(120) {
		layer, place := i/40, i%40
		step := randomStep{ID: 7000000 + 1000*layer + place, Task: 2, Retryable: true}
		if layer == 0 || layer == 1 && place%2 == 0 {
			step.Processed = layer == 0
			transitions = append(transitions, randomTransition{step.ID, "complete", 1})
		}
		if layer > 0 {
			edges = append(edges, [2]int64{step.ID - 1000, step.ID})
		}
		steps = append(steps, step)
	}
	inTransaction(t, pool, func(tx pgx.Tx) {
		insertDocument(t.Context(), t, tx, insertStepsSQL, steps)
		insertDocument(t.Context(), t, tx, insertEdgesSQL, edges)
		insertDocument(t.Context(), t, tx, insertTransitionsSQL, transitions)
		diff, ready, err := readyDifference(t.Context(), tx, []int64{2})
		if err != nil || diff != "" || ready != 40 {
			t.Errorf("%d ready, want 40; %v (-step_readiness +ready_steps):\n%s", ready, err, diff)
		}
	})
}

// insertDocument runs a statement that makes rows of a JSON array.
func insertDocument[T any](ctx context.Context, tb rapid.TB, tx pgx.Tx, statement string, rows []T) {
	document, err := json.Marshal(append([]T{}, rows...)) // never null
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := tx.Exec(ctx, statement, document); err != nil {
		tb.Fatal(err)
	}
}

const (
	insertStepsSQL = `
WITH row AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1) AS r (id bigint, task bigint, attempts integer, "limit" integer, retryable boolean,
	processed boolean, in_process boolean, attempted_ago integer, backoff integer)
), tasks AS (
	INSERT INTO public.tasker_tasks (task_id, named_task_id, requested_at, identity_hash, created_at, updated_at)
	SELECT k.task, n.named_task_id, now(), 'task ' || k.task, now(), now() FROM (SELECT DISTINCT task FROM row) k, public.tasker_named_tasks n
)
INSERT INTO public.tasker_workflow_steps (workflow_step_id, task_id, named_step_id, attempts, retry_limit, retryable, processed, in_process,
	last_attempted_at, backoff_request_seconds, created_at, updated_at)
SELECT r.id, r.task, n.named_step_id, r.attempts, r.limit, r.retryable, r.processed, r.in_process,
	now() - r.attempted_ago * interval '1 second', r.backoff, now(), now() FROM row r, public.tasker_named_steps n`
	insertEdgesSQL = `
INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
SELECT (e ->> 0)::bigint, (e ->> 1)::bigint, 'provides', now(), now() FROM jsonb_array_elements($1) e`
	insertTransitionsSQL = `
INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, sort_key, most_recent, created_at, updated_at)
SELECT r.id, k.state, k.sort_key, k.sort_key = 20, now() - r.ago * interval '1 second', now()
FROM jsonb_to_recordset($1) AS r (id bigint, state text, ago integer),
	LATERAL (VALUES ('complete', 10), (r.state, 20)) AS k (state, sort_key)`
)

type randomStep struct {
	ID           int64 `json:"id"`
	Task         int64 `json:"task"`
	Attempts     *int  `json:"attempts"`
	Limit        *int  `json:"limit"`
	Retryable    bool  `json:"retryable"`
	Processed    bool  `json:"processed"`
	InProcess    bool  `json:"in_process"`
	AttemptedAgo *int  `json:"attempted_ago"`
	Backoff      *int  `json:"backoff"`
}

type randomTransition struct {
	ID    int64  `json:"id"`
	State string `json:"state"`
	Ago   int    `json:"ago"`
}

// randomTasks draws the steps of tasks 2, 3 and 4 in the order of their ids. Edges lead to later steps, seldom to those
// of another task.
func randomTasks(rt *rapid.T) (steps []randomStep, edges [][2]int64, transitions []randomTransition) {
	usual := rapid.SampledFrom([]string{"", "complete"}).Draw(rt, "usual state")
	gaps := rapid.SampledFrom([][]int{{1}, {1, 1, 1, 3}, {1, 1, 9}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 100000}, {5, 20, 200}}).Draw(rt, "gaps")
	tasks := rapid.SampledFrom([][]int64{{2}, {2, 2, 2, 2, 3}, {2, 3, 4}}).Draw(rt, "tasks")
	members := map[int64][]int64{}
	id := int64(7000000)
	for range rapid.IntRange(1, 90).Draw(rt, "steps") {
		id += int64(rapid.SampledFrom(gaps).Draw(rt, "gap"))
		step, state := randomRow(rt, usual)
		step.ID, step.Task = id, rapid.SampledFrom(tasks).Draw(rt, "task")
		possible := members[step.Task]
		if rapid.IntRange(0, 99).Draw(rt, "stranger") == 0 {
			possible = members[2]
		}
		if len(possible) > 0 {
			for range rapid.IntRange(0, 2).Draw(rt, "parents") {
				edges = append(edges, [2]int64{rapid.SampledFrom(possible).Draw(rt, "parent"), id})
			}
		}
		members[step.Task] = append(members[step.Task], id)
		steps = append(steps, step)
		if state != "" {
			transitions = append(transitions, randomTransition{id, state, rapid.IntRange(0, 40).Draw(rt, "since")})
		}
	}
	return steps, edges, transitions
}

// randomRow draws the state of a step, and its row: mostly as the worker leaves it, else anything.
func randomRow(rt *rapid.T, usual string) (randomStep, string) {
	zero, one := 0, 1
	switch rapid.IntRange(0, 5).Draw(rt, "kind") {
	case 0:
		states := []string{"", "pending", "in_progress", "complete", "error", "cancelled", "resolved_manually", "skipped"}
		return randomStep{
			Attempts: maybe(rt, "attempts", 6), Limit: maybe(rt, "limit", 5), Retryable: rapid.IntRange(0, 3).Draw(rt, "retryable") > 0,
			Processed: rapid.IntRange(0, 3).Draw(rt, "processed") == 0, InProcess: rapid.IntRange(0, 3).Draw(rt, "in_process") == 0,
			AttemptedAgo: maybe(rt, "attempted", 40), Backoff: maybe(rt, "backoff", 40),
		}, rapid.SampledFrom(states).Draw(rt, "state")
	case 1:
		return randomStep{Attempts: &one, Retryable: true, AttemptedAgo: &one}, "error"
	case 2, 3:
		return randomStep{Attempts: &one, Retryable: true, Processed: true, AttemptedAgo: &one}, "complete"
	default:
		return randomStep{Attempts: &zero, Retryable: true, Processed: usual == "complete"}, usual
	}
}

// maybe draws a number below limit, or none.
func maybe(rt *rapid.T, name string, limit int) *int {
	n := rapid.IntRange(-1, limit-1).Draw(rt, name)
	if n < 0 {
		return nil
	}
	return &n
}

// TestReadyStepsKeepTheirPlan counts pages, not time: for the same task they are about as many in a database that was
// empty when the plans were made, without statistics, with those of a small table and in a large one, on either set of
// indexes.
func TestReadyStepsKeepTheirPlan(t *testing.T) {
	t.Parallel()
	for _, indexes := range []string{"ours", "the engine's"} {
		t.Run(indexes, func(t *testing.T) {
			t.Parallel()
			pool := sqltest.New(t)
			if indexes != "ours" {
				addEngineIndexes(t, pool)
			}
			for _, table := range []string{"tasker_workflow_steps", "tasker_workflow_step_edges", "tasker_workflow_step_transitions"} {
				exec(t, pool, "ALTER TABLE "+table+" SET (autovacuum_enabled = off)")
			}
			exec(t, pool, fillTaskSQL)
			conn, err := pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			readyPages(t, conn, 1) // makes the plans
			check := func(when string) {
				t.Helper()
				for _, task := range readyTasks {
					if task.steps > 1000 {
						continue
					}
					// A lookup takes three or four pages, a few steps have some lookups each. In a range it is one page for
					// each edge that was not vacuumed yet, and next to nothing otherwise.
					if pages, limit := readyPages(t, conn, task.id()), 130+2*task.steps; pages > limit {
						t.Errorf("%s, %s: %d pages, want at most %d", when, task, pages, limit)
					}
				}
			}
			for _, task := range readyTasks {
				if task.steps <= 1000 {
					task.insert(t, pool)
				}
			}
			check("planned while empty")
			if _, err := conn.Exec(t.Context(), "DISCARD PLANS"); err != nil {
				t.Fatal(err)
			}
			check("no statistics")
			exec(t, pool, "ANALYZE")
			check("statistics")
			exec(t, pool, `SELECT fill_task(k, k * 1000, 50, 'layers', 'half') FROM generate_series(1, 400) k`)
			check("grown since the statistics")
			exec(t, pool, "VACUUM ANALYZE")
			check("large")
		})
	}
}

// readyPages is how many pages a call touches.
func readyPages(t *testing.T, conn *pgxpool.Conn, task int64) int {
	t.Helper()
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	for range 2 { // the first one also reads the catalog
		query := fmt.Sprintf("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT count(*) FROM tasker.ready_steps(%d)", task)
		if err := conn.QueryRow(t.Context(), query).Scan(&plans); err != nil {
			t.Fatal(err)
		}
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}

// readyTask is a task of which some steps are ready.
type readyTask struct {
	steps int
	state string // pending, half, ready (all but the first and last one) or done
}

var readyTasks = func() (all []readyTask) {
	for _, steps := range []int{10, 100, 1000, 10000} {
		for _, state := range []string{"pending", "half", "ready", "done"} {
			all = append(all, readyTask{steps, state})
		}
	}
	return all
}()

func (r readyTask) String() string { return fmt.Sprintf("%d steps %s", r.steps, r.state) }

// id is above those of all other tasks.
func (r readyTask) id() int64 { return int64(10_000_000 + slices.Index(readyTasks, r)) }

// insert writes the task. Layers are ten steps wide, and a step has two parents in the layer above; in the ready state
// all steps but the last have the first for a parent, and the last has all of them.
func (r readyTask) insert(tb testing.TB, pool *pgxpool.Pool) {
	tb.Helper()
	shape := map[bool]string{true: "fan", false: "layers"}[r.state == "ready"]
	if _, err := pool.Exec(tb.Context(), `SELECT fill_task($1::bigint, $1::bigint * 100000, $2, $3, $4)`, r.id(), r.steps, shape, r.state); err != nil {
		tb.Fatal(err)
	}
}

// fillTaskSQL makes a function that inserts a task whose steps have adjacent ids.
const fillTaskSQL = `
INSERT INTO public.tasker_task_namespaces (name, created_at, updated_at) VALUES ('ready', now(), now());
INSERT INTO public.tasker_named_tasks (task_namespace_id, name, created_at, updated_at) SELECT task_namespace_id, 'ready', now(), now() FROM public.tasker_task_namespaces;
INSERT INTO public.tasker_dependent_systems (name, created_at, updated_at) VALUES ('ready', now(), now());
INSERT INTO public.tasker_named_steps (dependent_system_id, name, created_at, updated_at) SELECT dependent_system_id, 'ready', now(), now() FROM public.tasker_dependent_systems;
CREATE FUNCTION fill_task(p_task bigint, p_first bigint, p_steps integer, p_shape text, p_state text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO public.tasker_tasks (task_id, named_task_id, requested_at, identity_hash, created_at, updated_at)
	SELECT p_task, named_task_id, now(), p_task, now(), now() FROM public.tasker_named_tasks;
	INSERT INTO public.tasker_workflow_steps (workflow_step_id, task_id, named_step_id, attempts, inputs, results, processed, created_at, updated_at)
	SELECT p_first + i, p_task, n.named_step_id, d.done::integer, '{"order": 1}', '{}', d.done, now(), now()
	FROM public.tasker_named_steps n, generate_series(0, p_steps - 1) AS i, LATERAL (SELECT i < CASE p_state
		WHEN 'pending' THEN 0 WHEN 'half' THEN p_steps / 2 WHEN 'ready' THEN 1 ELSE p_steps END AS done) AS d;
	INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
	SELECT p_first + (i / 10 - 1) * 10 + (i % 10 + k) % 10, p_first + i, 'provides', now(), now()
	FROM generate_series(10, p_steps - 1) AS i, LATERAL generate_series(0, 1) AS k WHERE p_shape = 'layers'
	UNION ALL
	SELECT p_first + unnest(ARRAY[0, i]), p_first + unnest(ARRAY[i, p_steps - 1]), 'provides', now(), now()
	FROM generate_series(1, p_steps - 2) AS i WHERE p_shape = 'fan';
	INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, from_state, sort_key, most_recent, created_at, updated_at)
	SELECT s.workflow_step_id, t.after, t.before, t.sort_key, t.sort_key = 20, now(), now()
	FROM public.tasker_workflow_steps s, (VALUES ('pending', 'in_progress', 10), ('in_progress', 'complete', 20)) AS t (before, after, sort_key)
	WHERE s.task_id = p_task AND s.processed ORDER BY 1, 4
$$`

// addEngineIndexes adds the indexes that the engine has and we have not.
func addEngineIndexes(tb testing.TB, pool *pgxpool.Pool) {
	tb.Helper()
	facts, err := os.ReadFile("baseline/schema/indexes.tsv")
	if err != nil {
		tb.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(facts)), "\n")[1:] {
		statement := createIndex(append(strings.Split(line, "\t"), "", ""))
		statement = strings.Replace(statement, "CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1)
		if _, err := pool.Exec(tb.Context(), statement); err != nil {
			tb.Fatal(err)
		}
	}
}
