package sqltest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/devdb"
)

const (
	// templateLock is the key of the advisory lock under which one binary makes the template for all.
	templateLock = 0x7461736b_74657374
	// adminStatementTimeout bounds waiting for other clones of the same template: PostgreSQL makes one at a time.
	adminStatementTimeout = 2 * time.Minute
)

// shared is the one server of this test binary.
var shared = &host{}

// host is a server for test databases, started by its first user.
type host struct {
	// mu protects the fields below.
	mu           sync.Mutex
	admin        *pgxpool.Pool // on the server's own database
	base         string        // URL of the server
	private      *devdb.Server // nil when the server is somebody else's
	templateName string        // empty until the template is there
}

// server returns a pool for creating and dropping databases.
func (h *host) server(ctx context.Context) (*pgxpool.Pool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.serverLocked(ctx)
}

func (h *host) serverLocked(ctx context.Context) (*pgxpool.Pool, error) {
	if h.admin != nil {
		return h.admin, nil
	}
	if h.base == "" {
		if err := h.findLocked(ctx); err != nil {
			return nil, err
		}
	}
	// All tests of the binary use it, so it must not end with the context of the first one.
	var err error
	h.admin, err = sql.Connect(context.WithoutCancel(ctx), h.base, sql.PoolOptions{
		ApplicationName: "sqltest", MaxConns: 4, StatementTimeout: adminStatementTimeout,
	})
	return h.admin, err
}

func (h *host) findLocked(ctx context.Context) error {
	if given := os.Getenv(URLVariable); given != "" {
		h.base = given
		return nil
	}
	private, err := devdb.Start(ctx, devdb.Options{})
	if err != nil {
		return fmt.Errorf("%w (or set %s)", err, URLVariable)
	}
	h.private, h.base = private, private.URL("postgres")
	return nil
}

// url is how to connect to one of the server's databases.
func (h *host) url(database string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return withDatabase(h.base, database)
}

// template returns the name of the migrated template database and makes it if need be. It is named for the schema in
// it, so that binaries with the same schema share one, and a changed schema gets a new one.
func (h *host) template(ctx context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.templateName != "" {
		return h.templateName, nil
	}
	admin, err := h.serverLocked(ctx)
	if err != nil {
		return "", err
	}
	fingerprint, err := sql.Fingerprint()
	if err != nil {
		return "", err
	}
	name := "tasker_template_" + fingerprint
	if err := h.makeTemplate(ctx, admin, name); err != nil {
		return "", err
	}
	h.templateName = name
	return name, nil
}

// makeTemplate holds the lock on a connection of its own. The template gets its name when it is finished.
func (h *host) makeTemplate(ctx context.Context, admin *pgxpool.Pool, name string) error {
	conn, err := pgx.ConnectConfig(ctx, admin.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return err
	}
	var exists bool
	const query = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err := conn.QueryRow(ctx, query, name).Scan(&exists); err != nil || exists {
		return err
	}
	draft := "tasker_draft_" + strings.ToLower(rand.Text()[:16])
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+draft+" TEMPLATE template0"); err != nil {
		return err
	}
	if err := migrate(ctx, h.base, draft); err != nil {
		_, dropErr := conn.Exec(context.WithoutCancel(ctx), "DROP DATABASE "+draft+" WITH (FORCE)")
		return errors.Join(err, dropErr)
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
	return err
}

func migrate(ctx context.Context, base, database string) error {
	location, err := withDatabase(base, database)
	if err != nil {
		return err
	}
	pool, err := sql.Connect(ctx, location, sql.PoolOptions{ApplicationName: "sqltest", MaxConns: 2})
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = sql.Migrate(ctx, pool, sql.Options{})
	return err
}

// stop ends what this binary started.
func (h *host) stop() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.admin != nil {
		h.admin.Close()
	}
	if h.private == nil {
		return nil
	}
	return h.private.Stop()
}
