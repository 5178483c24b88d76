package sql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// scenario is a state of the database and what the engine's own functions answer about it. Every "ago" is in seconds
// before now().
type scenario struct {
	Seed   int            `json:"seed"`
	Tasks  []goldenTask   `json:"tasks"`
	Expect map[string]any `json:"expect"`
}

type goldenTask struct {
	Namespace   string             `json:"namespace"`
	Name        string             `json:"name"`
	Version     string             `json:"version"`
	Complete    bool               `json:"complete"`
	CreatedAgo  float64            `json:"created_ago"`
	Transitions []goldenTransition `json:"transitions"`
	Steps       []goldenStep       `json:"steps"`
	Edges       [][2]string        `json:"edges"`
}

type goldenStep struct {
	Name           string             `json:"name"`
	Retryable      bool               `json:"retryable"`
	RetryLimit     *int               `json:"retry_limit"`
	InProcess      bool               `json:"in_process"`
	Processed      bool               `json:"processed"`
	ProcessedAgo   *float64           `json:"processed_ago"`
	Attempts       *int               `json:"attempts"`
	LastAttempted  *float64           `json:"last_attempted_ago"`
	BackoffSeconds *int               `json:"backoff_request_seconds"`
	Transitions    []goldenTransition `json:"transitions"`
}

type goldenTransition struct {
	To   string  `json:"to"`
	From *string `json:"from"`
	Ago  float64 `json:"ago"`
}

// goldenQueries ask each function for what the golden answers hold, under the same names.
var goldenQueries = map[string]string{
	"readiness": `SELECT jsonb_agg(to_jsonb(a) ORDER BY a.step) FROM unnest($1::bigint[]) AS k (id)
		CROSS JOIN LATERAL (SELECT ` + readinessFields + ` FROM public.get_step_readiness_status(k.id)) a`,
	"readiness_batch": `SELECT jsonb_agg(to_jsonb(a) ORDER BY a.step)
		FROM (SELECT ` + readinessFields + ` FROM public.get_step_readiness_status_batch($1::bigint[])) a`,
	"context": `SELECT jsonb_agg(to_jsonb(a) ORDER BY a.task) FROM unnest($1::bigint[]) AS k (id)
		CROSS JOIN LATERAL (SELECT ` + contextFields + ` FROM public.get_task_execution_context(k.id)) a`,
	"contexts_batch": `SELECT jsonb_agg(to_jsonb(a) ORDER BY a.task)
		FROM (SELECT ` + contextFields + ` FROM public.get_task_execution_contexts_batch($1::bigint[])) a`,
	"levels": `SELECT jsonb_agg(jsonb_build_object('step', l.workflow_step_id, 'level', l.dependency_level)
			ORDER BY l.workflow_step_id)
		FROM unnest($1::bigint[]) AS k (id) CROSS JOIN LATERAL public.calculate_dependency_levels(k.id) l`,
	"health": `SELECT to_jsonb(h) - 'active_connections' - 'max_connections'
		FROM public.get_system_health_counts_v01() h WHERE $1::bigint[] IS NOT NULL`,
	"analytics": `SELECT to_jsonb(a) - 'analysis_period_start' - 'calculated_at'
		FROM public.get_analytics_metrics_v01(now() - interval '3 hours') a WHERE $1::bigint[] IS NOT NULL`,
}

const (
	readinessFields = `workflow_step_id AS step, task_id AS task, name, current_state, dependencies_satisfied,
		retry_eligible, ready_for_execution, total_parents, completed_parents, attempts, retry_limit,
		backoff_request_seconds, extract(epoch FROM now() AT TIME ZONE 'UTC' - last_failure_at) AS last_failure_ago,
		extract(epoch FROM now() AT TIME ZONE 'UTC' - next_retry_at) AS next_retry_ago,
		extract(epoch FROM now() AT TIME ZONE 'UTC' - last_attempted_at) AS last_attempted_ago`
	contextFields = `task_id AS task, status, total_steps, pending_steps, in_progress_steps, completed_steps,
		failed_steps, ready_steps, execution_status, recommended_action, completion_percentage, health_status`
	firstGoldenID = 900000
)

func TestFunctionsGiveTheEnginesAnswers(t *testing.T) {
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
	for _, s := range scenarios {
		t.Run(fmt.Sprint(s.Seed), func(t *testing.T) {
			t.Parallel()
			// One transaction, always rolled back: now() stands still, so that the limits of time are met exactly.
			tx, err := pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
			tasks := s.load(t, tx)
			if len(s.Expect) != len(goldenQueries) {
				t.Errorf("%d answers for %d queries", len(s.Expect), len(goldenQueries))
			}
			for name, query := range goldenQueries {
				var got any
				if err := tx.QueryRow(t.Context(), query, tasks).Scan(&got); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if diff := cmp.Diff(s.Expect[name], got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// load inserts the state, with the ids that the answers mention, and returns the tasks.
func (s scenario) load(t *testing.T, tx pgx.Tx) []int64 {
	t.Helper()
	l := goldenLoader{nextStep: firstGoldenID}
	l.queue(`INSERT INTO public.tasker_dependent_systems (name, created_at, updated_at) VALUES ('golden', now(), now())`)
	tasks := make([]int64, 0, len(s.Tasks))
	for i, task := range s.Tasks {
		tasks = append(tasks, int64(firstGoldenID+i))
		l.task(tasks[i], task)
	}
	if err := tx.SendBatch(t.Context(), &l.batch).Close(); err != nil {
		t.Fatalf("loading: %v", err)
	}
	return tasks
}

// goldenLoader collects the inserts of a state.
type goldenLoader struct {
	batch    pgx.Batch
	nextStep int64
}

func (l *goldenLoader) queue(query string, args ...any) { l.batch.Queue(query, args...) }

func (l *goldenLoader) task(id int64, task goldenTask) {
	l.queue(`INSERT INTO public.tasker_task_namespaces (name, created_at, updated_at) VALUES ($1, now(), now())
		ON CONFLICT DO NOTHING`, task.Namespace)
	l.queue(`INSERT INTO public.tasker_named_tasks (task_namespace_id, name, version, created_at, updated_at)
		SELECT task_namespace_id, $2, $3, now(), now() FROM public.tasker_task_namespaces WHERE name = $1
		ON CONFLICT DO NOTHING`, task.Namespace, task.Name, task.Version)
	l.queue(`INSERT INTO public.tasker_tasks (task_id, named_task_id, complete, requested_at, identity_hash, created_at, updated_at)
		SELECT $1, t.named_task_id, $5, c.at, 'golden-' || $1::bigint, c.at, c.at
		FROM public.tasker_named_tasks t JOIN public.tasker_task_namespaces n USING (task_namespace_id)
		CROSS JOIN (SELECT now() - $6::float8 * interval '1 second' AS at) c
		WHERE n.name = $2 AND t.name = $3 AND t.version = $4`,
		id, task.Namespace, task.Name, task.Version, task.Complete, task.CreatedAgo)
	l.transitions("tasker_task_transitions", "task_id", id, task.Transitions)
	ids := map[string]int64{}
	for _, step := range task.Steps {
		ids[step.Name] = l.nextStep
		l.step(l.nextStep, id, task.CreatedAgo, step)
		l.nextStep++
	}
	for _, edge := range task.Edges {
		l.queue(`INSERT INTO public.tasker_workflow_step_edges (from_step_id, to_step_id, name, created_at, updated_at)
			VALUES ($1, $2, 'provides', now(), now())`, ids[edge[0]], ids[edge[1]])
	}
}

func (l *goldenLoader) step(id, task int64, createdAgo float64, step goldenStep) {
	l.queue(`INSERT INTO public.tasker_named_steps (dependent_system_id, name, created_at, updated_at)
		SELECT dependent_system_id, $1, now(), now() FROM public.tasker_dependent_systems WHERE name = 'golden'
		ON CONFLICT DO NOTHING`, step.Name)
	l.queue(`INSERT INTO public.tasker_workflow_steps (workflow_step_id, task_id, named_step_id, retryable, retry_limit, in_process,
			processed, processed_at, attempts, last_attempted_at, backoff_request_seconds, created_at, updated_at)
		SELECT $1, $2, n.named_step_id, $4, $5, $6, $7, now() - $8::float8 * interval '1 second', $9,
			now() - $10::float8 * interval '1 second', $11, c.at, c.at
		FROM public.tasker_named_steps n CROSS JOIN (SELECT now() - $12::float8 * interval '1 second' AS at) c
		WHERE n.name = $3`,
		id, task, step.Name, step.Retryable, step.RetryLimit, step.InProcess, step.Processed, step.ProcessedAgo,
		step.Attempts, step.LastAttempted, step.BackoffSeconds, createdAgo)
	l.transitions("tasker_workflow_step_transitions", "workflow_step_id", id, step.Transitions)
}

func (l *goldenLoader) transitions(table, parent string, id int64, all []goldenTransition) {
	for i, transition := range all {
		l.queue(`INSERT INTO `+table+` (`+parent+`, to_state, from_state, sort_key, most_recent, created_at, updated_at)
			SELECT $1, $2, $3, $4, $5, c.at, c.at FROM (SELECT now() - $6::float8 * interval '1 second' AS at) c`,
			id, transition.To, transition.From, 10*(i+1), i == len(all)-1, transition.Ago)
	}
}
