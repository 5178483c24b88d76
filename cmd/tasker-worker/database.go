package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/versions"
)

// connect opens the configured database.
func connect(ctx context.Context, c config) (*pgxpool.Pool, error) {
	if c.DatabaseURL == "" {
		return nil, setupError{errors.New("DATABASE_URL is not set; for example: export DATABASE_URL=postgres://user:password@localhost:5432/app")}
	}
	pool, err := sql.Connect(ctx, c.DatabaseURL, sql.PoolOptions{MaxConns: int32(c.DBConnections), Pooled: c.PollOnly})
	if err != nil {
		return nil, setupError{err}
	}
	return pool, nil
}

// connectReady opens the configured database and checks that its objects are those that this program needs.
func connectReady(ctx context.Context, c config) (*pgxpool.Pool, error) {
	pool, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := sql.Check(ctx, pool); err != nil {
		pool.Close()
		return nil, setupError{err}
	}
	return pool, nil
}

// warnOfServer says when the server is newer than what the worker was tested with. One that is too old is refused by
// [sql.Connect].
func warnOfServer(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) {
	version, err := sql.ServerVersion(ctx, pool)
	if err != nil {
		return // what needs the server next says what is wrong with it
	}
	if warning := versions.Of("PostgreSQL").Warning(version); warning != "" {
		log.Warn(warning)
	}
}

// withDatabase runs work with the configured database.
func withDatabase(ctx context.Context, work func(config, *pgxpool.Pool) error) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	pool, err := connectReady(ctx, c)
	if err != nil {
		return err
	}
	defer pool.Close()
	return work(c, pool)
}
