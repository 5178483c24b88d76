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
	// probedAfter is the age at which a process closes an open circuit.
	probedAfter = 5 * time.Second
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
		s.crashed()
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
	old, again := s.retirement(), s.secondChance()
	settled := time.After(s.supervisor.timing.settled)
	for {
		select {
		case <-m.host.Done():
			s.pool.remove(m)
			s.count(m.host, time.Since(began))
			return nil
		case <-m.worn:
			return m
		case <-settled:
			s.worked()
		case <-old:
			s.recycle(m, "is old")
		case <-again:
			s.generation.retryThrown(s.pool.runtime.language)
			s.recycle(m, "leaves out files that may be loaded again")
		case notice := <-m.host.Notices():
			s.heed(m, notice)
		}
	}
}

// retirement is when a process that starts now is old; it never comes when there is no such age. The ages differ by up to a
// fifth, so that the processes of a worker are not replaced together.
func (s *seat) retirement() <-chan time.Time {
	age := s.supervisor.config.RecycleAge
	if age == 0 {
		return nil
	}
	spread := int64(age) / 5
	return time.After(age - time.Duration(spread) + time.Duration(rand.Int64N(2*spread+1))) //nolint:gosec // spread, not secrecy
}

// secondChance is when files that threw something after they were loaded are tried again; it never comes when there are none.
func (s *seat) secondChance() <-chan time.Time {
	if !s.generation.hasThrown(s.pool.runtime.language) {
		return nil
	}
	return time.After(s.supervisor.timing.stuck)
}

func (s *seat) heed(m *member, n host.Notice) {
	if n.Stuck != nil {
		s.generation.leaveOut(s.pool.runtime.language, stuckFile{LoadError: *n.Stuck, thrown: true})
	}
	if n.Credit > 0 {
		s.pool.setCredit(m, n.Credit)
	}
	if n.Recycle != "" {
		s.recycle(m, n.Recycle)
	}
}

// recycle has the process replaced: the new one is ready before the old one gets no more steps.
func (s *seat) recycle(m *member, why string) {
	s.supervisor.config.Logger.Info("handler process is replaced", "executor", s.id, "pid", m.host.PID(), "reason", why)
	s.pool.wear(m)
}

// crashed says once that the circuit has opened.
func (s *seat) crashed() {
	if s.pool.circuit.crashed(time.Now()) {
		s.supervisor.config.Logger.Error("handler processes crash over and over: steps wait, and one process at a time is tried",
			"language", string(s.pool.runtime.language), "crashes", circuitCrashes, "every", s.supervisor.timing.probe)
	}
}

// worked says once that the circuit has closed.
func (s *seat) worked() {
	if s.pool.circuit.worked() {
		s.supervisor.config.Logger.Info("handler processes work again", "language", string(s.pool.runtime.language))
	}
}

// count keeps the number of crashes in a row.
func (s *seat) count(h *host.Host, age time.Duration) {
	if h.Served() > 0 || age > settledAfter {
		s.failures = 0
	}
	if h.Death().IsCrash() {
		s.failures++
		s.crashed()
	}
}

// pause waits for the next boot and says whether there is to be one.
func (s *seat) pause() bool {
	delay := backoff(s.failures, s.supervisor.timing.backoff)
	for {
		wait, probing := s.pool.circuit.probe(s)
		if wait == nil && !probing {
			return s.sleep(delay)
		}
		if probing {
			return s.sleep(max(delay, s.supervisor.timing.probe))
		}
		select {
		case <-wait:
		case <-s.generation.life.Done():
			return false
		}
	}
}

func (s *seat) sleep(delay time.Duration) bool {
	timer := time.NewTimer(delay)
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
