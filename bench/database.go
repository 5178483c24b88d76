package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/sql"
)

// Database is the database of one measurement. Close drops it.
type Database struct {
	// Name and URL are those of the database.
	Name, URL string

	server *Server
}

// Close drops the database.
func (d *Database) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return d.server.drop(ctx, d.Name)
}

// emptyTemplate is the template of databases without any table.
const emptyTemplate = "template0"

// newDatabase makes a copy of a template.
func (s *Server) newDatabase(ctx context.Context, template string) (*Database, error) {
	location, err := url.Parse(s.base)
	if err != nil {
		return nil, err
	}
	d := &Database{Name: "tasker_bench_" + strings.ToLower(rand.Text()[:12]), server: s}
	location.Path = "/" + d.Name
	d.URL = location.String()
	if err := s.create(ctx, d.Name, template); err != nil {
		return nil, err
	}
	// The statistics of the copy are flushed now, so that they do not count in a measurement.
	_, err = s.admin.Exec(ctx, "SELECT pg_stat_force_next_flush()")
	return d, err
}

// create creates a database, which Close drops. That is so even if the creation was unacknowledged.
func (s *Server) create(ctx context.Context, name, template string) error {
	s.made[name] = true
	_, err := s.admin.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template))
	const duplicate = "42P04"
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == duplicate {
		delete(s.made, name) // another program created it
	}
	return err
}

// drop drops a database. A context that ended in the middle of a statement has ended the connection, too.
func (s *Server) drop(ctx context.Context, name string) error {
	if s.admin.IsClosed() {
		var err error
		if s.admin, err = pgx.Connect(ctx, s.base); err != nil {
			return fmt.Errorf("database %s is left behind: %w", name, err)
		}
	}
	_, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	if err == nil {
		delete(s.made, name)
	}
	return err
}

// migrated creates a database with the schema of tasker-worker.
func (s *Server) migrated(ctx context.Context, indexes Indexes) (*Database, error) {
	template, ok := s.templates[indexes]
	if !ok {
		var err error
		if template, err = s.newTemplate(ctx, indexes); err != nil {
			return nil, err
		}
		s.templates[indexes] = template
	}
	return s.newDatabase(ctx, template)
}

// newTemplate creates the migrated database that serves as template, and returns its name.
func (s *Server) newTemplate(ctx context.Context, indexes Indexes) (string, error) {
	d, err := s.newDatabase(ctx, emptyTemplate)
	if err != nil {
		return "", err
	}
	pool, err := sql.Connect(ctx, d.URL, sql.PoolOptions{MaxConns: 2})
	if err != nil {
		return "", err
	}
	defer pool.Close()
	if _, err := sql.Migrate(ctx, pool, sql.Options{}); err != nil {
		return "", err
	}
	if indexes == EngineIndexes {
		err = createEngineIndexes(ctx, pool)
	}
	return d.Name, err
}
