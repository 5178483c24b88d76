package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
)

// checkAddresses says which address cannot be listened at, before anything is started that would have to be stopped again.
func checkAddresses(ctx context.Context, c config) error {
	var faults []error
	for _, served := range []struct{ variable, address string }{{"TASKER_HEALTH", c.Health}, {"TASKER_PPROF", c.Pprof}} {
		if served.address == "" {
			continue
		}
		listener, err := listenAt(ctx, served.address)
		if err != nil {
			faults = append(faults, addressError(served.variable, served.address, err))
			continue
		}
		_ = listener.Close()
	}
	if c.Health != "" && c.Health == c.Pprof {
		faults = append(faults, fmt.Errorf("TASKER_HEALTH and TASKER_PPROF are both %q; each needs a port of its own", c.Health))
	}
	if err := errors.Join(faults...); err != nil {
		return setupError{err}
	}
	return nil
}

func addressError(variable, address string, err error) error {
	cause := err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		cause = op.Err
	}
	return fmt.Errorf("%s is %q, which cannot be listened at: %w; it looks like :8080 or 127.0.0.1:8080", variable, address, cause)
}

// checkDatabase says what keeps a worker from its work on the database, and warns of what makes it slow.
func checkDatabase(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) error {
	for _, check := range []func(context.Context, *pgxpool.Pool) error{sql.CheckWritable, sql.CheckAccess} {
		if err := check(ctx, pool); err != nil {
			return setupError{err}
		}
	}
	plaintext, err := sql.CheckTransport(ctx, pool)
	if err != nil {
		return setupError{err}
	}
	if plaintext != "" {
		log.WarnContext(ctx, plaintext)
	}
	warnings, err := sql.CheckSession(ctx, pool)
	for _, warning := range warnings {
		log.WarnContext(ctx, warning)
	}
	if err != nil {
		return setupError{err}
	}
	return nil
}

// pollOnly says whether the worker has to ask for work, because a setting says so or it hears nothing when it listens.
func pollOnly(ctx context.Context, c config, pool *pgxpool.Pool, log *slog.Logger) (bool, error) {
	if c.PollOnly {
		return true, nil
	}
	hears, err := sql.HearsItself(ctx, pool)
	if err != nil {
		return false, setupError{fmt.Errorf("listening to the database: %w", err)}
	}
	if !hears {
		log.WarnContext(ctx, "this worker does not hear its own notification, as behind a pooler that lends sessions for a transaction at a"+
			" time, and asks for work ten times a second instead; set TASKER_POLL_ONLY=true, or name the server itself in DATABASE_URL")
	}
	return !hears, nil
}
