package main

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/engine"
)

const redacted = engine.Redacted

// shownKeys are the settings of a connection string whose values are no secrets. All others are hidden.
var shownKeys = []string{ //nolint:gochecknoglobals // a constant that Go cannot write as one
	"application_name", "connect_timeout", "database", "dbname", "host", "hostaddr", "options", "passfile", "pool_max_conns",
	"port", "search_path", "service", "servicefile", "sslcert", "sslkey", "sslmode", "sslrootcert", "sslsni",
	"statement_timeout", "target_session_attrs", "user",
}

// redactor are the values that no log of an attempt may show: the password of the database, and the secrets of
// handlers.
func redactor(c config) engine.Redactor {
	var values []string
	if parsed, err := pgconn.ParseConfig(c.DatabaseURL); err == nil {
		values = append(values, parsed.Password, url.QueryEscape(parsed.Password))
	}
	if known, err := loadSecrets(c.SecretsFile, os.Environ()); err == nil { // whoever starts the handlers reports the error
		all, _ := known.(secrets)
		for _, secret := range all {
			values = append(values, secret.Value)
		}
	}
	return engine.NewRedactor(values...)
}

// redact hides the secrets of a connection string in either of its forms, and the whole of one that is in neither.
func redact(dsn string) string {
	switch {
	case dsn == "":
		return ""
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		if shown, ok := redactURL(dsn); ok {
			return shown
		}
		return "(not shown: a URL with characters that must be written as %40, %2F and the like)"
	default:
		if shown, ok := redactKeywords(dsn); ok {
			return shown
		}
		return "(not shown: neither postgres://user:password@host:5432/name nor host=… dbname=…)"
	}
}

func redactURL(dsn string) (string, bool) {
	u, err := url.Parse(dsn)
	// An @ behind the host is one of a password that ends earlier than its writer thought.
	if err != nil || strings.Contains(u.EscapedPath()+u.RawQuery+u.Fragment, "@") {
		return "", false
	}
	var pairs []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if !slices.Contains(shownKeys, key) && pair != "" {
			pair = key + "=" + redacted
		}
		pairs = append(pairs, pair)
	}
	u.RawQuery = strings.Join(pairs, "&")
	return u.Redacted(), true
}

// redactKeywords reads keyword=value pairs as libpq does: a value may be quoted, and a backslash takes what follows it
// as it is.
func redactKeywords(dsn string) (string, bool) {
	var pairs []string
	for rest := strings.TrimSpace(dsn); rest != ""; rest = strings.TrimSpace(rest) {
		key, value, ok := strings.Cut(rest, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" || strings.ContainsFunc(key, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) }) {
			return "", false
		}
		value = strings.TrimLeft(value, " ")
		n, ok := valueLength(value)
		if !ok {
			return "", false
		}
		shown := value[:n]
		if !slices.Contains(shownKeys, key) {
			shown = redacted
		}
		pairs = append(pairs, key+"="+shown)
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
