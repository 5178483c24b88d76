package sql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// TestHotStatementsKeepTheirPlans counts pages, not time: a call with a thousand steps touches as many for each of them as a
// call with one, give or take, in a database that was empty when the plans were made, without statistics, with those of a
// small table and in a large one, on either set of indexes.
func TestHotStatementsKeepTheirPlans(t *testing.T) {
	t.Parallel()
	for _, indexes := range []string{"ours", "the engine's"} {
		t.Run(indexes+", no statistics", func(t *testing.T) {
			t.Parallel()
			m := newMeter(t, indexes)
			m.fill(600)
			m.compare("planned while empty")
			m.exec(`DISCARD PLANS`)
			m.compare("planned when full")
		})
		t.Run(indexes+", statistics", func(t *testing.T) {
			t.Parallel()
			m := newMeter(t, indexes)
			m.fill(20)
			m.exec(`ANALYZE`)
			m.fill(600)
			m.exec(`DISCARD PLANS`)
			m.compare("grown since")
			m.fill(1400)
			m.exec(`VACUUM ANALYZE`)
			m.compare("large")
		})
	}
}

// meter counts the pages that calls touch. All of them run on one connection, whose plans stay until somebody discards them.
type meter struct {
	bundle
	conn  *pgxpool.Conn
	pages map[string]float64 // for each task, by the name of the call
	usual map[string]float64 // the same of single calls in a database with next to nothing in it, where no plan is bad
}

func newMeter(t *testing.T, indexes string) *meter {
	t.Helper()
	m := &meter{bundle: serving(t, chain("short", 3), chain("long", 10)), pages: map[string]float64{}}
	if indexes != "ours" {
		addEngineIndexes(t, m.pool)
	}
	for _, table := range []string{
		"tasker_tasks", "tasker_task_transitions", "tasker_workflow_steps", "tasker_workflow_step_edges",
		"tasker_workflow_step_transitions", "tasker.river_job", "tasker.blocked_tasks", "tasker.workers",
	} {
		m.bundle.exec(`ALTER TABLE ` + table + ` SET (autovacuum_enabled = off)`)
	}
	conn, err := m.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Release)
	m.conn = conn
	m.others()
	m.calls(1) // makes the plans
	m.usual = m.calls(1)
	return m
}

// chain is a template whose steps follow one another.
func chain(name string, steps int) string {
	var document strings.Builder
	fmt.Fprintf(&document, "name: %s\nnamespace_name: test\nversion: 1.0.0\nstep_templates:\n", name)
	for i := range steps {
		fmt.Fprintf(&document, "  - {name: s%d, handler_class: H, depends_on_steps: [%s]}\n", i, strings.Repeat(fmt.Sprintf("s%d", i-1), min(i, 1)))
	}
	return document.String()
}

// others makes calls that share functions with the hot statements but not their settings, often enough for the plans to be
// made for good.
func (m *meter) others() {
	m.t.Helper()
	for range 12 {
		ids := m.create(1)
		m.tick(ids[0])
		m.claim(ids[0], "s0")
		steps, tokens := m.claims(ids)
		m.exec(`SELECT * FROM tasker.give_back_steps($1, $2, $3, '{drain}', '{0}', '{9}')`, ids, steps, tokens)
		m.claim(ids[0], "s0")
		m.exec(`SELECT tasker.expire_claims($1, 'lease_expired')`, worker)
		m.exec(`DELETE FROM tasker.river_job`)
		m.exec(`SELECT tasker.discover_tasks(10)`)
		m.exec(`SELECT tasker.sweep_tasks(0, 10, 0)`)
	}
}

func (m *meter) exec(statement string, args ...any) {
	m.t.Helper()
	if _, err := m.conn.Exec(m.t.Context(), statement, args...); err != nil {
		m.t.Fatal(err)
	}
}

// fill writes so many tasks of ten steps that are done, and a quarter as many that are open.
func (m *meter) fill(tasks int) {
	m.t.Helper()
	const create = `FROM tasker.create_tasks('test', 'long', '1.0.0', array_fill('{"order": 1}'::jsonb, ARRAY[$1::integer])) AS id`
	m.bundle.exec(`SELECT count(id) `+create, tasks/4)
	m.bundle.exec(`CREATE TABLE IF NOT EXISTS done (id bigint)`)
	m.bundle.exec(`INSERT INTO done SELECT id `+create, tasks)
	for _, statement := range []string{
		`UPDATE public.tasker_tasks SET complete = true WHERE task_id IN (SELECT id FROM done)`,
		`UPDATE public.tasker_workflow_steps SET attempts = 1, processed = true, processed_at = now(), last_attempted_at = now(), results = '{"n": 1}' WHERE task_id IN (SELECT id FROM done)`,
		`INSERT INTO public.tasker_task_transitions (task_id, to_state, from_state, sort_key, most_recent, created_at, updated_at)
			SELECT d.id, t.after, t.before, t.sort_key, t.sort_key = 20, now(), now()
			FROM done d, (VALUES ('pending', 'in_progress', 10), ('in_progress', 'complete', 20)) AS t (before, after, sort_key) ORDER BY d.id, t.sort_key`,
		`INSERT INTO public.tasker_workflow_step_transitions (workflow_step_id, to_state, from_state, sort_key, most_recent, metadata, created_at, updated_at)
			SELECT s.workflow_step_id, t.after, t.before, t.sort_key, t.sort_key = 20, '{"worker": "gone"}', now(), now()
			FROM public.tasker_workflow_steps s, (VALUES ('pending', 'in_progress', 10), ('in_progress', 'complete', 20)) AS t (before, after, sort_key)
			WHERE s.task_id IN (SELECT id FROM done) ORDER BY s.workflow_step_id, t.sort_key`,
		`DELETE FROM tasker.river_job WHERE (args ->> 'task_id')::bigint IN (SELECT id FROM done)`,
		`DELETE FROM done`,
	} {
		m.bundle.exec(statement)
	}
}

// compare measures calls with one step and with a thousand. Indexes that have become a level or two higher cost less than as
// much again.
func (m *meter) compare(when string) {
	m.t.Helper()
	m.calls(1) // the first one also reads the catalog
	for _, steps := range []int{1, 1000} {
		for name, pages := range m.calls(steps) {
			if usual := m.usual[name]; pages > 2*usual || usual > 2*pages {
				m.t.Errorf("%s: %s of %d touches %.0f pages for each, %.0f are usual", when, name, steps, pages, usual)
			}
		}
	}
}

// calls makes tasks, starts them and runs their steps, and returns the pages that each call touched for each task.
func (m *meter) calls(tasks int) map[string]float64 {
	m.t.Helper()
	m.pages = map[string]float64{}
	unchecked, none := make([]bool, tasks), make([]string, tasks)
	room, keys := slices.Repeat([]string{"default"}, tasks), slices.Repeat([]string{"7"}, tasks)

	ids := m.create(tasks)
	m.explain("tick", tasks, `SELECT * FROM tasker.tick($1, $2, $3, $4, $5, false)`, ids, unchecked, worker, none, keys)
	m.explain("claim_steps", tasks, `SELECT * FROM tasker.claim_steps($1, $2, $3, $4, false)`, worker, ids, m.roots(ids), keys)
	m.finish(ids)
	if tasks == 1 {
		steps, tokens := m.claims(ids)
		m.explain("finish_step", 1, `SELECT * FROM tasker.finish_step($1, $2, $3, $4, '{"n": 1}', '{}', 'default', false)`, worker, ids[0], steps[0], tokens[0])
	}

	m.claimAgain(unchecked, keys)
	ids = m.create(tasks)
	m.exec(`SELECT * FROM tasker.tick($1, $2, $3, $4, $5, false)`, ids, unchecked, worker, none, keys)
	m.explain("tick of a started task", tasks, `SELECT * FROM tasker.tick($1, $2, $3, $4, $5, false)`, ids, slices.Repeat([]bool{true}, tasks), worker, none, keys)

	ids = m.create(tasks)
	m.explain("tick with a claim", tasks, `SELECT * FROM tasker.tick($1, $2, $3, $4, $5, false)`, ids, unchecked, worker, room, keys)
	return m.pages
}

// claimAgain claims steps that ran before, whose readiness has to be looked at.
func (m *meter) claimAgain(unchecked []bool, keys []string) {
	m.t.Helper()
	tasks := len(keys)
	ids := m.create(tasks)
	m.exec(`SELECT * FROM tasker.tick($1, $2, $3, $4, $5, false)`, ids, unchecked, worker, make([]string, tasks), keys)
	m.exec(`SELECT * FROM tasker.claim_steps($1, $2, $3, $4, false)`, worker, ids, m.roots(ids), keys)
	steps, tokens := m.claims(ids)
	zeros := make([]int64, tasks)
	m.explain("give_back_steps", tasks, `SELECT * FROM tasker.give_back_steps($1, $2, $3, $4, $5, $6)`, ids, steps, tokens,
		slices.Repeat([]string{"drain"}, tasks), zeros, slices.Repeat([]int64{9}, tasks))
	m.explain("claim_steps again", tasks, `SELECT * FROM tasker.claim_steps($1, $2, $3, $4, false)`, worker, ids, steps, keys)
	m.claims(ids)
}

// finish finishes the step of each task that is in progress, with the next one handed over.
func (m *meter) finish(tasks []int64) {
	m.t.Helper()
	n := len(tasks)
	steps, tokens := m.claims(tasks)
	m.explain("finish_steps", n, `SELECT * FROM tasker.finish_steps($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false)`, worker, tasks, steps, tokens,
		slices.Repeat([]bool{true}, n), slices.Repeat([]string{`{"n": 1}`}, n), make([]bool, n), make([]*int64, n),
		slices.Repeat([]string{`{}`}, n), slices.Repeat([]string{"default"}, n))
}

// create makes tasks and returns their ids.
func (m *meter) create(tasks int) (ids []int64) {
	m.t.Helper()
	last := queryAll[int64](m.bundle, `SELECT coalesce(max(task_id), 0) FROM public.tasker_tasks`)[0]
	m.explain("create_tasks", tasks, `SELECT * FROM tasker.create_tasks('test', 'short', '1.0.0', array_fill('{"order": 1}'::jsonb, ARRAY[$1::integer]))`, tasks)
	return queryAll[int64](m.bundle, `SELECT task_id FROM public.tasker_tasks WHERE task_id > $1 ORDER BY 1`, last)
}

// roots returns the first step of each task.
func (m *meter) roots(tasks []int64) []int64 {
	m.t.Helper()
	return queryAll[int64](m.bundle, `SELECT min(workflow_step_id) FROM public.tasker_workflow_steps WHERE task_id = ANY ($1) GROUP BY task_id ORDER BY task_id`, tasks)
}

// claims returns the step of each task that is in progress, and its token.
func (m *meter) claims(tasks []int64) (steps, tokens []int64) {
	m.t.Helper()
	const claimed = `FROM public.tasker_workflow_steps s JOIN public.tasker_workflow_step_transitions t ON t.workflow_step_id = s.workflow_step_id AND t.most_recent
		WHERE s.task_id = ANY ($1) AND t.to_state = 'in_progress' ORDER BY s.task_id`
	steps, tokens = queryAll[int64](m.bundle, `SELECT s.workflow_step_id `+claimed, tasks), queryAll[int64](m.bundle, `SELECT t.id `+claimed, tasks)
	if len(steps) != len(tasks) {
		m.t.Fatalf("%d of %d tasks have a step in progress", len(steps), len(tasks))
	}
	return steps, tokens
}

// explain runs a call and notes how many pages it touched for each task.
func (m *meter) explain(name string, tasks int, query string, args ...any) {
	m.t.Helper()
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	if err := m.conn.QueryRow(m.t.Context(), `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) `+query, args...).Scan(&plans); err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	m.pages[name] = float64(plans[0].Plan.Hit+plans[0].Plan.Read) / float64(tasks)
}
