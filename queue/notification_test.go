package queue_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// Anybody who can connect may notify. Of all that such a role can say nothing stops work, or fills the log.
func TestNotificationsOfStrangersAreNoOrders(t *testing.T) {
	t.Parallel()
	b := setup(t, document("one", "a:"))
	n := b.start(options{name: "w", executor: serve(map[string]handler{})})
	b.awaitEnd(b.create("one"), engine.Complete)

	stranger := connectAsStranger(t, b)
	for _, channel := range []string{"river_control", "river_insert", "river_leadership"} {
		for _, payload := range []string{
			`{"action": "pause", "queue": "*"}`, `{"action": "pause", "queue": "ticks"}`, `{"action": "pause", "queue": "default"}`,
			`{"action": "cancel", "queue": "ticks", "job_id": 1}`, `{"action": "request_resign"}`,
			`{"action": "resigned", "leader_id": "x"}`, `{"queue": 7}`, `{"queue": "no such"}`, `{`, ``, strings.Repeat("x", 7000),
		} {
			if _, err := stranger.Exec(t.Context(), `SELECT pg_notify($1, $2)`, "tasker."+channel, payload); err != nil {
				t.Fatal(err)
			}
		}
		const flood = `SELECT pg_notify($1, CASE i % 3 WHEN 0 THEN '{' || i WHEN 1 THEN format('{"queue": "%s"}', i)
			ELSE format('{"action": "cancel", "queue": "ticks", "job_id": %s}', i) END) FROM generate_series(1, 5000) AS i`
		if _, err := stranger.Exec(t.Context(), flood, "tasker."+channel); err != nil {
			t.Fatal(err)
		}
	}
	// These come after all of that. River works the queue of ticks, which a pause would stop, and the fetchers the other.
	task := b.create("one")
	b.awaitEnd(task, engine.Complete)
	b.exec(`SELECT tasker.enqueue_tick($1, 'test')`, task)
	b.exec(`SELECT tasker.notify('{ticks}')`)
	eventually(t, "River works the queue of ticks", func() bool {
		return one[int](b, `SELECT count(*) FROM tasker.river_job WHERE queue = 'ticks' AND state IN ('available', 'running')`) == 0
	})
	said := n.log.String()
	if lines := strings.Count(said, "level=WARN") + strings.Count(said, "level=ERROR"); lines > 5 {
		t.Errorf("the worker wrote %d warnings:\n%.2000s", lines, said)
	}
}

// connectAsStranger opens a session of a role that owns nothing and was granted nothing.
func connectAsStranger(t *testing.T, b bench) *pgx.Conn {
	t.Helper()
	role := "stranger_" + one[string](b, `SELECT current_database()`)
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
