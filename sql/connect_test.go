package sql_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestConnectOpensSessionsThatSuitTheSchema(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	for setting, value := range map[string]string{
		"default_transaction_isolation": "serializable", "jit": "on", "lock_timeout": "1ms", "search_path": "nowhere", "timezone": "Asia/Tokyo",
	} {
		setFor(t, db, setting, value)
	}
	location := sqltest.URL(t, db)
	for name, test := range map[string]struct {
		query string
		opts  sql.PoolOptions
		want  map[string]string
	}{
		"by default": {"", sql.PoolOptions{}, map[string]string{
			"TimeZone": "UTC", "jit": "off", "application_name": "tasker-worker",
			"statement_timeout": "30s", "idle_in_transaction_session_timeout": "1min",
			"transaction_isolation": "read committed", "lock_timeout": "0", "search_path": "pg_catalog, pg_temp",
		}},
		"as a pooler can": {"", sql.PoolOptions{Pooled: true}, map[string]string{
			"TimeZone": "UTC", "application_name": "tasker-worker", "transaction_isolation": "serializable", "jit": "on", "lock_timeout": "1ms",
		}},
		"as the options say": {
			"",
			sql.PoolOptions{ApplicationName: "other", StatementTimeout: 1500 * time.Millisecond},
			map[string]string{"application_name": "other", "statement_timeout": "1500ms"},
		},
		"as the URL says": {
			"statement_timeout=7s&application_name=mine&timezone=Asia/Tokyo",
			sql.PoolOptions{ApplicationName: "other"},
			map[string]string{"application_name": "mine", "statement_timeout": "7s", "TimeZone": "UTC"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, err := sql.Connect(t.Context(), withQuery(t, location, test.query), test.opts)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			got := map[string]string{}
			for setting := range test.want {
				var value string
				if err := pool.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&value); err != nil {
					t.Fatal(err)
				}
				got[setting] = value
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConnectTellsCausesApartInOneLineWithoutThePassword(t *testing.T) {
	t.Parallel()
	db := sqltest.NewEmpty(t)
	silent := silentListener(t)
	for name, test := range map[string]struct {
		location string
		want     []string
	}{
		"malformed URL":    {"postgres://user:s3cret@host:port/name", []string{"malformed"}},
		"nobody listens":   {"postgres://user:s3cret@127.0.0.1:1/name", []string{"no database server", "127.0.0.1:1", "connection refused"}},
		"nobody answers":   {"postgres://user:s3cret@" + silent + "/name?connect_timeout=1", []string{"no database server", silent, "no answer in time"}},
		"no such host":     {"postgres://user:s3cret@nowhere.invalid/name", []string{"no database server", "nowhere.invalid:5432"}},
		"unknown user":     {withUser(t, sqltest.URL(t, db), "nobody-known", "s3cret"), []string{"does not let user", "nobody-known"}},
		"unknown database": {withName(t, sqltest.URL(t, db), "absent"), []string{`database "absent" does not exist`, "createdb absent"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := sql.Connect(ctx, test.location, sql.PoolOptions{})
			if _, ok := errors.AsType[*sql.ConnectError](err); !ok {
				t.Fatalf("Connect returns %v, want a *sql.ConnectError", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q shows the password or is not one line", err)
			}
		})
	}
}

// silentListener accepts connections into its backlog and never says a word.
func silentListener(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func edit(t *testing.T, location string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

func withQuery(t *testing.T, location, query string) string {
	t.Helper()
	return edit(t, location, func(u *url.URL) { u.RawQuery += "&" + query })
}

func withUser(t *testing.T, location, user, password string) string {
	t.Helper()
	return edit(t, location, func(u *url.URL) { u.User = url.UserPassword(user, password) })
}

func withName(t *testing.T, location, name string) string {
	t.Helper()
	return edit(t, location, func(u *url.URL) { u.Path = "/" + name })
}
