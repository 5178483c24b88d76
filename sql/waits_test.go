package sql_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

const slowYAML = `
name: slow
namespace_name: test
version: 1.0.0
queue: reports
step_templates:
  - {name: first, handler_class: R}
`

const programYAML = `
name: program
namespace_name: test
version: 1.0.0
step_templates:
  - {name: first, handler_config: {command: [b]}}
`

// TestReadyStepsSayWhatTheyWaitFor has each reason, made as it comes about.
func TestReadyStepsSayWhatTheyWaitFor(t *testing.T) {
	t.Parallel()
	serves := func(queues []string, handlers ...string) func(bundle) {
		return func(b bundle) {
			b.t.Helper()
			pools := make([]string, len(handlers))
			for i, handler := range handlers {
				pools[i] = map[string]string{"H": "ruby", "R": "ruby", "P": "python", "command:a": "command"}[handler]
			}
			w := sql.Worker{ID: worker, ClientID: "client", Name: "test", Lease: time.Minute, Handlers: handlers, Pools: pools, Queues: queues}
			if err := b.store.RegisterWorker(b.t.Context(), w); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	both := []string{"default", "reports"}
	for name, test := range map[string]struct {
		template string
		prepare  func(bundle)
		ticked   bool
		after    string
		want     sql.WaitReason
	}{
		"nobody is there": {
			template: "slow", prepare: func(bundle) {}, after: `DELETE FROM tasker.workers`,
			want: sql.WaitReason{Reason: "no_worker", Queue: "reports"},
		},
		"a worker whose lease is over": {
			template: "slow", prepare: serves(both, "R"), after: `UPDATE tasker.workers SET lease_ms = 1, heartbeat_at = now() - interval '1 hour'`,
			want: sql.WaitReason{Reason: "no_worker", Queue: "reports"},
		},
		"another handler": {template: "slow", prepare: serves(both, "P"), want: sql.WaitReason{Reason: "unserved", Queue: "reports"}},
		"another queue": {
			template: "slow", prepare: serves([]string{"default"}, "R"), want: sql.WaitReason{Reason: "unworked", Queue: "reports", Pool: "ruby"},
		},
		"a paused queue": {
			template: "slow", prepare: serves(both, "R"),
			after: `UPDATE tasker.river_queue SET paused_at = now() WHERE name = 'reports'`,
			want:  sql.WaitReason{Reason: "paused", Queue: "reports", Pool: "ruby"},
		},
		"nothing that wakes a worker": {
			template: "slow", prepare: serves(both, "R"), after: `DELETE FROM tasker.river_job`,
			want: sql.WaitReason{Reason: "no_job", Queue: "reports", Pool: "ruby"},
		},
		"a job that nobody fetches": {
			template: "slow", prepare: serves(both, "R"), after: `UPDATE tasker.river_job SET state = 'pending'`,
			want: sql.WaitReason{Reason: "no_job", Queue: "reports", Pool: "ruby"},
		},
		"a job of later": {
			template: "slow", prepare: serves(both, "R"), after: `UPDATE tasker.river_job SET scheduled_at = now() + interval '1 hour'`,
			want: sql.WaitReason{Reason: "due", Queue: "reports", Pool: "ruby"},
		},
		"a job that a worker has": {
			template: "slow", prepare: serves(both, "R"),
			after: `UPDATE tasker.river_job SET state = 'running', attempted_at = now(), attempted_by = '{other, client}'`,
			want:  sql.WaitReason{Reason: "held", Queue: "reports", Pool: "ruby", Worker: "test"},
		},
		"nobody before its own job": {
			template: "slow", prepare: serves(both, "R"), ticked: true, want: sql.WaitReason{Reason: "queued", Queue: "reports", Pool: "ruby"},
		},
		"two programs, of which one comes first": {
			template: "program", prepare: serves(both, "R", "command:a"),
			after: `INSERT INTO tasker.river_job (kind, args, queue, priority, max_attempts, scheduled_at)
				SELECT 'tasker_step', jsonb_build_object('task_id', 0, 'step_id', 0, 'handler', h), 'default', 1, 25, now() - interval '1 s'
				FROM unnest('{command:c, R}'::text[]) AS h`,
			want: sql.WaitReason{Reason: "queued", Queue: "default", Pool: "command", Ahead: 1},
		},
		"nobody before it": {template: "slow", prepare: serves(both, "R"), want: sql.WaitReason{Reason: "queued", Queue: "reports", Pool: "ruby"}},
		"two before it in its language, one in another, one in another queue, one of later": {
			template: "slow", prepare: serves(both, "R", "H", "P"),
			after: `INSERT INTO tasker.river_job (kind, args, queue, priority, max_attempts, scheduled_at)
				SELECT 'tasker_step', jsonb_build_object('task_id', 0, 'step_id', 0, 'handler', j.handler), j.queue, 1, 25, now() + j.later
				FROM (VALUES ('H', 'reports', '-1 s'::interval), ('R', 'reports', '-1 s'), ('P', 'reports', '-1 s'), ('R', 'default', '-1 s'),
				    ('R', 'reports', '1 h')) AS j (handler, queue, later)`,
			want: sql.WaitReason{Reason: "queued", Queue: "reports", Pool: "ruby", Ahead: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML, slowYAML, programYAML)
			b.exec(`DELETE FROM tasker.workers`)
			test.prepare(b)
			id, err := b.store.CreateTask(t.Context(), b.pool, sql.NewTask{Namespace: "test", Name: test.template, Version: "1.0.0", Context: json.RawMessage(`{}`)})
			if err != nil {
				t.Fatal(err)
			}
			if test.ticked {
				b.exec(`DELETE FROM tasker.river_job`)
				b.tick(id)
			}
			if test.after != "" {
				b.exec(test.after)
			}
			got := b.step(id, "first").WaitsFor
			if got == nil {
				t.Fatal("nothing is said")
			}
			if diff := cmp.Diff(test.want, *got, cmpopts.IgnoreFields(sql.WaitReason{}, "DueAt", "StepID")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDiagnoseFindsStepsThatNobodyWillRun also holds that nothing is said while no worker is there at all, which is another finding.
func TestDiagnoseFindsStepsThatNobodyWillRun(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML, slowYAML)
	b.create("diamond")
	b.create("slow")
	b.create("slow")
	for _, test := range []struct {
		handlers, queues []string
		kind             string
		want             []string
	}{
		{[]string{"H", "R"}, []string{"default", "reports"}, sql.FindingUnserved, nil},
		{[]string{"H", "R"}, []string{"default", "reports"}, sql.FindingUnworked, nil},
		{[]string{"H"}, []string{"default", "reports"}, sql.FindingUnserved, []string{"R"}},
		{[]string{"R"}, []string{"default", "reports"}, sql.FindingUnserved, []string{"H"}},
		{[]string{"H", "R"}, []string{"default"}, sql.FindingUnworked, []string{"reports"}},
		{[]string{"P"}, []string{"default"}, sql.FindingUnserved, []string{"H", "R"}},
	} {
		b.exec(`DELETE FROM tasker.workers`)
		if got := objects(diagnose(t, b.pool, 0), test.kind); len(got) > 0 {
			t.Errorf("without a worker, %s: %q", test.kind, got)
		}
		w := sql.Worker{ID: worker, ClientID: "client", Name: "test", Lease: time.Minute, Handlers: test.handlers, Queues: test.queues, Pools: make([]string, len(test.handlers))}
		if err := b.store.RegisterWorker(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, objects(diagnose(t, b.pool, 0), test.kind), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%v on %v, %s (-want +got):\n%s", test.handlers, test.queues, test.kind, diff)
		}
	}
	b.exec(`SELECT tasker.transition_task(task_id, 'cancelled', '{}') FROM public.tasker_tasks`)
	if got := objects(diagnose(t, b.pool, 0), sql.FindingUnserved); len(got) > 0 {
		t.Errorf("tasks that have ended: %q", got)
	}
}

func TestDiagnoseSeesWhatItsOwnSessionsAreSetTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, set := range map[string]string{"database": "ALTER DATABASE %s SET synchronous_commit = off", "client": "ALTER DATABASE %s RESET synchronous_commit"} {
		b.exec(fmt.Sprintf(set, pgx.Identifier{b.pool.Config().ConnConfig.Database}.Sanitize()))
		location := sqltest.URL(t, b.pool)
		if name == "client" {
			location = edit(t, location, func(u *url.URL) {
				query := u.Query()
				query.Set("synchronous_commit", "off")
				u.RawQuery = query.Encode()
			})
		}
		findings := diagnose(t, open(t, location, sql.PoolOptions{}), 0).Findings
		i := slices.IndexFunc(findings, func(f sql.Finding) bool { return f.Object == "synchronous_commit" })
		if i < 0 || !strings.Contains(findings[i].What, "it is the "+map[string]string{"database": "database's", "client": "connection's"}[name]) {
			t.Errorf("set for the %s: %+v", name, findings)
			continue
		}
		if statements := findings[i].Statements; (name == "database") != (len(statements) == 1 && strings.HasPrefix(statements[0], "ALTER DATABASE ")) {
			t.Errorf("set for the %s: the statements are %q", name, statements)
		}
	}
}
