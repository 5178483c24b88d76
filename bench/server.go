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

// Settings are those of the private server. Commits are as durable as by default, and checkpoints come by time alone, not in
// the middle of whatever writes the most.
var Settings = map[string]string{
	"fsync": "on", "max_connections": "300", "max_wal_size": "4GB", "shared_buffers": "1GB", "synchronous_commit": "on",
}

// countingSettings count statements, where the module for that is installed. Only those that clients send count.
var countingSettings = map[string]string{
	"pg_stat_statements.track": "top", "shared_preload_libraries": "pg_stat_statements",
}

// Server is a PostgreSQL on which each measurement gets a database of its own. Close it.
type Server struct {
	// Version is what the server says it is.
	Version string

	admin     *pgx.Conn
	base      string             // URL of the server
	made      map[string]bool    // names of the databases that may be there
	postgres  int                // the postmaster's process id, 0 when it runs elsewhere
	private   *devdb.Server      // nil when the server is somebody else's
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

// UseServer uses a server that runs already. Its user must be allowed to create databases; those are dropped again.
func UseServer(ctx context.Context, location string) (*Server, error) {
	admin, err := pgx.Connect(ctx, location)
	if err != nil {
		return nil, fmt.Errorf("connecting to the server of the benchmark: %w", err)
	}
	s := &Server{
		admin: admin, base: location, made: make(map[string]bool), postgres: postmaster(ctx, admin), templates: make(map[Indexes]string),
	}
	if err := admin.QueryRow(ctx, "SELECT split_part(current_setting('server_version'), ' ', 1)").Scan(&s.Version); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// closeTimeout bounds the cleaning up.
const closeTimeout = 30 * time.Second

// Close drops what the benchmark made, and stops a private server.
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
