package executors

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/host"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/internal/ownfolder"
	"github.com/tasker-systems/tasker-worker/templates"
)

// Supervisor runs the handler processes of one folder. It is safe for concurrent use.
type Supervisor struct {
	config     Config
	launch     launcher
	quarantine quarantine
	timing     timing
	// ungrouped is set by tests: no control groups are made, as where none can be had.
	ungrouped bool
	// users are who handler processes run as.
	users users
	// programs holds a token for each program that runs or may.
	commandSlots chan struct{}
	workerID     string
	started      atomic.Bool

	// life ends when Stop begins: nothing is started after that. force ends when Stop has no more time.
	life, force       context.Context
	endLife, useForce context.CancelFunc
	// starter, scratch and guardian are there from Start on.
	starter  *process.Starter
	scratch  ownfolder.Folder
	guardian *process.Guardian
	// running counts everything that may start or still has a process.
	running sync.WaitGroup
	// ended is closed when Stop is done.
	ended chan struct{}
	// change happens with every change of what is served, and by how many processes.
	change change

	// changing is held by Start, Reload and Stop while they change the generation.
	changing sync.Mutex

	// mu protects the fields below.
	mu      sync.RWMutex
	current *generation
	hosts   map[*host.Host]struct{}
	stopped bool
	// commands are those of the templates that SetCommands named.
	commands allowedCommands
	// stopSeen is when the worker got its stop signal, zero before.
	stopSeen time.Time
}

var _ engine.Executor = (*Supervisor)(nil)

// New checks the configuration and starts nothing. The error names everything that is wrong with it.
func New(config Config) (*Supervisor, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "localhost"
	}
	runAs, err := findUsers(config.User)
	if err != nil {
		return nil, err
	}
	s := &Supervisor{
		config:       config,
		commandSlots: make(chan struct{}, config.CommandSteps),
		ended:        make(chan struct{}),
		hosts:        make(map[*host.Host]struct{}),
		launch:       launchFromPath,
		timing:       timingDefault(),
		users:        runAs,
		workerID:     fmt.Sprintf("%s-%d", hostname, os.Getpid()),
	}
	s.life, s.endLife = context.WithCancel(context.Background())
	s.force, s.useForce = context.WithCancel(context.Background())
	return s, nil
}

// Start starts the processes of every language that has handler files and returns when each is ready or has failed. A
// language that fails is a problem, see [Supervisor.Problems], and is tried again; Start returns an error only if there
// are handler files and none of them can be served. Nothing runs then. Start is called once.
func (s *Supervisor) Start(ctx context.Context) error {
	if !s.started.CompareAndSwap(false, true) {
		return errors.New("supervisor was started before")
	}
	if err := s.start(ctx); err != nil {
		return errors.Join(err, s.Stop(ctx))
	}
	return nil
}

func (s *Supervisor) start(ctx context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.life.Err() != nil {
		return errNotRunning
	}
	s.running.Go(s.watchStop)
	if err := s.prepare(); err != nil {
		return err
	}
	g, err := s.newGeneration(1)
	if err != nil {
		return err
	}
	s.startChildren(ctx, g)
	if err := ctx.Err(); err != nil {
		g.end()
		return fmt.Errorf("starting handler processes: %w", err)
	}
	if err := g.errNothingServed(); err != nil {
		g.end()
		return err
	}
	s.warnOfVersions(g)
	s.warnIfNotSeparated()
	s.adopt(g)
	return nil
}

// prepare makes the scratch folder with the hosts in it, and the thread that starts processes.
func (s *Supervisor) prepare() (err error) {
	s.starter = process.NewStarter()
	s.starter.Ungrouped = s.ungrouped
	removeStaleScratch()
	if s.scratch, err = newScratch(); err != nil {
		return fmt.Errorf("making a scratch folder: %w", err)
	}
	s.guardian = s.starter.Guard(s.scratch.Path, s.config.Logger)
	if err := unpackHosts(s.hostsDir()); err != nil {
		return fmt.Errorf("unpacking the host programs: %w", err)
	}
	if err := openHosts(s.users, s.scratch.Path, s.hostsDir()); err != nil {
		return fmt.Errorf("opening the host programs to the user of the handlers: %w", err)
	}
	return nil
}

func (s *Supervisor) hostsDir() string { return filepath.Join(s.scratch.Path, "hosts") }

// Handlers returns what is served now, sorted by name.
func (s *Supervisor) Handlers() []HandlerInfo {
	g := s.generation()
	if g == nil {
		return nil
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return append([]HandlerInfo(nil), g.table.handlers...)
}

// Problems returns what keeps handlers from being served now: files that failed to load, languages that cannot be
// started, names that are served twice.
func (s *Supervisor) Problems() []Problem {
	g := s.generation()
	if g == nil {
		return nil
	}
	return g.problems()
}

// Acquire implements [engine.Executor]. While a process that serves the handler is restarted, it waits.
func (s *Supervisor) Acquire(ctx context.Context, handler string) (engine.Slot, error) {
	if strings.HasPrefix(handler, templates.CommandPrefix) {
		return s.acquireCommand(ctx, handler)
	}
	for {
		g := s.generation()
		if g == nil {
			return nil, fmt.Errorf("handler %s: %w: %w", handler, engine.ErrExecutorUnavailable, errNotRunning)
		}
		p, exclusive, err := g.route(handler)
		if err != nil {
			return nil, err
		}
		m, err := p.acquire(ctx, exclusive)
		if errors.Is(err, errRetired) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("waiting for a %s process for handler %s: %w", p.runtime.language, handler, err)
		}
		return &slot{exclusive: exclusive, generation: g, member: m, pool: p, supervisor: s}, nil
	}
}

// generation is the current one, nil before Start and after Stop.
func (s *Supervisor) generation() *generation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.stopped {
		return nil
	}
	return s.current
}

// adopt makes g current.
func (s *Supervisor) adopt(g *generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = g
	s.change.happened()
}

// enter counts the caller in running, unless the supervisor is stopped.
func (s *Supervisor) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.running.Add(1)
	return true
}

// register makes a process known to Stop. It fails when Stop has begun.
func (s *Supervisor) register(h *host.Host) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.hosts[h] = struct{}{}
	return true
}

func (s *Supervisor) unregister(h *host.Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hosts, h)
}
