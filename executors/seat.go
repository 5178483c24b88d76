package executors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

const (
	// backoffMax is the longest delay before a restart.
	backoffMax = 30 * time.Second
	// backoffShiftMax keeps the doubling below from overflowing.
	backoffShiftMax = 5
	// settledAfter is the age at which a process that served nothing still counts as one that worked.
	settledAfter = time.Minute
)

// seat keeps one process of a pool running, for the life of its generation.
type seat struct {
	supervisor *Supervisor
	generation *generation
	pool       *pool
	id         string
	// first gets the result of the first boot.
	first chan error
	// failures counts the crashes and failed boots since a process of the seat last worked.
	failures int
}

// run owns the seat. Processes that it leaves behind are drained by whoever retires the generation.
func (s *seat) run() {
	var old *member
	for {
		m := s.fill()
		if m == nil {
			return
		}
		if old != nil {
			s.supervisor.drain(s.pool, old)
		}
		old = s.keep(m)
	}
}

// fill boots until a process is ready. It returns nil when the generation ends.
func (s *seat) fill() *member {
	for s.pause() {
		h, err := s.supervisor.boot(s.generation.life, s.generation, s.pool.runtime, s.id, s.supervisor.steps(s.pool.runtime))
		if err != nil {
			s.failed(err)
			continue
		}
		m := s.pool.add(h)
		if m == nil {
			h.Stop(s.supervisor.force, 0)
			return nil
		}
		s.generation.refresh()
		s.report(nil)
		return m
	}
	s.report(s.generation.life.Err())
	return nil
}

func (s *seat) failed(err error) {
	s.failures++
	if s.generation.life.Err() == nil {
		s.pool.noteBootFailure(err)
		s.supervisor.config.Logger.Error("handler process could not be started", "executor", s.id, "error", err)
	}
	s.report(err)
}

func (s *seat) report(err error) {
	select {
	case s.first <- err:
	default: // the first result is there already
	}
}

// keep waits while the process serves. It returns the process if that still serves and should be replaced.
func (s *seat) keep(m *member) *member {
	began := time.Now()
	select {
	case <-m.host.Done():
		s.pool.remove(m)
		s.count(m.host, time.Since(began))
		return nil
	case <-m.worn:
		return m
	}
}

// count keeps the number of crashes in a row.
func (s *seat) count(h *host.Host, age time.Duration) {
	if h.Served() > 0 || age > settledAfter {
		s.failures = 0
	}
	if h.Death().IsCrash() {
		s.failures++
	}
}

// pause waits for the next boot and says whether there is to be one.
func (s *seat) pause() bool {
	timer := time.NewTimer(backoff(s.failures, s.supervisor.timing.backoff))
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.generation.life.Err() == nil
	case <-s.generation.life.Done():
		return false
	}
}

// backoff is the delay after so many failures in a row: none after the first, then unit, doubled each time, up to 30
// seconds. A fifth is random, so that workers on one machine do not boot together.
func backoff(failures int, unit time.Duration) time.Duration {
	if failures < 2 {
		return 0
	}
	delay := min(unit<<min(failures-2, backoffShiftMax), backoffMax)
	return delay - time.Duration(rand.Int64N(int64(delay)/5+1)) //nolint:gosec // spread, not secrecy
}

// drain takes a process out of its pool and stops it when nothing holds room in it any more.
func (s *Supervisor) drain(p *pool, m *member) {
	p.remove(m)
	s.running.Go(func() { s.stopWhenIdle(m) })
}

func (s *Supervisor) stopWhenIdle(m *member) {
	select {
	case <-m.idle:
	case <-m.host.Done():
	case <-s.life.Done():
	}
	m.host.Stop(s.force, s.config.ShutdownGrace)
}

// startSeats fills every seat of a generation and waits for the first result of each. It returns what failed, by pool.
func (s *Supervisor) startSeats(ctx context.Context, g *generation) map[*pool]error {
	var seats []*seat
	for _, p := range g.pools {
		for i := range s.config.Processes {
			seat := &seat{
				first: make(chan error, 1), generation: g, id: fmt.Sprintf("%s-%d", p.runtime.language, i+1), pool: p, supervisor: s,
			}
			seats = append(seats, seat)
			s.running.Go(seat.run)
		}
	}
	failed := make(map[*pool]error)
	for _, seat := range seats {
		select {
		case err := <-seat.first:
			if err != nil {
				failed[seat.pool] = err
			}
		case <-ctx.Done():
			failed[seat.pool] = ctx.Err()
		}
	}
	return failed
}
