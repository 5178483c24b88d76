package sql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// redundantIndexes are those of the engine's indexes that others of its indexes make useless.
var redundantIndexes = []string{
	"idx_step_transitions_current_state", "idx_step_transitions_most_recent", "idx_task_transitions_most_recent",
	"idx_workflow_step_edges_dependency_lookup", "index_step_edges_child_lookup", "index_step_edges_dependency_pair",
	"index_step_edges_from_step_for_children", "index_step_edges_from_to_composite", "index_step_edges_parent_lookup",
	"index_step_edges_to_from_composite", "index_step_edges_to_step_for_parents", "index_step_transitions_current_state_optimized",
	"index_step_transitions_failures_with_timing", "index_task_transitions_current_state_optimized",
	"index_tasker_task_transitions_on_task_id", "index_tasker_workflow_step_edges_on_from_step_id",
	"index_tasker_workflow_step_edges_on_to_step_id", "index_tasker_workflow_step_transitions_on_workflow_step_id",
	"index_workflow_step_edges_dependency_lookup", "index_workflow_steps_by_task", "index_workflow_steps_retry_status",
	"index_workflow_steps_task_and_step_id", "index_workflow_steps_task_and_step_optimized", "tasks_identity_hash_index",
	"workflow_steps_task_id_index",
}

func diagnose(t *testing.T, pool *pgxpool.Pool, rows int) sql.Diagnosis {
	t.Helper()
	d, err := sql.Diagnose(t.Context(), pool, sql.DiagnoseOptions{Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// objects are the objects of the findings of a kind, without their schema.
func objects(d sql.Diagnosis, kind string) []string {
	all := []string{}
	for _, finding := range d.Findings {
		if finding.Kind == kind {
			all = append(all, strings.TrimPrefix(finding.Object, "public."))
		}
	}
	slices.Sort(all)
	return all
}

func TestDiagnoseIndexesOfTheEngine(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	ours := describe(t, pool, "indexes")
	addEngineIndexes(t, pool)
	before := describe(t, pool, "indexes")
	d := diagnose(t, pool, 100)
	if diff := cmp.Diff(redundantIndexes, objects(d, sql.FindingRedundantIndex)); diff != "" {
		t.Errorf("redundant (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, describe(t, pool, "indexes")); diff != "" {
		t.Errorf("the diagnosis changed indexes (-before +after):\n%s", diff)
	}
	if len(d.LeftOut) > 0 {
		t.Errorf("left out: %s", d.LeftOut)
	}
	for _, finding := range d.Findings {
		if index := finding.Index; index != nil {
			measured := index.Cost != nil && (index.Cost.WAL > 0 || strings.Contains(finding.Object, "failures") ||
				strings.Contains(finding.Object, "errors") || strings.Contains(finding.Object, "backoff"))
			if !measured || index.Bytes == 0 {
				t.Errorf("%s: %+v, cost %+v", finding.Object, index, index.Cost)
			}
			exec(t, pool, finding.Statements[0])
		}
	}
	for _, total := range d.Totals {
		if len(total.Costs) != 3 || total.Costs[0].WAL <= 0 || total.Indexes == 0 {
			t.Errorf("total: %+v", total)
		}
	}

	// What is left is ours, and on tables that a step does not write the engine's.
	for line := range describe(t, pool, "indexes") {
		table, _, _ := strings.Cut(line, "\t")
		if slices.Contains([]string{"tasker_tasks", "tasker_task_transitions", "tasker_workflow_steps", "tasker_workflow_step_edges", "tasker_workflow_step_transitions"}, table) && !ours[line] {
			t.Errorf("never named: %s", line)
		}
		delete(ours, line)
	}
	if len(ours) > 0 {
		t.Errorf("named, though our statements need it: %v", ours)
	}
	status, err := sql.Status(t.Context(), pool)
	if err != nil || status.Err() != nil {
		t.Errorf("status after all was dropped: %v, %v", err, status.Err())
	}
}

func TestDiagnoseADatabaseOfOurs(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	d := diagnose(t, pool, 100)
	for _, finding := range d.Findings {
		if finding.Kind != sql.FindingSetting { // the server of tests is not durable
			t.Errorf("%+v", finding)
		}
	}
}

// TestDiagnoseKeepsWhatTheApplicationDeclared: constraints, the replica identity, and what only looks like a duplicate.
func TestDiagnoseKeepsWhatTheApplicationDeclared(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	for _, statement := range []string{
		`CREATE UNIQUE INDEX app_unique ON public.tasker_workflow_step_edges (from_step_id, to_step_id, name)`,
		`CREATE UNIQUE INDEX app_replica ON public.tasker_workflow_steps (workflow_step_id)`,
		`ALTER TABLE public.tasker_workflow_steps REPLICA IDENTITY USING INDEX app_replica`,
		`ALTER TABLE public.tasker_workflow_steps ADD CONSTRAINT app_constraint UNIQUE (task_id, named_step_id, workflow_step_id)`,
		`CREATE INDEX app_descending ON public.tasker_workflow_steps (task_id DESC)`,
		`CREATE INDEX app_pattern ON public.tasker_tasks (identity_hash varchar_pattern_ops)`,
		`CREATE INDEX app_expression ON public.tasker_tasks (lower(identity_hash))`,
		`CREATE INDEX app_carries ON public.tasker_workflow_steps (task_id, workflow_step_id) INCLUDE (results)`,
		`CREATE INDEX "App Same" ON public.tasker_workflow_steps (task_id, workflow_step_id)`,
	} {
		exec(t, pool, statement)
	}
	d := diagnose(t, pool, 10)
	if diff := cmp.Diff([]string{`"public"."App Same"`}, objects(d, sql.FindingRedundantIndex)); diff != "" {
		t.Errorf("redundant (-want +got):\n%s", diff)
	}
	want := []string{"app_carries", "app_descending", "app_expression", "app_pattern"}
	if diff := cmp.Diff(want, objects(d, sql.FindingOptionalIndex)); diff != "" {
		t.Errorf("optional (-want +got):\n%s", diff)
	}
	if len(d.LeftOut) > 0 {
		t.Errorf("left out: %s", d.LeftOut)
	}
}

// TestDiagnoseKeepsTheNextBest index while the one that statements need is missing, and any that serves in its place.
func TestDiagnoseKeepsTheNextBest(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	exec(t, pool, `ALTER INDEX idx_step_edges_from_to RENAME TO app_renamed`)
	exec(t, pool, `DROP INDEX index_workflow_steps_task_and_id`)
	exec(t, pool, `CREATE INDEX workflow_steps_task_id_index ON public.tasker_workflow_steps (task_id)`)
	d := diagnose(t, pool, 0)
	for kind, want := range map[string][]string{
		sql.FindingMissingIndex: {"tasker_workflow_steps"}, sql.FindingRedundantIndex: {}, sql.FindingOptionalIndex: {},
	} {
		if diff := cmp.Diff(want, objects(d, kind)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	exec(t, pool, d.Findings[len(d.Findings)-1].Statements[0])
	if got := objects(diagnose(t, pool, 0), sql.FindingRedundantIndex); !slices.Equal(got, []string{"workflow_steps_task_id_index"}) {
		t.Errorf("redundant once the index is there: %s", got)
	}
}

func TestDiagnoseWithFewRights(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	addEngineIndexes(t, pool)
	role := newRole(t, pool)
	exec(t, pool, `GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO `+role)
	config := pool.Config()
	config.ConnConfig.RuntimeParams["role"] = role
	few, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer few.Close()
	d := diagnose(t, few, 10)
	if got := objects(d, sql.FindingRedundantIndex); len(got) != len(redundantIndexes) {
		t.Errorf("redundant: %s", got)
	}
	left := strings.Join(d.LeftOut, "\n")
	for _, name := range []string{"workers: ", "the cost of indexes: "} {
		if !strings.Contains(left, name) {
			t.Errorf("nothing says that %q was left out: %s", name, left)
		}
	}
}

func TestDiagnoseTheWork(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	b.exec(`SELECT setval('tasker_tasks_task_id_seq', 1000)`) // those below are for tasks of others
	b.create("diamond")
	if got := diagnose(t, b.pool, 0).Findings; slices.ContainsFunc(got, func(f sql.Finding) bool { return f.Kind != sql.FindingSetting }) {
		t.Errorf("a healthy database: %+v", got)
	}
	b.exec(`UPDATE tasker.workers SET heartbeat_at = now() - interval '1 hour', lease_ms = 1`)
	b.exec(`ALTER TABLE public.tasker_workflow_steps RESET (fillfactor)`)
	insertGraph(t, b.pool, 3, 1, 1)
	d := diagnose(t, b.pool, 0)
	for kind, want := range map[string][]string{
		sql.FindingSilentWorker: {""}, sql.FindingNoWorker: {""}, sql.FindingUnknownTemplate: {"shop/order@1.0.0"},
		sql.FindingFillFactor: {"tasker_workflow_steps"},
	} {
		if diff := cmp.Diff(want, objects(d, kind)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}
