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
	// healthyAfter is the age at which a process that served nothing still counts as one that worked.
	healthyAfter = time.Minute
	// circuitCloseAfter is the age at which a process closes an open circuit.
	circuitCloseAfter = 5 * time.Second
)

// child keeps one process of a pool running while its generation is current.
type child struct {
	supervisor *Supervisor
	generation *generation
	pool       *pool
	id         string
	// first gets the result of the first boot.
	first chan error
	// failures counts the crashes and failed boots since a process of the child last worked.
	failures int
}

// run starts and restarts the process until the generation is retired, which also drains the process.
func (s *child) run() {
	var old *member
	for {
		m := s.startUntilReady()
		if m == nil {
			return
		}
		if old != nil {
			s.supervisor.drain(s.pool, old)
		}
		old = s.monitor(m)
	}
}

// startUntilReady boots until a process is ready. It returns nil when the generation ends.
func (s *child) startUntilReady() *member {
	for s.waitToRestart() {
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

func (s *child) failed(err error) {
	s.failures++
	if s.generation.life.Err() == nil {
		s.pool.noteBootFailure(err)
		s.recordCrash()
		s.supervisor.config.Logger.Error("handler process could not be started", "executor", s.id, "error", err)
	}
	s.report(err)
}

func (s *child) report(err error) {
	select {
	case s.first <- err:
	default: // the first result is there already
	}
}

// monitor waits while the process serves. It returns the process if it should be recycled and still serves.
func (s *child) monitor(m *member) *member {
	began := time.Now()
	old, again := s.maxAgeTimer(), s.stuckFileTimer()
	settled := time.After(s.supervisor.timing.healthy)
	for {
		select {
		case <-m.host.Done():
			s.pool.remove(m)
			s.count(m.host, time.Since(began))
			return nil
		case <-m.recycleDue:
			return m
		case <-settled:
			s.recordSuccess()
		case <-old:
			s.recycle(m, "is old")
		case <-again:
			s.generation.retryThrown(s.pool.runtime.language)
			s.recycle(m, "leaves out files that may be loaded again")
		case notice := <-m.host.Notices():
			s.handleNotice(m, notice)
		}
	}
}

// maxAgeTimer fires when a process that starts now is to be recycled for its age, never without such an age. The ages differ by up to a
// fifth, so that the processes of a worker are not replaced together.
func (s *child) maxAgeTimer() <-chan time.Time {
	age := s.supervisor.config.RecycleAge
	if age == 0 {
		return nil
	}
	spread := int64(age) / 5
	return time.After(age - time.Duration(spread) + time.Duration(rand.Int64N(2*spread+1))) //nolint:gosec // spread, not secrecy
}

// stuckFileTimer fires when files that threw something after they were loaded are tried again, never without such files.
func (s *child) stuckFileTimer() <-chan time.Time {
	if !s.generation.hasThrown(s.pool.runtime.language) {
		return nil
	}
	return time.After(s.supervisor.timing.stuck)
}

func (s *child) handleNotice(m *member, n host.Notice) {
	if n.Stuck != nil {
		s.generation.leaveOut(s.pool.runtime.language, stuckFile{LoadError: *n.Stuck, thrown: true})
	}
	if n.Credit > 0 {
		s.pool.setCapacity(m, n.Credit)
	}
	if n.Recycle != "" {
		s.recycle(m, n.Recycle)
	}
}

// recycle has the process replaced: the new one is ready before the old one gets no more steps.
func (s *child) recycle(m *member, why string) {
	s.supervisor.config.Logger.Info("handler process is replaced", "executor", s.id, "pid", m.host.PID(), "reason", why)
	s.pool.requestRecycle(m)
}

// recordCrash logs it when this crash opened the circuit.
func (s *child) recordCrash() {
	if s.pool.circuit.recordCrash(time.Now()) {
		s.supervisor.config.Logger.Error("circuit opened after repeated crashes: steps wait while one process at a time is started",
			"language", string(s.pool.runtime.language), "crashes", circuitCrashes, "every", s.supervisor.timing.probe)
	}
}

// recordSuccess logs it when the circuit has closed.
func (s *child) recordSuccess() {
	if s.pool.circuit.close() {
		s.supervisor.config.Logger.Info("handler processes work again", "language", string(s.pool.runtime.language))
	}
}

// count keeps the number of crashes in a row.
func (s *child) count(h *host.Host, age time.Duration) {
	if h.Served() > 0 || age > healthyAfter {
		s.failures = 0
	}
	if h.ExitCause().IsCrash() {
		s.failures++
		s.recordCrash()
	}
}

// waitToRestart waits until the next boot is due. It returns false when the generation has ended.
func (s *child) waitToRestart() bool {
	delay := backoff(s.failures, s.supervisor.timing.backoff)
	for {
		wait, probing := s.pool.circuit.mayStart(s)
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

func (s *child) sleep(delay time.Duration) bool {
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

// drain takes a process out of its pool and stops it when all its slots are free.
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

// startChildren starts every child of a generation and waits for the first result of each. It returns the failures by pool.
func (s *Supervisor) startChildren(ctx context.Context, g *generation) map[*pool]error {
	var children []*child
	for _, p := range g.pools {
		for i := range s.config.Processes {
			c := &child{
				first: make(chan error, 1), generation: g, id: fmt.Sprintf("%s-%d", p.runtime.language, i+1), pool: p, supervisor: s,
			}
			children = append(children, c)
			s.running.Go(c.run)
		}
	}
	failed := make(map[*pool]error)
	for _, c := range children {
		select {
		case err := <-c.first:
			if err != nil {
				failed[c.pool] = err
			}
		case <-ctx.Done():
			failed[c.pool] = ctx.Err()
		}
	}
	return failed
}
