package bench

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Meter reads the resource usage of a database and of the processes around it. Its user closes it.
type Meter struct {
	conn     *pgx.Conn
	counts   bool // whether the server counts statements
	postgres int  // the postmaster's process id, 0 when it runs elsewhere
}

const countsSQL = `SELECT 'pg_stat_statements' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','))
	AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements')`

// NewMeter returns a meter for one database.
func NewMeter(ctx context.Context, d *Database) (*Meter, error) {
	conn, err := pgx.Connect(ctx, d.URL)
	if err != nil {
		return nil, err
	}
	m := &Meter{conn: conn, postgres: d.server.postgres}
	if err = conn.QueryRow(ctx, countsSQL).Scan(&m.counts); err == nil && m.counts {
		_, err = conn.Exec(ctx, "CREATE EXTENSION pg_stat_statements SCHEMA public")
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// Close ends the meter's connection.
func (m *Meter) Close() error { return m.conn.Close(context.Background()) }

// Usage is the usage so far, or between two readings.
type Usage struct {
	// Worker, Handlers and Postgres are processor times. Postgres is 0 if the server runs on another machine.
	Worker, Handlers, Postgres time.Duration
	// Statements is the number of statements that clients sent, 0 if the server does not count them.
	Statements int64
	// WAL is the number of bytes of write-ahead log by position, WALRecords that by pg_stat_wal.
	WAL, WALRecords int64
	// At is the time of the reading, or the time between two readings.
	At time.Duration
}

// start is the zero of Usage.At.
var start = time.Now() //nolint:gochecknoglobals // any instant serves, as long as it is the same for all

const usageSQL = `SELECT (pg_current_wal_lsn() - '0/0')::bigint, (SELECT wal_bytes::bigint FROM pg_stat_wal)`

const statementsSQL = `SELECT coalesce(sum(calls), 0)::bigint FROM public.pg_stat_statements
	WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`

// Read reads the usage so far.
func (m *Meter) Read(ctx context.Context) (Usage, error) {
	var u Usage
	if err := m.conn.QueryRow(ctx, usageSQL).Scan(&u.WAL, &u.WALRecords); err != nil {
		return u, err
	}
	if m.counts {
		if err := m.conn.QueryRow(ctx, statementsSQL).Scan(&u.Statements); err != nil {
			return u, err
		}
	}
	all := processes()
	if m.postgres != 0 {
		u.Postgres = processTreeTime(all, m.postgres)
	}
	u.Handlers, u.Worker, u.At = handlerTime(all, m.postgres), ownTime(), time.Since(start)
	return u, nil
}

// Since returns the usage after the earlier reading.
func (u Usage) Since(earlier Usage) Usage {
	return Usage{
		Worker: u.Worker - earlier.Worker, Handlers: u.Handlers - earlier.Handlers,
		Postgres:   u.Postgres - earlier.Postgres,
		Statements: u.Statements - earlier.Statements, WAL: u.WAL - earlier.WAL,
		WALRecords: u.WALRecords - earlier.WALRecords,
		At:         u.At - earlier.At,
	}
}
