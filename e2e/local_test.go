package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/devdb"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// localStage runs the program on this machine.
type localStage struct {
	database *pgxpool.Pool
	url      string
	// server is set when the stage has a database server of its own.
	server *devdb.Server
	// environ is added to the workers' environment.
	environ []string
	// through is a command that runs the program which follows it, empty for none.
	through []string
}

// newLocalStage returns a stage with a migrated database of its own on the test server.
func newLocalStage(t *testing.T, environ ...string) *localStage {
	t.Helper()
	pool := sqltest.New(t)
	return &localStage{database: pool, url: sqltest.URL(t, pool), environ: environ}
}

// newLocalStageWithServer returns a stage with a database server of its own, which can be interrupted.
func newLocalStageWithServer(t *testing.T) *localStage {
	t.Helper()
	server, err := devdb.Start(t.Context(), devdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	pool, err := sql.Connect(t.Context(), server.URL("postgres"), sql.PoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := sql.Migrate(t.Context(), pool, sql.Options{}); err != nil {
		t.Fatal(err)
	}
	return &localStage{database: pool, url: server.URL("postgres"), server: server}
}

func (s *localStage) pool() *pgxpool.Pool { return s.database }

func (s *localStage) interruptDatabase(t *testing.T) (resume func()) {
	t.Helper()
	if err := s.server.Halt(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := s.server.Resume(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}

// localProcess is a worker on this machine.
type localProcess struct {
	cmd  *exec.Cmd
	log  *logBuffer
	done chan error
}

// environment is what a worker of these tests gets beside the database: quick to notice what dies.
func (s *localStage) environment() []string {
	clean := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TASKER_") || strings.HasPrefix(entry, "DATABASE_URL=")
	})
	return slices.Concat(clean, []string{
		"DATABASE_URL=" + s.url, "TASKER_LEASE=5s", "TASKER_SWEEP_INTERVAL=500ms", "TASKER_LOG_LEVEL=debug",
		"TASKER_STARTUP_TIMEOUT=" + patience.String(),
		"TASKER_EXECUTORS_DIR=" + filepath.Join(repository, "executors"),
		"TASKER_TEMPLATES_DIR=" + filepath.Join(repository, "templates", "examples"),
	}, s.environ)
}

func (s *localStage) startWorker(t *testing.T) process {
	t.Helper()
	command := append(slices.Clone(s.through), program, "run")
	p := &localProcess{cmd: exec.Command(command[0], command[1:]...), log: &logBuffer{}, done: make(chan error, 1)}
	p.cmd.Env = append(s.environment(), "TMPDIR="+t.TempDir()) // killed workers leave their folder behind
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has usually ended
		<-p.done
		p.log.report(t, p.name())
	})
	await(t, "worker "+p.name(), func(context.Context) (string, error) {
		select {
		case err := <-p.done:
			p.done <- err
			t.Fatalf("the worker ended: %v\n%s", err, p.log)
		default:
		}
		return p.log.String(), nil
	}, func(log string) bool { return strings.Contains(log, "worker started") })
	return p
}

func (p *localProcess) name() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s-%d", host, p.cmd.Process.Pid)
}

func (p *localProcess) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	err := <-p.done
	p.done <- err
}

func (p *localProcess) stop(t *testing.T) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return p.exit(t)
}

// exit waits for the end of a worker that was told to stop, and returns its exit code.
func (p *localProcess) exit(t *testing.T) int {
	t.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(patience):
		t.Fatalf("the worker did not stop\n%s", p.log)
		return -1
	}
}

func TestLocal(t *testing.T) {
	t.Parallel()
	t.Run("main job", func(t *testing.T) {
		t.Parallel()
		mainJob(t, newLocalStage(t))
	})
	t.Run("worker killed in mid-step", func(t *testing.T) {
		t.Parallel()
		workerKilled(t, newLocalStage(t))
	})
	t.Run("database interrupted", func(t *testing.T) {
		t.Parallel()
		databaseInterrupted(t, newLocalStageWithServer(t))
	})
}
