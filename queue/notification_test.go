package queue_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// Every role that can connect can send notifications. None of them stops the worker or fills its log.
func TestNotificationsOfOtherRolesAreHints(t *testing.T) {
	t.Parallel()
	b := setup(t, document("one", "a:"))
	n := b.start(options{name: "w", executor: serve(map[string]handler{})})
	b.awaitEnd(b.create("one"), engine.Complete)

	other := connectAsOtherRole(t, b)
	for _, channel := range []string{"river_control", "river_insert", "river_leadership"} {
		for _, payload := range []string{
			`{"action": "pause", "queue": "*"}`, `{"action": "pause", "queue": "ticks"}`,
			`{"action": "pause", "queue": "default"}`,
			`{"action": "cancel", "queue": "ticks", "job_id": 1}`, `{"action": "request_resign"}`,
			`{"action": "resigned", "leader_id": "x"}`, `{"queue": 7}`, `{"queue": "no such"}`, `{`, ``,
			strings.Repeat("x", 7000),
		} {
			if _, err := other.Exec(t.Context(), `SELECT pg_notify($1, $2)`, "tasker."+channel, payload); err != nil {
				t.Fatal(err)
			}
		}
		const flood = `SELECT pg_notify($1, CASE i % 3 WHEN 0 THEN '{' || i WHEN 1 THEN format('{"queue": "%s"}', i)
			ELSE format('{"action": "cancel", "queue": "ticks", "job_id": %s}', i) END)
			FROM generate_series(1, 5000) AS i`
		if _, err := other.Exec(t.Context(), flood, "tasker."+channel); err != nil {
			t.Fatal(err)
		}
	}
	// These jobs come after all notifications. River works the queue of ticks, which a pause would stop; a fetcher
	// works the other queue.
	task := b.create("one")
	b.awaitEnd(task, engine.Complete)
	b.exec(`SELECT tasker.enqueue_tick($1, 'test')`, task)
	b.exec(`SELECT tasker.notify('{ticks}')`)
	eventually(t, "River works the queue of ticks", func() bool {
		return one[int](
			b, `SELECT count(*) FROM tasker.river_job WHERE queue = 'ticks' AND state IN ('available', 'running')`,
		) == 0
	})
	log := n.log.String()
	if lines := strings.Count(log, "level=WARN") + strings.Count(log, "level=ERROR"); lines > 5 {
		t.Errorf("the worker wrote %d warnings:\n%.2000s", lines, log)
	}
}

// connectAsOtherRole opens a session of a role that owns nothing and was granted nothing.
func connectAsOtherRole(t *testing.T, b bench) *pgx.Conn {
	t.Helper()
	role := "other_" + one[string](b, `SELECT current_database()`)
	b.exec(`CREATE ROLE ` + pgx.Identifier{role}.Sanitize() + ` LOGIN`)
	config, err := pgx.ParseConfig(sqltest.URL(t, b.pool))
	if err != nil {
		t.Fatal(err)
	}
	config.User = role
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
