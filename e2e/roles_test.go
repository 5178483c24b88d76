package e2e_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// TestWorkerRunsAsItsRoleOnly: a member of tasker_worker syncs templates, runs tasks, retries, sweeps, and does River's maintenance.
func TestWorkerRunsAsItsRoleOnly(t *testing.T) {
	t.Parallel()
	s := newLocalStage(t, "TASKER_LOG_RETENTION=1ms")
	if _, err := sql.MigrateRoles(t.Context(), s.pool(), sql.Options{}); err != nil {
		t.Fatal(err)
	}
	login := s.pool().Config().ConnConfig.Database + "_w" // roles belong to the whole server
	if _, err := s.pool().Exec(t.Context(), "CREATE ROLE "+login+" LOGIN PASSWORD '"+login+"' IN ROLE tasker_worker"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.pool().Exec(context.Background(), "DROP OWNED BY "+login+"; DROP ROLE "+login); err != nil {
			t.Error(err)
		}
	})
	location, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	location.User = url.UserPassword(login, login)
	s.url = location.String()

	first := s.startWorker(t)
	linear := create(t, s.pool(), "shapes", "linear_workflow", "1.1.0", `{"sleep": {"process_data": 1000}}`)
	awaitStep(t, s.pool(), linear, "process_data", func(step sql.Step) bool { return step.Readiness == engine.InFlight })
	first.kill(t) // so that the sweep has something to take back
	second := s.startWorker(t)
	for _, id := range []int64{linear, create(t, s.pool(), "shapes", "diamond_workflow", "1.0.0", `{}`)} {
		if task := awaitEnd(t, s.pool(), id); task.State != engine.Complete {
			t.Errorf("task %d ended %s: %s", id, task.State, task.StateDetail)
		}
	}
	await(t, "a leader for River's maintenance", func(ctx context.Context) (n int, err error) {
		err = s.pool().QueryRow(ctx, "SELECT count(*) FROM tasker.river_leader").Scan(&n)
		return n, err
	}, func(n int) bool { return n == 1 })
	await(t, "the end of old logs", func(ctx context.Context) (n int, err error) {
		err = s.pool().QueryRow(ctx, "SELECT count(*) FROM tasker.attempt_logs").Scan(&n)
		return n, err
	}, func(n int) bool { return n == 0 })
	if code := second.stop(t); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
	for _, p := range []process{first, second} {
		for line := range strings.Lines(p.(*localProcess).log.String()) {
			if strings.Contains(line, "permission denied") || strings.Contains(line, "must be owner") {
				t.Errorf("the role lacks something: %s", line)
			}
		}
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}
