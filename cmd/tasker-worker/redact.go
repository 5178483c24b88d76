package main

import (
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// redactor are the values that no log of an attempt may show: the password of the database, and the secrets of
// handlers.
func redactor(c config) engine.Redactor {
	var values []string
	for _, password := range passwords(c.DatabaseURL) {
		values = append(values, password, url.QueryEscape(password), url.PathEscape(password))
	}
	if known, err := loadSecrets(c.SecretsFile, os.Environ()); err == nil { // the start of the handlers reports the error
		all, _ := known.(secrets)
		for _, secret := range all {
			values = append(values, secret.Value)
		}
	}
	return engine.NewRedactor(values...)
}

// passwords are what the connection string may mean by its password, and all of a string that is not shown.
func passwords(dsn string) []string {
	var found []string
	if parsed, err := pgconn.ParseConfig(dsn); err == nil {
		found = append(found, parsed.Password)
	}
	if parsed, err := url.Parse(dsn); err == nil {
		password, _ := parsed.User.Password()
		found = append(found, password, parsed.Query().Get("sslpassword"))
	}
	if _, ok := sql.RedactDSN(dsn); !ok {
		found = append(found, dsn)
	}
	return found
}

// redact hides the secrets of a connection string, and all of one in which they cannot be separated from the rest.
func redact(dsn string) string {
	if dsn == "" {
		return ""
	}
	if shown, ok := sql.RedactDSN(dsn); ok {
		return shown
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return "(not shown: a URL with characters that must be written as %40, %2F and the like, or with a key that is not known)"
	}
	return "(not shown: neither postgres://user:password@host:5432/name nor host=… dbname=…)"
}
