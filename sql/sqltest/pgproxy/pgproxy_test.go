package pgproxy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/sql/sqltest/pgproxy"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

const addOne = `INSERT INTO n SELECT coalesce(max(i), 0) + 1 FROM n RETURNING i`

func TestCutLosesTheStatementOrItsAnswer(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		when pgproxy.When
		mode pgx.QueryExecMode
		// inside: the statement is part of a transaction, and its answer alone says nothing.
		inside bool
		want   int
	}{
		"the statement, prepared":           {pgproxy.BeforeSend, pgx.QueryExecModeCacheStatement, false, 1},
		"the statement, not prepared":       {pgproxy.BeforeSend, pgx.QueryExecModeExec, false, 1},
		"the statement, simple":             {pgproxy.BeforeSend, pgx.QueryExecModeSimpleProtocol, false, 1},
		"the statement, in a transaction":   {pgproxy.BeforeSend, pgx.QueryExecModeCacheStatement, true, 1},
		"the answer, prepared":              {pgproxy.AfterCommit, pgx.QueryExecModeCacheStatement, false, 2},
		"the answer, not prepared":          {pgproxy.AfterCommit, pgx.QueryExecModeExec, false, 2},
		"the answer, simple":                {pgproxy.AfterCommit, pgx.QueryExecModeSimpleProtocol, false, 2},
		"the answer to the COMMIT after it": {pgproxy.AfterCommit, pgx.QueryExecModeCacheStatement, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := sqltest.NewEmpty(t)
			if _, err := direct.Exec(t.Context(), `CREATE TABLE n (i int)`); err != nil {
				t.Fatal(err)
			}
			proxy := pgproxy.Start(t, direct)
			conn := connect(t, proxy, row.mode)
			seen := -1
			cut := proxy.Cut(pgproxy.Cut{Match: pgproxy.Contains("INSERT INTO n"), When: row.when, Skip: 1, Rows: true, Then: func() {
				if err := direct.QueryRow(t.Context(), `SELECT count(*) FROM n`).Scan(&seen); err != nil {
					t.Error(err)
				}
			}})
			if err := add(t.Context(), conn, row.inside); err != nil {
				t.Fatalf("the first statement passes: %v", err)
			}
			if err := add(t.Context(), conn, row.inside); err == nil {
				t.Error("the second statement has an answer")
			}
			<-cut.Made()
			if seen != row.want {
				t.Errorf("there are %d rows, want %d", seen, row.want)
			}
			if err := add(t.Context(), connect(t, proxy, row.mode), row.inside); err != nil {
				t.Errorf("a cut is made once: %v", err)
			}
		})
	}
}

func add(ctx context.Context, conn *pgx.Conn, inside bool) error {
	var i int
	if !inside {
		return conn.QueryRow(ctx, addOne).Scan(&i)
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return tx.QueryRow(ctx, addOne).Scan(&i) })
}

func connect(t *testing.T, proxy *pgproxy.Proxy, mode pgx.QueryExecMode) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestWhatTheServerSaysPasses(t *testing.T) {
	t.Parallel()
	proxy := pgproxy.Start(t, sqltest.NewEmpty(t))
	conn := connect(t, proxy, pgx.QueryExecModeCacheStatement)
	ctx := t.Context()
	if _, err := conn.Exec(ctx, `CREATE TABLE n (i int)`); err != nil {
		t.Fatal(err)
	}
	// COPY is a dialogue.
	if n, err := conn.CopyFrom(ctx, pgx.Identifier{"n"}, []string{"i"}, pgx.CopyFromRows([][]any{{1}, {2}})); n != 2 || err != nil {
		t.Errorf("%d rows copied (%v), want 2", n, err)
	}
	// A batch is many statements in one cycle.
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO n VALUES (3)`)
	batch.Queue(`LISTEN heard`)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		t.Error(err)
	}
	// Notifications come when nobody asks.
	if _, err := connect(t, proxy, pgx.QueryExecModeExec).Exec(ctx, `NOTIFY heard`); err != nil {
		t.Error(err)
	}
	if _, err := conn.WaitForNotification(ctx); err != nil {
		t.Error(err)
	}
	_, err := conn.Exec(ctx, `SELECT 1 / (count(*) - 3) FROM n`)
	if refusal, ok := errors.AsType[*pgconn.PgError](err); !ok || refusal.Code != "22012" {
		t.Errorf("the server's refusal is %v, want division by zero", err)
	}
}

func TestNobodyAnswersThroughASilentNetwork(t *testing.T) {
	t.Parallel()
	proxy := pgproxy.Start(t, sqltest.NewEmpty(t))
	conn := connect(t, proxy, pgx.QueryExecModeExec)
	resume := proxy.Silence()
	answered := make(chan error, 1)
	go func() { _, err := conn.Exec(context.WithoutCancel(t.Context()), `SELECT 1`); answered <- err }()
	select {
	case err := <-answered:
		t.Errorf("somebody answers: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	resume()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
