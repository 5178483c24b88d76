package executors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/internal/ownfolder"
)

const (
	pingMisses   = 3
	dumpTime     = 2 * time.Second
	exitGrace    = 5 * time.Second
	killGrace    = time.Second
	termGrace    = 2 * time.Second
	writeTimeout = 10 * time.Second
)

var errNotRunning = errors.New("supervisor is not running")

// boot starts one process and registers it, so that Stop knows it. id names it; it takes up to steps at once. A file that does
// not finish loading is left out of the next try, and of every later process of the generation.
// The caller is counted in s.running.
func (s *Supervisor) boot(ctx context.Context, g *generation, r runtime, id string, steps int) (*host.Host, error) {
	for {
		skipped := g.stuckFiles(r.language)
		h, err := s.bootOnce(ctx, g, r, id, steps, skipped)
		stuck, ok := errors.AsType[*host.StuckFileError](err)
		if !ok || ctx.Err() != nil || len(skipped) >= stuckMax || isStuck(skipped, stuck.LoadError.File) {
			return h, err
		}
		g.leaveOut(r.language, stuckFile{LoadError: stuck.LoadError})
		s.config.Logger.Error("a handler file does not finish loading and is skipped",
			"executor", id, "file", fileIn(r.language, stuck.LoadError.File), "error", stuck.LoadError.Message)
	}
}

func (s *Supervisor) bootOnce(
	ctx context.Context, g *generation, r runtime, id string, steps int, skipped []host.LoadError,
) (*host.Host, error) {
	options, scratch, err := s.options(g, r, id, steps, skipped)
	if err != nil {
		return nil, err
	}
	h, err := host.Start(ctx, s.starter, options)
	if err != nil {
		_ = ownfolder.Discard(scratch) // goes with the whole scratch folder at the latest
		return nil, fmt.Errorf("handler process %s %w", id, s.explain(r, options.Command.Args[0], err))
	}
	if err := r.refuse(h.Handshake().LanguageVersion); err != nil {
		h.Stop(s.force, 0)
		_ = ownfolder.Discard(scratch)
		return nil, fmt.Errorf("handler process %s was stopped: %w", id, err)
	}
	g.leaveOutStuck(r.language, h.Handshake().LoadErrors)
	if !s.register(h) {
		h.Stop(s.force, 0)
		return nil, errNotRunning
	}
	s.running.Go(func() { s.awaitExit(h, scratch) })
	return h, nil
}

// awaitExit waits for the end of a process and releases what belongs to it.
func (s *Supervisor) awaitExit(h *host.Host, scratch string) {
	<-h.Done()
	s.unregister(h)
	_ = ownfolder.Discard(scratch) // goes with the whole scratch folder at the latest
	cause, level := h.ExitCause(), slog.LevelInfo
	if cause.Kind != host.ExitStopped {
		level = slog.LevelWarn
	}
	s.config.Logger.Log(context.Background(), level, "handler process has ended",
		"executor", h.ID(), "pid", h.PID(), "reason", cause.Reason, "executions", h.Served())
}

// appRoot is the app in whose environment the handlers run. Only Ruby's can be in one.
func (s *Supervisor) appRoot(r runtime) string {
	if r.language != Ruby {
		return ""
	}
	return s.config.AppRoot
}

func (s *Supervisor) options(
	g *generation, r runtime, id string, steps int, skipped []host.LoadError,
) (host.Options, string, error) {
	args, err := s.launch(r, s.hostsDir())
	if err != nil {
		return host.Options{}, "", err
	}
	root, err := filepath.Abs(filepath.Join(s.config.Dir, string(r.language)))
	if err != nil {
		return host.Options{}, "", fmt.Errorf("executors folder: %w", err)
	}
	scratch, err := os.MkdirTemp(s.scratch.Path, id+"-")
	if err != nil {
		return host.Options{}, "", fmt.Errorf("making a scratch folder: %w", err)
	}
	if err := giveTo(s.users.of(r.language), scratch); err != nil {
		return host.Options{}, "", fmt.Errorf("giving the scratch folder to the user of the handlers: %w", err)
	}
	return host.Options{
		AttemptLog:  s.config.AttemptLog,
		Callbacks:   s.config.Callbacks,
		CancelGrace: s.config.CancelGrace,
		Scratch:     scratch,
		Secrets:     s.config.Secrets,
		Command: process.Command{
			Args: args, Dir: s.appRoot(r), Env: s.config.childEnv(environOf(s.users.of(r.language)), id, scratch), Limits: s.config.Limits.command(),
			Mark: "TASKER_SCRATCH_DIR=" + scratch, User: s.users.of(r.language),
		},
		ExitGrace: s.timing.exitGrace,
		ID:        id,
		Initialize: host.Initialize{
			AppHandlers:    s.config.AppHandlers,
			AppRoot:        s.appRoot(r),
			Generation:     g.number,
			HandlerRoot:    root,
			MaxConcurrency: steps,
			ShutdownGrace:  s.config.ShutdownGrace,
			Stuck:          skipped,
			WorkerID:       s.workerID,
			WorkerVersion:  version(),
		},
		DumpTime:       s.timing.dumpTime,
		KillGrace:      s.timing.killGrace,
		Logger:         s.config.Logger.With("language", string(r.language)),
		PingInterval:   s.config.PingInterval,
		PingMisses:     pingMisses,
		PingMissesBusy: pingMissesBusy(r, s.config.PingInterval),
		RecycleMemory:  s.config.RecycleMemory,
		StartupTimeout: s.config.StartupTimeout,
		TermGrace:      s.timing.termGrace,
		WriteTimeout:   s.timing.writeTimeout,
	}, scratch, nil
}

func (s *Supervisor) steps(r runtime) int {
	if s.config.StepsPerProcess > 0 {
		return s.config.StepsPerProcess
	}
	return r.steps
}

// timing is what tests make shorter.
type timing struct {
	dumpTime, exitGrace, killGrace, termGrace, writeTimeout time.Duration
	// backoff is the delay before the second restart in a row, probe that before a restart while the circuit is open.
	backoff, probe time.Duration
	// shadow and ahead are stopShadow and stopAhead.
	shadow, ahead time.Duration
	// settled is the age at which a process closes an open circuit, stuck that at which one that left files out is replaced.
	healthy, stuck time.Duration
}

func timingDefault() timing {
	return timing{
		backoff: time.Second, probe: probeDelay, healthy: circuitCloseAfter, stuck: stuckAge, shadow: stopShadow, ahead: stopAhead,
		dumpTime: dumpTime, exitGrace: exitGrace, killGrace: killGrace, termGrace: termGrace, writeTimeout: writeTimeout,
	}
}

// pingMissesBusy is the number of silent intervals that a busy process is allowed.
func pingMissesBusy(r runtime, interval time.Duration) int {
	return int((r.pingTimeoutBusy + interval - 1) / interval)
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
