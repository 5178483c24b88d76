package sql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// SessionError says why nothing can be done in the sessions of a database, and what to do about it.
type SessionError struct{ Reason string }

// Error implements error.
func (e *SessionError) Error() string { return e.Reason }

const writableSQL = `SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'`

// CheckWritable says whether the server takes writes. Its errors are a [*SessionError], or that of the query.
func CheckWritable(ctx context.Context, pool *pgxpool.Pool) error {
	var standby, readOnly bool
	if err := pool.QueryRow(ctx, writableSQL).Scan(&standby, &readOnly); err != nil {
		return fmt.Errorf("asking whether the server takes writes: %w", pooledHint(err))
	}
	config := pool.Config().ConnConfig.Config
	switch {
	case standby:
		return &SessionError{fmt.Sprintf("the database server at %s is a standby and takes no writes; name the primary in DATABASE_URL,"+
			" or all servers and target_session_attrs=read-write", address(config))}
	case readOnly:
		return &SessionError{fmt.Sprintf("sessions of role %q in database %q are read-only, and a pooler keeps this program from changing that;"+
			" change it with: %s", config.User, config.Database, alterRole(config.User, config.Database, "default_transaction_read_only", "off"))}
	default:
		return nil
	}
}

// alterRole is the statement that gives a role's sessions a setting.
func alterRole(role, database, name string, values ...string) string {
	return fmt.Sprintf("ALTER ROLE %s IN DATABASE %s SET %s = '%s'",
		pgx.Identifier{role}.Sanitize(), pgx.Identifier{database}.Sanitize(), name, strings.Join(values, "', '"))
}

// sessionSQL reads settings as they are in a session of the pool.
const sessionSQL = `SELECT name, setting FROM pg_settings WHERE name = ANY ($1)`

// sessionNeed is a setting that can be other than what this program asked for: a pooler opens its sessions without asking it, or
// only superusers change it.
type sessionNeed struct {
	name, wanted string
	// costs is what another value costs.
	costs string
	// bound says that the setting is a timeout, and one that is long does as well.
	bound bool
	// list says that the setting is a list of names.
	list bool
	// stalls: work would wait without end.
	stalls bool
}

var sessionNeeds = []sessionNeed{
	{name: "default_transaction_isolation", wanted: "read committed", costs: "steps would wait for ever", stalls: true},
	{name: "idle_in_transaction_session_timeout", wanted: "0", costs: "transactions are cut short", bound: true},
	{name: "jit", wanted: "off", costs: "statements can take a hundred times as long"},
	{name: "lock_timeout", wanted: "0", costs: "statements that wait for each other fail", bound: true},
	{name: "row_security", wanted: "on", costs: "statements on tables with policies fail"},
	{name: "search_path", wanted: searchPath, list: true, costs: "single statements may call what other roles created in its schemas"},
	{name: "session_replication_role", wanted: "origin", costs: "foreign keys and triggers do not work"},
	{name: "statement_timeout", wanted: "0", costs: "statements are cut short", bound: true},
	{name: "transaction_timeout", wanted: "0", costs: "transactions are cut short", bound: true},
}

// met says whether the value will do.
func (n sessionNeed) met(value string) bool {
	if n.list {
		return strings.Join(listed(value), ",") == strings.Join(listed(n.wanted), ",")
	}
	if value == n.wanted || !n.bound {
		return value == n.wanted
	}
	ms, err := strconv.ParseInt(value, 10, 64)
	return err == nil && ms >= callTimeout.Milliseconds()
}

// values are those to write into a statement that sets it.
func (n sessionNeed) values() []string {
	if n.list {
		return listed(n.wanted)
	}
	return []string{n.wanted}
}

// listed are the names of a list as settings hold it, in which some have quotes.
func listed(list string) []string {
	all := strings.Split(list, ",")
	for i, name := range all {
		all[i] = strings.Trim(name, ` "`)
	}
	return all
}

// CheckSession looks at the settings of the pool's sessions, of which those that a pooler opens may have others than [Connect]
// asked for. It returns what is worse than it should be; and a [*SessionError] where work would stall.
func CheckSession(ctx context.Context, pool *pgxpool.Pool) (warnings []string, err error) {
	values, err := readSettings(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("reading the session's settings: %w", pooledHint(err))
	}
	config := pool.Config().ConnConfig.Config
	for _, need := range sessionNeeds {
		value, known := values[need.name]
		if !known || need.met(value) || isFromURL(config, need.name, value) {
			continue
		}
		text := fmt.Sprintf("sessions have %s = %s: %s; change it with: %s", need.name, value, need.costs,
			alterRole(config.User, config.Database, need.name, need.values()...))
		if !isPooled(config) && need.name != "session_replication_role" {
			text += "; or if " + poolAdvice
		}
		if need.stalls {
			return warnings, &SessionError{text}
		}
		warnings = append(warnings, text)
	}
	return warnings, nil
}

// isFromURL says whether a short timeout is one that the URL asks for.
func isFromURL(config pgconn.Config, name, value string) bool {
	given, ok := config.RuntimeParams[name]
	return ok && pinnedSettings[name] == "" && value != "0" && given != "0"
}

func readSettings(ctx context.Context, pool *pgxpool.Pool) (map[string]string, error) {
	wanted := make([]string, len(sessionNeeds))
	for i, need := range sessionNeeds {
		wanted[i] = need.name
	}
	rows, err := pool.Query(ctx, sessionSQL, wanted)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string)
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error { values[name] = value; return nil })
	return values, err
}

// SQLSTATEs of statements that were prepared in a session of another transaction.
const (
	unknownStatement = "26000"
	doubledStatement = "42P05"
)

// poolAdvice is what a pooler in between needs.
const poolAdvice = "a pooler is in between that lends sessions for a transaction at a time (PgBouncer's pool_mode = transaction)," +
	" set TASKER_POLL_ONLY=true"

// pooledHint adds what to do when sessions change under our hands.
func pooledHint(err error) error {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if ok && (refusal.Code == unknownStatement || refusal.Code == doubledStatement) {
		return fmt.Errorf("%w; if %s", err, poolAdvice)
	}
	return err
}
