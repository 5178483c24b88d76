package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/sql/devdb"
)

// Settings are those of the private server. Commits are as durable as by default. Checkpoints start by time only, so
// that they do not hit the workloads that write the most.
var Settings = map[string]string{
	"fsync": "on", "max_connections": "300", "max_wal_size": "4GB", "shared_buffers": "1GB", "synchronous_commit": "on",
}

// countingSettings make the server count the statements of clients, if the module for that is installed.
var countingSettings = map[string]string{
	"pg_stat_statements.track": "top", "shared_preload_libraries": "pg_stat_statements",
}

// Server is a PostgreSQL server on which each measurement gets a database of its own. Its user closes it.
type Server struct {
	// Version is the version of the server.
	Version string

	admin     *pgx.Conn
	base      string             // URL of the server
	made      map[string]bool    // names of the databases that may exist
	postgres  int                // the postmaster's process id, 0 if it runs on another machine
	private   *devdb.Server      // nil for a server of the user
	templates map[Indexes]string // names of the migrated databases
}

// StartServer starts a private server.
func StartServer(ctx context.Context, cacheDir string) (*Server, error) {
	settings := maps.Clone(Settings)
	maps.Copy(settings, countingSettings)
	private, err := devdb.Start(ctx, devdb.Options{CacheDir: cacheDir, Durable: true, Settings: settings})
	if err != nil && ctx.Err() == nil {
		private, err = devdb.Start(ctx, devdb.Options{CacheDir: cacheDir, Durable: true, Settings: Settings})
	}
	if err != nil {
		return nil, fmt.Errorf("starting a private PostgreSQL: %w", err)
	}
	s, err := UseServer(ctx, private.URL("postgres"))
	if err != nil {
		return nil, errors.Join(err, private.Stop())
	}
	s.private = private
	return s, nil
}

// UseServer uses a running server. The user of the URL needs the right to create databases. Close drops them.
func UseServer(ctx context.Context, location string) (*Server, error) {
	admin, err := pgx.Connect(ctx, location)
	if err != nil {
		return nil, fmt.Errorf("connecting to the server of the benchmark: %w", err)
	}
	s := &Server{
		admin: admin, base: location, made: make(map[string]bool), postgres: postmaster(ctx, admin),
		templates: make(map[Indexes]string),
	}
	if err := admin.QueryRow(
		ctx, "SELECT split_part(current_setting('server_version'), ' ', 1)",
	).Scan(&s.Version); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// closeTimeout bounds the cleanup.
const closeTimeout = 30 * time.Second

// Close drops the databases of the benchmark and stops a private server.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if s.private != nil {
		return errors.Join(s.admin.Close(ctx), s.private.Stop())
	}
	var err error
	for _, name := range slices.Sorted(maps.Keys(s.made)) {
		err = errors.Join(err, s.drop(ctx, name))
	}
	return errors.Join(err, s.admin.Close(ctx))
}
