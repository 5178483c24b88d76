package sql

import (
	"context"
	"maps"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// searchPath is where sessions, and all functions of ours, look for names that no schema qualifies. In PostgreSQL's own only: in any other,
// roles that may create objects there could put an operator or a function that fits better than the one that was meant, and it would run
// with the rights of this role. Temporary objects come last, and not first as they do where the path does not name them.
const searchPath = "pg_catalog, pg_temp"

// pinnedSettings are those that our SQL relies on. Sessions open with them, so that what the database or the role says of them, for
// other programs, does not count: without READ COMMITTED a step does not see that its last parent has ended; without the
// rest, statements fail, are cut short, write times of another zone, or take a hundred times as long.
var pinnedSettings = map[string]string{
	"bytea_output":                   "hex",
	"client_encoding":                "UTF8",
	"datestyle":                      "ISO, MDY",
	"default_transaction_deferrable": "off",
	"default_transaction_isolation":  "read committed",
	"default_transaction_read_only":  "off",
	"enable_bitmapscan":              "on",
	"enable_indexonlyscan":           "on",
	"enable_indexscan":               "on",
	"enable_nestloop":                "on",
	"extra_float_digits":             "1",
	"idle_session_timeout":           "0",
	"intervalstyle":                  "postgres",
	"jit":                            "off",
	"lock_timeout":                   "0",
	"plan_cache_mode":                "auto",
	"row_security":                   "on",
	"search_path":                    searchPath,
	"standard_conforming_strings":    "on",
	"timezone":                       "UTC",
}

// pooledSettings are those that PgBouncer keeps for each of its clients. It refuses all others at the start of a session.
var pooledSettings = []string{"client_encoding", "datestyle", "standard_conforming_strings", "timezone"}

// pin makes sessions open with the settings that they need.
func pin(config *pgxpool.Config, opts PoolOptions) {
	describeStatements(config.ConnConfig, opts.Pooled)
	params := config.ConnConfig.RuntimeParams
	given := maps.Clone(params)
	if opts.Pooled {
		clear(params)
		for _, name := range pooledSettings {
			params[name] = pinnedSettings[name]
		}
	} else {
		maps.Copy(params, pinnedSettings)
		params["idle_in_transaction_session_timeout"] = milliseconds(opts.IdleInTransactionTimeout)
		params["statement_timeout"] = milliseconds(opts.StatementTimeout)
	}
	params["application_name"] = opts.ApplicationName
	// What the URL says of these wins.
	for _, name := range []string{"application_name", "idle_in_transaction_session_timeout", "statement_timeout"} {
		if value, ok := given[name]; ok && (!opts.Pooled || name == "application_name") {
			params[name] = value
		}
	}
	if opts.Pooled {
		return
	}
	config.AfterConnect = pinNewer
}

// isPooled says whether sessions were opened for a pooler: then none asks for a timeout.
func isPooled(config pgconn.Config) bool {
	_, asks := config.RuntimeParams["statement_timeout"]
	return !asks
}

// describeStatements has the server say which types the parameters of a statement have, whatever the URL asks for: without that
// (exec, simple_protocol) JSON and arrays cannot be encoded. Prepared statements stay out of sessions that are another's with the next
// transaction.
func describeStatements(config *pgx.ConnConfig, pooled bool) {
	switch config.DefaultQueryExecMode {
	case pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec:
		if pooled {
			config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	case pgx.QueryExecModeCacheDescribe:
	}
}

// hasTransactionTimeout is the first version of PostgreSQL with that setting. Older ones refuse sessions that name it.
const hasTransactionTimeout = 17

// pinNewer pins what not every server knows.
func pinNewer(ctx context.Context, conn *pgx.Conn) error {
	if major(conn.PgConn().ParameterStatus("server_version")) < hasTransactionTimeout {
		return nil
	}
	_, err := conn.Exec(ctx, "SET transaction_timeout = 0")
	return err
}

// major is the first number of a version, zero when there is none.
func major(version string) int {
	digits := strings.TrimLeft(version, "0123456789")
	n, _ := strconv.Atoi(strings.TrimSuffix(version, digits))
	return n
}
