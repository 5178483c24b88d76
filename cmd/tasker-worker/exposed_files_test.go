package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestFilesThatOthersCanGetAtAreSaid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		path string
		mode os.FileMode
		// want is the command to run, with $DIR for the folder of everything; empty when nothing is said.
		want string
	}{
		"all is private":                 {"secrets.json", 0o600, ""},
		"a group reads the secrets":      {"secrets.json", 0o640, ""},
		"others read the secrets":        {"secrets.json", 0o604, "chmod 0400 $DIR/secrets.json"},
		"others write the secrets":       {"secrets.json", 0o602, "chmod 0400 $DIR/secrets.json"},
		"others read the URL":            {"url", 0o444, "chmod 0400 $DIR/url"},
		"others read the token":          {"token", 0o444, "chmod 0400 $DIR/token"},
		"others read handlers":           {"executors", 0o755, ""},
		"others write the handlers":      {"executors", 0o757, "chmod -R o-w $DIR/executors"},
		"all make files, as in /tmp":     {"executors", 0o777 | os.ModeSticky, "chmod -R o-w $DIR/executors"},
		"others write one handler":       {"executors/ruby/a.rb", 0o646, "chmod -R o-w $DIR/executors"},
		"others write what a link names": {"linked.rb", 0o646, "chmod o-w $DIR/linked.rb"},
		"others write the templates":     {"templates", 0o757, "chmod -R o-w $DIR/templates"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, folder := range []string{"executors/ruby", "templates"} {
				if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{"secrets.json", "url", "token", "linked.rb", "executors/ruby/a.rb"} {
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink("../../linked.rb", filepath.Join(dir, "executors", "ruby", "b.rb")); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, row.path), row.mode); err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, file := range exposedFiles(config{
				DatabaseURLFile: filepath.Join(dir, "url"), ExecutorsDir: filepath.Join(dir, "executors"),
				HealthTokenFile: filepath.Join(dir, "token"), SecretsFile: filepath.Join(dir, "secrets.json"),
				TemplatesDir: filepath.Join(dir, "templates"),
			}) {
				said = append(said, file.do)
			}
			// The name of a test may need quotes.
			if got := strings.ReplaceAll(strings.Join(said, "\n"), "'", ""); got != strings.ReplaceAll(row.want, "$DIR", dir) {
				t.Errorf("said is %q, want %q", got, row.want)
			}
		})
	}
}

func TestRunAndDoctorSayWhichFilesOthersCanGetAt(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	w := newWorld(t, "DATABASE_URL_FILE=url", "TASKER_HEALTH=8080") // an address that ends the worker
	w.write(t, "url", sqltest.URL(t, pool))
	if err := os.Chmod(filepath.Join(w.dir, "url"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := w.run(t, "run")
	for _, want := range []string{`"level":"WARN"`, `"path":"url"`, `"mode":"0644"`, `"do":"chmod 0400 url"`} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("the worker does not say %s: %s", want, got.stderr)
		}
	}
	const want = "url of DATABASE_URL_FILE has mode 0644.\n" +
		"  costs  With it, every account of the machine gets at what is in it.\n" +
		"  do     Run chmod 0400 url.\n"
	if text := w.succeed(t, "doctor", "--rows", "0"); !strings.Contains(text, want) {
		t.Errorf("the doctor says:\n%s", text)
	}
}
