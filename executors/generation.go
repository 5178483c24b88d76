package executors

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

// generation is everything that was started for one state of the handler files. A reload makes a new one.
type generation struct {
	number int
	// life ends when the generation is retired: no process is started for it after that.
	life context.Context
	end  context.CancelFunc
	// pools are in the order of the languages; broken are the languages that cannot be started at all.
	pools  []*pool
	broken []Problem
	// programs says that the folder has programs for steps with a command.
	commands bool
	// changed is called when the table is another.
	changed func()

	// mu protects the fields below.
	mu    sync.RWMutex
	table routingTable
	// stuck are the files that did not finish loading, or threw soon after, by language.
	stuck map[Language][]stuckFile
}

// newGeneration looks at the folder and starts nothing.
func (s *Supervisor) newGeneration(number int) (*generation, error) {
	g := &generation{
		changed: s.change.happened, number: number, commands: len(commandsIn(s.config.Dir)) > 0, stuck: make(map[Language][]stuckFile),
	}
	g.life, g.end = context.WithCancel(s.life)
	for _, r := range runtimes() {
		found, err := hasHandlerFiles(filepath.Join(s.config.Dir, string(r.language)), r.extensions)
		if err != nil {
			g.end()
			return nil, err
		}
		if !found && s.appRoot(r) == "" { // an app may have handlers of its own
			continue
		}
		if _, err := s.launch(r, s.hostsDir()); err != nil {
			g.broken = append(g.broken, Problem{Language: r.language, Message: err.Error()})
			continue
		}
		g.pools = append(g.pools, newPool(r, s.config.RecycleAfter, s.change.happened))
	}
	g.refresh()
	return g, nil
}

// refresh makes the table from the latest handshakes.
func (g *generation) refresh() {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := routingTable{
		problems: append([]Problem(nil), g.broken...), exclusive: make(map[string]bool), names: make(map[*pool]names),
		routes: make(map[string]*pool),
	}
	for _, p := range g.pools {
		if shake, _ := p.state(); shake != nil {
			t.add(p, shake)
		}
	}
	t.sort()
	g.table = t
	g.changed()
}

// route returns the pool that serves a name, and whether its steps run alone in their process.
func (g *generation) route(handler string) (*pool, bool, error) {
	g.mu.RLock()
	p, exclusive := g.table.routes[handler], g.table.exclusive[handler]
	failed := len(g.table.problems)
	g.mu.RUnlock()
	if p != nil {
		return p, exclusive, nil
	}
	if down := g.down(); len(down) > 0 {
		return nil, false, fmt.Errorf("handler %s: %w: %s", handler, engine.ErrExecutorUnavailable, down[0])
	}
	if failed > 0 {
		return nil, false, fmt.Errorf("handler %s: %w (%d problems were found at start, maybe it is one of them)",
			handler, engine.ErrHandlerNotServed, failed)
	}
	return nil, false, fmt.Errorf("handler %s: %w", handler, engine.ErrHandlerNotServed)
}

// down are the languages of which it is unknown what they serve, because none of their processes has ever been ready.
func (g *generation) down() []Problem {
	down := append([]Problem(nil), g.broken...)
	for _, p := range g.pools {
		shake, err := p.state()
		if shake == nil && err != nil {
			down = append(down, bootProblem(p.runtime.language, err))
		}
	}
	return down
}

// problems are those of the table and the boots that have failed since.
func (g *generation) problems() []Problem {
	g.mu.RLock()
	problems := append([]Problem(nil), g.table.problems...)
	g.mu.RUnlock()
	for _, p := range g.pools {
		if _, err := p.state(); err != nil {
			problems = append(problems, bootProblem(p.runtime.language, err))
		}
		if open := p.circuit.problem(p.runtime.language); open != nil {
			problems = append(problems, *open)
		}
	}
	if len(g.pools) == 0 && len(g.broken) == 0 && !g.commands {
		problems = append(problems, Problem{Message: "no handler files in ruby/, python/ or node/ of the executors folder"})
	}
	return problems
}

// serves says whether a process of the language has been ready.
func (g *generation) serves(language Language) bool {
	for _, p := range g.pools {
		if shake, _ := p.state(); shake != nil && p.runtime.language == language {
			return true
		}
	}
	return false
}

func bootProblem(language Language, err error) Problem {
	problem := Problem{Language: language, Message: err.Error()}
	if boot, ok := errors.AsType[*host.BootError](err); ok {
		problem.Traceback = boot.Tail
	}
	return problem
}

// errNothingServed returns an error when there are handler files, or an app, and no handler is served.
func (g *generation) errNothingServed() error {
	g.mu.RLock()
	served := len(g.table.handlers)
	g.mu.RUnlock()
	if served > 0 || len(g.pools)+len(g.broken) == 0 {
		return nil
	}
	faults := []error{errors.New("there are handler files or an app, but no handler can be served")}
	for _, problem := range g.problems() {
		faults = append(faults, errors.New(problem.Detail()))
	}
	return errors.Join(faults...)
}
