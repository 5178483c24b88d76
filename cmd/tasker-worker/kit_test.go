package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

// beProgram makes the test binary the program itself, so that exit codes, files and signals are real.
const beProgram = "BE_THE_PROGRAM"

// patience is how long anything may take before a test gives up.
const patience = 3 * time.Minute

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		os.Unsetenv(beProgram)
		main()
	}
	sqltest.Main(m)
}

// world is where a command runs: an own folder, and an environment that holds nothing of the tester's.
type world struct {
	dir     string
	environ []string
}

// newWorld returns a world without a database. Entries of environ win over what it would have.
func newWorld(t *testing.T, environ ...string) *world {
	t.Helper()
	base := []string{beProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LANG=C.UTF-8"}
	return &world{dir: t.TempDir(), environ: append(base, environ...)}
}

// newShop returns a world with a migrated database, and with handlers and templates of its own.
func newShop(t *testing.T, environ ...string) (*world, *pgxpool.Pool) {
	t.Helper()
	pool := sqltest.New(t)
	w := newWorld(t, append([]string{"DATABASE_URL=" + sqltest.URL(t, pool)}, environ...)...)
	w.write(t, "executors/ruby/shop/charge.rb", chargeHandler)
	w.write(t, "templates/checkout.yaml", checkoutTemplate)
	return w, pool
}

const chargeHandler = `module Shop
  class Charge
    def process(task, sequence, step)
      { charged: task.context["amount"] }
    end
  end
end
`

const checkoutTemplate = `name: checkout
namespace_name: shop
version: 1.0.0
description: Charges a card.
schema:
  type: object
  required: [amount]
  properties: {amount: {type: integer}}
step_templates:
  - {name: charge, handler_class: "Shop::Charge"}
`

// write writes a file below the world's folder.
func (w *world) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sync puts the world's templates into the database.
func (w *world) sync(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	set, err := templates.LoadDir(filepath.Join(w.dir, "templates"), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sql.NewStore(pool).SyncTemplates(t.Context(), set.Templates, true); err != nil {
		t.Fatal(err)
	}
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = w.dir, w.environ
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // shows where it hangs
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// ending is how a command ended.
type ending struct {
	code           int
	stdout, stderr string
}

// run runs a command line to its end.
func (w *world) run(t *testing.T, args ...string) ending {
	t.Helper()
	return w.runInput(t, "", args...)
}

func (w *world) runInput(t *testing.T, input string, args ...string) ending {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := w.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%q did not end: %v\n%s", args, err, stderr.String())
	}
	return ending{exitOf(t, err), stdout.String(), stderr.String()}
}

func exitOf(t *testing.T, err error) int {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// succeed runs a command line that must exit with 0 and say nothing on stderr, and returns its stdout.
func (w *world) succeed(t *testing.T, args ...string) string {
	t.Helper()
	got := w.run(t, args...)
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%q: exit code %d, stderr %q; want 0 and nothing", args, got.code, got.stderr)
	}
	return got.stdout
}

// background is a command that goes on.
type background struct {
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan struct{} // closed when it has ended
	err  error         // read after done
}

// start starts a command line whose stdout and stderr go to one log. It is killed when the test ends.
func (w *world) start(t *testing.T, args ...string) *background {
	t.Helper()
	b := &background{cmd: w.command(context.Background(), args...), log: &lockedBuffer{}, done: make(chan struct{})}
	b.cmd.Stdout, b.cmd.Stderr = b.log, b.log
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		b.err = b.cmd.Wait()
		close(b.done)
	}()
	t.Cleanup(func() {
		_ = b.cmd.Process.Kill() // it has usually ended
		<-b.done
		if t.Failed() {
			t.Logf("%q said:\n%s", args, b.log)
		}
	})
	return b
}

// signal sends a signal and returns.
func (b *background) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait returns the exit code when the command has ended.
func (b *background) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-b.done:
		return exitOf(t, b.err)
	case <-time.After(patience):
		t.Fatal("the command does not end")
		return -1
	}
}

// says waits until the log holds text.
func (b *background) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, text, func() bool { return strings.Contains(b.log.String(), text) })
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// passing are the parts of an output that differ from run to run, or with each new version of the schema.
var passing = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\nATTEMPT  .*\n(.* \d+ +(complete|error|given back) .*\n)*`), ""}, // short attempts are not measured
	{regexp.MustCompile(workerName()), "HOST-1"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z)?`), "TIME"},
	{regexp.MustCompile(`\b(\d+m)?\d+(\.\d+)?m?s\b`), "TOOK"},
	{regexp.MustCompile(`/\S+/00\d/`), "DIR/"},
	{regexp.MustCompile(`version [1-9]\d*`), "version N"},
	{regexp.MustCompile(`(migration(_wanted)?": )[1-9]\d*`), "${1}N"},
	{regexp.MustCompile(`(\S)   +`), "$1  "}, // columns are as wide as what passes
}

// workerName matches what workers of this machine are called.
func workerName() string {
	host, _ := os.Hostname()
	return `\b` + regexp.QuoteMeta(host) + `-\d+\b`
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	for _, p := range passing {
		text = p.pattern.ReplaceAllString(text, p.instead)
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

// shell runs a shell script, in which PROGRAM is the program, and returns all that it prints.
func (w *world) shell(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	program := w.command(ctx).Path
	shell := exec.CommandContext(ctx, "sh", "-c", strings.ReplaceAll(script, "PROGRAM", program))
	shell.Dir, shell.Env = w.dir, w.environ
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGQUIT) }
	shell.WaitDelay = 10 * time.Second
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}
