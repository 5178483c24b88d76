package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// joinedReadinessSQL makes readiness as the engine's own function computes it, the latest transitions and the counts of
// parents in joins and groups over the tables, for comparison only.
const joinedReadinessSQL = `
CREATE FUNCTION joined_readiness(p_task bigint)
RETURNS TABLE (workflow_step_id bigint, name text, current_state text, ready boolean, total_parents bigint, completed_parents bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	WITH latest AS (
		SELECT DISTINCT ON (t.workflow_step_id) t.workflow_step_id, t.to_state, t.created_at
		FROM public.tasker_workflow_step_transitions t WHERE t.most_recent ORDER BY t.workflow_step_id
	), parents AS (
		SELECT e.to_step_id, count(*) AS total, count(*) FILTER (WHERE l.to_state IN ('complete', 'resolved_manually')) AS completed
		FROM public.tasker_workflow_step_edges e LEFT JOIN latest l ON l.workflow_step_id = e.from_step_id
		GROUP BY e.to_step_id
	)
	SELECT s.workflow_step_id, n.name::text, coalesce(l.to_state, 'pending')::text,
		coalesce(l.to_state, 'pending') IN ('pending', 'error') AND NOT s.processed AND NOT s.in_process AND s.retryable
			AND coalesce(p.completed = p.total, true) AND coalesce(s.attempts, 0) < coalesce(s.retry_limit, 3)
			AND coalesce(s.last_attempted_at + s.backoff_request_seconds * interval '1 second' <= now(), true)
			AND (l.to_state IS DISTINCT FROM 'error' OR l.created_at + least(power(2, coalesce(s.attempts, 1)), 30) * interval '1 second' <= now()),
		coalesce(p.total, 0), coalesce(p.completed, 0)
	FROM public.tasker_workflow_steps s
	JOIN public.tasker_named_steps n ON n.named_step_id = s.named_step_id
	LEFT JOIN latest l ON l.workflow_step_id = s.workflow_step_id
	LEFT JOIN parents p ON p.to_step_id = s.workflow_step_id
	WHERE s.task_id = p_task;
END
$$`

// serverLoopSQL makes a function that runs a query many times on the server, so that no round trip is measured.
const serverLoopSQL = `
CREATE FUNCTION run_often(p_query text, p_times integer) RETURNS void LANGUAGE plpgsql AS $f$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION run_query() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (%s); END $$', p_query);
	FOR i IN 1 .. p_times LOOP
		PERFORM run_query();
	END LOOP;
END
$f$`

// BenchmarkReadiness finds the ready steps of a task in three ways, beside 200 other tasks of 50 steps:
//
//	ready_steps                 this is what the worker asks
//	get_step_readiness_status   the engine's question, as the worker answers it where it makes the schema
//	joined                      the same in joins over the tables
func BenchmarkReadiness(b *testing.B) {
	for _, indexes := range []string{"ours", "engine"} {
		for _, task := range readyTasks {
			b.Run(fmt.Sprintf("indexes=%s/steps=%d/state=%s", indexes, task.steps, task.state), func(b *testing.B) {
				pool := readyDatabase(b, indexes, task)
				for _, call := range []string{"tasker.ready_steps", "get_step_readiness_status", "joined_readiness"} {
					b.Run(strings.TrimPrefix(call, "tasker."), func(b *testing.B) {
						runOnServer(b, pool, fmt.Sprintf("SELECT count(*) FROM %s(%d)", call, task.id()))
					})
				}
			})
		}
	}
}

func readyDatabase(b *testing.B, indexes string, task readyTask) *pgxpool.Pool {
	b.Helper()
	pool := sqltest.New(b)
	if indexes == "engine" {
		addEngineIndexes(b, pool)
	}
	for _, statement := range []string{
		fillTaskSQL, joinedReadinessSQL, serverLoopSQL,
		`SELECT fill_task(k, k * 1000, 50, 'layers', CASE k % 10 WHEN 0 THEN 'half' ELSE 'done' END) FROM generate_series(1, 200) k`,
	} {
		if _, err := pool.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	task.insert(b, pool)
	if _, err := pool.Exec(b.Context(), "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}
	return pool
}

// runOnServer runs a query b.N times in one statement, after a few times for the plans.
func runOnServer(b *testing.B, pool *pgxpool.Pool, query string) {
	b.Helper()
	conn, err := pool.Acquire(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(b.Context(), "SET statement_timeout = '5min'"); err != nil {
		b.Fatal(err)
	}
	run := func(times int) {
		if _, err := conn.Exec(b.Context(), "SELECT run_often($1, $2)", query, times); err != nil {
			b.Fatal(err)
		}
	}
	run(7)
	b.ResetTimer()
	run(b.N)
}

// everyPathSQL makes levels as the engine's own function computes them, along every path, for comparison only.
const everyPathSQL = `
CREATE FUNCTION every_path(p_task bigint) RETURNS TABLE (workflow_step_id bigint, dependency_level integer) LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN QUERY
	WITH RECURSIVE path (id, level) AS (
		SELECT s.workflow_step_id, 0 FROM public.tasker_workflow_steps s
		WHERE s.task_id = p_task AND NOT EXISTS (SELECT FROM public.tasker_workflow_step_edges e WHERE e.to_step_id = s.workflow_step_id)
		UNION ALL
		SELECT e.to_step_id, p.level + 1 FROM path p JOIN public.tasker_workflow_step_edges e ON e.from_step_id = p.id
	)
	SELECT p.id, max(p.level) FROM path p GROUP BY p.id;
END
$$`

// BenchmarkDependencyLevels follows each edge once, beside one that follows every path where those are not too many. Thirty
// layers of two have 2^30.
func BenchmarkDependencyLevels(b *testing.B) {
	pool := sqltest.New(b)
	exec := func(statement string, args ...any) {
		if _, err := pool.Exec(b.Context(), statement, args...); err != nil {
			b.Fatal(err)
		}
	}
	exec(fillTaskSQL)
	exec(everyPathSQL)
	exec(serverLoopSQL)
	shapes := []struct {
		name  string
		steps int
		edges string // of a step i above 0: its parents, as a set of numbers
		paths bool   // whether they are few enough to follow
	}{
		{"chain=10", 10, `SELECT i - 1`, true},
		{"chain=1000", 1000, `SELECT i - 1`, false},
		{"layers-of-two=16", 32, `SELECT i / 2 * 2 - k FROM generate_series(1, 2) k WHERE i > 1`, true},
		{"layers-of-two=30", 60, `SELECT i / 2 * 2 - k FROM generate_series(1, 2) k WHERE i > 1`, false},
		{"fan-out=10000", 10000, `SELECT 0`, true},
		{"random=1000", 1000, `SELECT floor(random() * i)::integer FROM generate_series(1, 3)`, false},
		{"random=10000", 10000, `SELECT floor(random() * i)::integer FROM generate_series(1, 3)`, false},
		{"shortcuts=1000", 1000, `SELECT i - k FROM generate_series(1, 2) k WHERE i >= k`, false},
	}
	for task, shape := range shapes {
		exec(`SELECT fill_task($1::bigint, $1::bigint * 100000, $2, 'none', 'pending')`, task+1, shape.steps)
		exec(`INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
			SELECT $1::bigint * 100000 + p.parent, $1::bigint * 100000 + i, 'provides', now(), now()
			FROM generate_series(1, $2 - 1) AS i CROSS JOIN LATERAL (`+shape.edges+`) AS p (parent)`, task+1, shape.steps)
	}
	exec("VACUUM ANALYZE")
	for task, shape := range shapes {
		calls := []string{"tasker.dependency_levels"}
		if shape.paths {
			calls = append(calls, "every_path")
		}
		for _, call := range calls {
			b.Run(shape.name+"/"+strings.TrimPrefix(call, "tasker."), func(b *testing.B) {
				runOnServer(b, pool, fmt.Sprintf("SELECT max(dependency_level) FROM %s(%d)", call, task+1))
			})
		}
	}
}
