package main

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestFaultyCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		args string
		want string // on stderr
	}{
		{"rum", "unexpected argument rum, did you mean \"run\"?\nrun `tasker-worker --help`"},
		{"task lst", "did you mean \"list\"?\nrun `tasker-worker task --help`"},
		{"run --wach", "unknown flag --wach, did you mean \"--watch\"?\nrun `tasker-worker run --help`"},
		{"task", `expected one of "create"`},
		{"task create", "expected \"<template>\"\nrun `tasker-worker task create --help`"},
		{"task create shop/checkout", `"shop/checkout" is not of the form NAMESPACE/NAME@VERSION, for example`},
		{"task create shop/checkout@1.0.0 --context @nowhere.json", "reading the context: open nowhere.json: no such file"},
		{"task show seven", `<id>: expected a valid 64 bit int but got "seven"`},
		{"task list --state done", `--state must be one of "pending","in_progress"`},
		{"run", "DATABASE_URL is not set"},
		{"task list --limit 0", "--limit is 0; it must be between 1 and 1000"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			refused(t, w.run(t, strings.Fields(test.args)...), test.want)
		})
	}
}

// refused checks for exit code 2, silence on stdout, and a message.
func refused(t *testing.T, got ending, want string) {
	t.Helper()
	if got.code != exitSetup || got.stdout != "" {
		t.Errorf("exit code %d and stdout %q, want 2 and nothing", got.code, got.stdout)
	}
	if !strings.HasPrefix(got.stderr, "tasker-worker: ") || !strings.Contains(got.stderr, want) {
		t.Errorf("stderr is %q, want %q in it", got.stderr, want)
	}
}

func TestUnusableDatabase(t *testing.T) {
	t.Parallel()
	empty := sqltest.NewEmpty(t)
	location := sqltest.URL(t, empty)
	name := empty.Config().ConnConfig.Database
	user := empty.Config().ConnConfig.User + "@"
	newer := sqltest.New(t)
	const future = `INSERT INTO tasker.schema_migrations (version_id, is_applied) VALUES (9999, true)`
	if _, err := newer.Exec(t.Context(), future); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, url string
		want      string
	}{
		{"no DATABASE_URL", "", "DATABASE_URL is not set; for example: export DATABASE_URL=postgres://"},
		{"server not there", "postgres://me:geheim@127.0.0.1:1/app", "no database server answers at 127.0.0.1:1 (connection refused); start it, or correct DATABASE_URL"},
		{"malformed", "postgres://me:ge heim%zz@host/app", "the database URL is malformed; it looks like postgres://user:password@host:5432/name"},
		{"wrong credentials", strings.Replace(location, "://"+user, "://nobody_here:geheim@", 1), `does not let user "nobody_here" in (role "nobody_here" does not exist); correct user and password in DATABASE_URL`},
		{"database that does not exist", strings.Replace(location, name, "not_there", 1), `database "not_there" does not exist on the server at`},
		{"database without schema", location, "the database has no tasker schema yet; run: tasker-worker migrate up"},
		{"schema of a newer version", sqltest.URL(t, newer), "schema tasker: the database has version 9999, this binary knows only"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, args := range []string{"run", "task list", "task create shop/checkout@1.0.0", "task watch 1"} {
				w := newWorld(t, "DATABASE_URL="+test.url)
				w.write(t, "executors/ruby/charge.rb", chargeHandler)
				w.write(t, "templates/checkout.yaml", checkoutTemplate)
				got := w.run(t, strings.Fields(args)...)
				refused(t, got, test.want)
				if n := strings.Count(got.stderr, "\n"); n != 1 {
					t.Errorf("%s: stderr has %d lines, want one:\n%s", args, n, got.stderr)
				}
				if strings.Contains(got.stderr, "geheim") {
					t.Errorf("%s: stderr shows the password: %s", args, got.stderr)
				}
			}
		})
	}
}

func TestRunRefusesToStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		prepare func(*testing.T, *world, *pgxpool.Pool)
		want    string
	}{
		{"executors folder absent", func(_ *testing.T, w *world, _ *pgxpool.Pool) {
			w.environ = append(w.environ, "TASKER_EXECUTORS_DIR=./nowhere")
		}, "nowhere does not exist: create it with handlers in ruby/, python/ or node/, or set TASKER_EXECUTORS_DIR"},
		{"templates folder absent", func(_ *testing.T, w *world, _ *pgxpool.Pool) {
			w.environ = append(w.environ, "TASKER_TEMPLATES_DIR=./nowhere")
		}, "nowhere: cannot be read: no such file or directory"},
		{"no runtime for any handler", func(t *testing.T, w *world, _ *pgxpool.Pool) {
			t.Helper()
			w.environ = append(w.environ, "PATH="+t.TempDir())
		}, "there are ruby handlers, but ruby cannot be found on PATH: install Ruby"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, pool := newShop(t, "TASKER_LOG_LEVEL=error")
			test.prepare(t, w, pool)
			got := w.run(t, "run")
			got.stderr = got.stderr[max(0, strings.Index(got.stderr, "tasker-worker: ")):] // the log comes first
			refused(t, got, test.want)
		})
	}
}
