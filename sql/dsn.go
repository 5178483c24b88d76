package sql

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tasker-systems/tasker-worker/engine"
)

// dsnHidden stands where a connection string has a secret.
const dsnHidden = engine.Redacted

// Keys of a connection string whose values are shown, and those whose values are hidden. A key that is in neither list may
// be a piece of a password that ends earlier than its writer thought.
var (
	dsnShownKeys = []string{ //nolint:gochecknoglobals // a constant that Go cannot write as one
		"application_name", "channel_binding", "client_encoding", "connect_timeout", "database", "datestyle", "dbname",
		"default_query_exec_mode", "default_transaction_isolation", "default_transaction_read_only", "description_cache_capacity",
		"encoding", "fallback_application_name", "gssencmode", "host", "hostaddr", "idle_in_transaction_session_timeout", "jit",
		"keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname", "load_balance_hosts",
		"lock_timeout", "max_protocol_version", "min_protocol_version", "passfile", "plan_cache_mode", "pool",
		"pool_health_check_period", "pool_max_conn_idle_time", "pool_max_conn_lifetime", "pool_max_conn_lifetime_jitter",
		"pool_max_conns", "pool_min_conns", "port", "prepared_statements", "replication", "require_auth", "requirepeer", "role",
		"row_security", "search_path", "service", "servicefile", "ssl", "ssl_max_protocol_version", "ssl_min_protocol_version",
		"sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslmode", "sslnegotiation", "sslrootcert",
		"sslsni", "statement_cache_capacity", "statement_timeout", "synchronous_commit", "target_session_attrs", "tcp_user_timeout", "timeout",
		"timezone", "user",
	}
	dsnHiddenKeys = []string{ //nolint:gochecknoglobals // a constant that Go cannot write as one
		"oauth_client_id", "oauth_client_secret", "options", "password", "passwd", "scram_client_key", "scram_server_key",
		"sslpassword",
	}
)

// Forms of what is shown. They are narrower than what PostgreSQL takes: a string that does not have them is not shown.
var (
	dsnAuthorityForm = regexp.MustCompile(
		`^(?:([A-Za-z0-9._~$%+-]*)(:[^@/?#\s\\]*)?@)?((?:[A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.%]+\])(?::\d*)?(?:,(?:[A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.%]+\])(?::\d*)?)*)$`)
	dsnPathForm  = regexp.MustCompile(`^(/[A-Za-z0-9._~$%+-]*)?$`)
	dsnValueForm = regexp.MustCompile(`^[A-Za-z0-9._~/:,+*$ -]*$`)
	dsnPortForm  = regexp.MustCompile(`:(\d+)(?:,|$)`)
)

// RedactDSN returns a connection string without its secrets. It reports false, and shows nothing at all, for one that it
// cannot take apart without a doubt: whatever looks like a host, a name or a key there may be a piece of the password.
func RedactDSN(dsn string) (string, bool) {
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(dsn, scheme); ok {
			shown, ok := redactURL(dsn, rest)
			return scheme + shown, ok
		}
	}
	return redactKeywords(dsn)
}

// redactURL takes apart what follows the scheme of a URL.
func redactURL(dsn, rest string) (string, bool) {
	if _, err := url.Parse(dsn); err != nil || strings.Count(rest, "@") > 1 || strings.Contains(rest, "#") {
		return "", false
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	parts := dsnAuthorityForm.FindStringSubmatch(authority)
	if parts == nil || !dsnPathForm.MatchString(path) || !portsOf(parts[3]) {
		return "", false
	}
	shown := parts[3] + path
	switch {
	case parts[2] != "":
		shown = parts[1] + ":" + dsnHidden + "@" + shown
	case strings.Contains(authority, "@"):
		shown = parts[1] + "@" + shown
	}
	if !hasQuery {
		return shown, true
	}
	pairs, ok := redactQuery(query)
	return shown + "?" + pairs, ok
}

// portsOf says whether the ports of a list of hosts can be ports.
func portsOf(hosts string) bool {
	for _, found := range dsnPortForm.FindAllStringSubmatch(hosts, -1) {
		if _, err := strconv.ParseUint(found[1], 10, 16); err != nil {
			return false
		}
	}
	return true
}

func redactQuery(query string) (string, bool) {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		key, raw, _ := strings.Cut(pair, "=")
		value, err := url.QueryUnescape(raw)
		if err != nil {
			return "", false
		}
		shown, ok := redactPair(key, raw, value)
		if !ok {
			return "", false
		}
		pairs = append(pairs, shown)
	}
	return strings.Join(pairs, "&"), true
}

// redactPair shows a key with its value as it is written, or without it.
func redactPair(key, written, value string) (string, bool) {
	switch name := strings.ToLower(key); {
	case slices.Contains(dsnHiddenKeys, name):
		return key + "=" + dsnHidden, true
	case slices.Contains(dsnShownKeys, name) && dsnValueForm.MatchString(value):
		return key + "=" + written, true
	}
	return "", false
}

// redactKeywords reads keyword=value pairs as libpq does: a value may be quoted, and a backslash takes what follows it
// as it is.
func redactKeywords(dsn string) (string, bool) {
	var pairs []string
	for rest := strings.TrimSpace(dsn); rest != ""; rest = strings.TrimSpace(rest) {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			return "", false
		}
		value = strings.TrimLeftFunc(value, unicode.IsSpace)
		n, ok := valueLength(value)
		if !ok {
			return "", false
		}
		shown, ok := redactPair(strings.TrimSpace(key), value[:n], strings.NewReplacer(`\`, "", "'", "").Replace(value[:n]))
		if !ok {
			return "", false
		}
		pairs = append(pairs, shown)
		rest = value[n:]
	}
	return strings.Join(pairs, " "), true
}

// valueLength is how far the value at the start of text goes. It reports false when its quote does not end.
func valueLength(text string) (int, bool) {
	quoted := strings.HasPrefix(text, "'")
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case quoted && i > 0 && text[i] == '\'':
			return i + 1, true
		case !quoted && unicode.IsSpace(rune(text[i])):
			return i, true
		}
	}
	return len(text), !quoted
}
