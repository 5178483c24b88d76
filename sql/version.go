package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/versions"
)

// ServerVersion is the version that the server reported when a session began, such as 17.5; no statement is sent for it.
func ServerVersion(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the server's version: %w", err)
	}
	defer conn.Release()
	version, _, _ := strings.Cut(conn.Conn().PgConn().ParameterStatus("server_version"), " ")
	return version, nil
}

// refuseVersion returns an error for a server that is older than what our SQL needs.
func refuseVersion(ctx context.Context, pool *pgxpool.Pool, at string) error {
	version, err := ServerVersion(ctx, pool)
	if err != nil {
		return err
	}
	if reason := versionReason(at, version); reason != "" {
		return &ConnectError{Reason: reason}
	}
	return nil
}

// versionReason is empty for a version that will do.
func versionReason(at, version string) string {
	refusal := versions.Of("PostgreSQL").Refusal(version)
	if refusal == "" {
		return ""
	}
	return fmt.Sprintf("the database server at %s cannot be used: %s", at, refusal)
}
