package sql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Defaults of [PoolOptions].
const (
	ApplicationNameDefault   = "tasker-worker"
	ConnectTimeoutDefault    = 10 * time.Second
	IdleInTransactionDefault = time.Minute
	MaxConnsDefault          = 10
	StatementTimeoutDefault  = 30 * time.Second
)

// PoolOptions say how sessions are opened. The zero value is what a worker uses.
type PoolOptions struct {
	// ApplicationName is what pg_stat_activity shows.
	ApplicationName string
	// IdleInTransactionTimeout ends a session that holds a transaction open without using it.
	IdleInTransactionTimeout time.Duration
	// MaxConns bounds the pool.
	MaxConns int32
	// Pooled is for poolers that lend a server's session for one transaction at a time, as PgBouncer does with pool_mode =
	// transaction: nothing is prepared, and only the settings that such poolers keep for their clients are sent.
	Pooled bool
	// StatementTimeout bounds every statement, waiting for locks included.
	StatementTimeout time.Duration
}

func (o PoolOptions) withDefaults() PoolOptions {
	o.ApplicationName = cmp.Or(o.ApplicationName, ApplicationNameDefault)
	o.IdleInTransactionTimeout = cmp.Or(o.IdleInTransactionTimeout, IdleInTransactionDefault)
	o.MaxConns = cmp.Or(o.MaxConns, MaxConnsDefault)
	o.StatementTimeout = cmp.Or(o.StatementTimeout, StatementTimeoutDefault)
	return o
}

// Connect opens a pool and makes sure that a server answers. Sessions open with the settings that our SQL relies
// on, whatever the database or the role says; see [CheckSession] for those that cannot be had so. Timeouts and an application
// name in the URL win over the options. Errors are a [*ConnectError] and never show a password.
func Connect(ctx context.Context, url string, opts PoolOptions) (*pgxpool.Pool, error) {
	config, err := poolConfig(url, opts.withDefaults())
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, connectError(config, err)
	}
	ctx, cancel := context.WithTimeout(ctx, config.ConnConfig.ConnectTimeout)
	defer cancel()
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, connectError(config, err)
	}
	if err := refuseVersion(ctx, pool, address(config.ConnConfig.Config)); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func poolConfig(url string, opts PoolOptions) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The parser's own message may repeat parts of the URL.
		return nil, &ConnectError{Reason: "the database URL is malformed; it looks like postgres://user:password@host:5432/name"}
	}
	config.MaxConns = opts.MaxConns
	config.MinConns = min(config.MinConns, config.MaxConns)
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = ConnectTimeoutDefault
	}
	pin(config, opts)
	config.AfterConnect = takeJSONAsItIs(config.AfterConnect)
	return config, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// ConnectError says in one line why there is no session and what to do about it.
type ConnectError struct {
	// Reason is the line.
	Reason string
	// Err is what the driver said; nil where that could show a password.
	Err error
}

// Error implements error.
func (e *ConnectError) Error() string { return e.Reason }

// Unwrap returns what the driver said.
func (e *ConnectError) Unwrap() error { return e.Err }

// SQLSTATEs of a server that answers and refuses.
const (
	invalidAuthorization = "28000"
	invalidPassword      = "28P01"
	protocolViolation    = "08P01" // PgBouncer's, for settings that it does not know at the start of a session
	unknownDatabase      = "3D000"
	tooManyConnections   = "53300"
	cannotConnectNow     = "57P03"
)

// connectError names server, user and database where the URL leaves no doubt which of its parts these are. In any other they
// may be pieces of the password, in what the driver says too.
func connectError(config *pgxpool.Config, err error) error {
	if _, sure := RedactDSN(config.ConnString()); !sure {
		return &ConnectError{Reason: vagueReason(err)}
	}
	return &ConnectError{Reason: connectReason(config.ConnConfig.Config, err), Err: err}
}

func connectReason(config pgconn.Config, err error) string {
	at := address(config)
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	if !refused {
		return fmt.Sprintf("no database server answers at %s (%s); start it, or correct DATABASE_URL", at, cause(err))
	}
	switch refusal.Code {
	case invalidAuthorization, invalidPassword:
		return fmt.Sprintf("the database server at %s does not let user %q in (%s); correct user and password in DATABASE_URL",
			at, config.User, refusal.Message)
	case unknownDatabase:
		return fmt.Sprintf("database %q does not exist on the server at %s; create it with: createdb %s",
			config.Database, at, config.Database)
	case tooManyConnections:
		return fmt.Sprintf("the database server at %s has no connection left (%s)", at, refusal.Message)
	case cannotConnectNow:
		return fmt.Sprintf("the database server at %s is not ready (%s); try again", at, refusal.Message)
	case protocolViolation:
		return fmt.Sprintf("the database server at %s refuses the connection: %s (SQLSTATE %s); if %s", at, refusal.Message, refusal.Code, poolAdvice)
	default:
		return fmt.Sprintf("the database server at %s refuses the connection: %s (SQLSTATE %s)", at, refusal.Message, refusal.Code)
	}
}

// vagueReason is the reason without a word from the URL or from the server, which repeats such words.
func vagueReason(err error) string {
	const hint = "DATABASE_URL is not shown: write the characters @ / ? # : & of its password as %40 %2F %3F %23 %3A %26"
	if refusal, refused := errors.AsType[*pgconn.PgError](err); refused {
		return fmt.Sprintf("the database server refuses the connection (SQLSTATE %s); %s", refusal.Code, hint)
	}
	return "no database server answers at the address in DATABASE_URL; " + hint
}

func address(config pgconn.Config) string {
	port := strconv.Itoa(int(config.Port))
	if strings.HasPrefix(config.Host, "/") {
		return filepath.Join(config.Host, ".s.PGSQL."+port)
	}
	return net.JoinHostPort(config.Host, port)
}

// cause is the innermost reason: the outer layers repeat the address, and one of them the user.
func cause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "host not found: " + dns.Name
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}
