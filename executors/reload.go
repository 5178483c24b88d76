package executors

import (
	"context"
	"errors"
	"fmt"
)

// Reload serves the handler files as they are now: it starts new processes, switches to them when they are ready, and
// stops the old ones when the steps in them have ended, which it does not wait for. When a language that was served
// cannot be started, the old processes stay and Reload says why.
func (s *Supervisor) Reload(ctx context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	old := s.generation()
	if old == nil {
		return fmt.Errorf("reloading handlers: %w", errNotRunning)
	}
	g, err := s.newGeneration(old.number + 1)
	if err != nil {
		return fmt.Errorf("reloading handlers: %w", err)
	}
	failed := s.startChildren(ctx, g)
	if err := errors.Join(ctx.Err(), s.life.Err(), worse(g, old, failed), g.errNothingServed()); err != nil {
		s.retire(g)
		return fmt.Errorf("reloading handlers, the old ones stay: %w", err)
	}
	s.warnOfVersions(g)
	s.adopt(g)
	s.retire(old)
	return nil
}

// worse returns an error for each language that the old generation serves and the new one cannot start.
func worse(g, old *generation, failed map[*pool]error) error {
	var faults []error
	for _, problem := range g.broken {
		if old.serves(problem.Language) {
			faults = append(faults, errors.New(problem.Detail()))
		}
	}
	for _, p := range g.pools {
		if err := failed[p]; err != nil && old.serves(p.runtime.language) {
			faults = append(faults, errors.New(bootProblem(p.runtime.language, err).Detail()))
		}
	}
	return errors.Join(faults...)
}

// retire ends a generation. Its processes end when nothing holds room in them.
func (s *Supervisor) retire(g *generation) {
	g.end()
	for _, p := range g.pools {
		for _, m := range p.retire() {
			s.running.Go(func() { s.stopWhenIdle(m) })
		}
	}
}
