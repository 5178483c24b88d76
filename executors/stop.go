package executors

import (
	"context"
	"fmt"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

// Stop ends every process: it lets running steps finish for the shutdown grace, then closes their requests, then sends
// SIGTERM and at last SIGKILL. When ctx ends, it kills at once. What still ran is given back. When Stop returns, no
// process is left and the scratch folder is gone. It may be called more than once, before Start too; every call returns
// when the end is reached.
func (s *Supervisor) Stop(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.useForce)()
	s.endLife()
	s.changing.Lock()
	defer s.changing.Unlock()
	select {
	case <-s.ended:
		return nil
	default:
	}
	defer close(s.ended)
	s.stopAll()
	s.running.Wait()
	s.useForce()
	if s.starter != nil {
		s.starter.Close()
	}
	if s.guardian != nil {
		s.guardian.Close() // which ends what the processes have left behind
	}
	if err := s.scratch.Remove(); err != nil {
		return fmt.Errorf("removing the scratch folder: %w", err)
	}
	return nil
}

// stopAll refuses the callers that wait and stops every process that is registered; none can be registered after.
func (s *Supervisor) stopAll() {
	s.mu.Lock()
	s.stopped = true
	g := s.current
	hosts := make([]*host.Host, 0, len(s.hosts))
	for h := range s.hosts {
		hosts = append(hosts, h)
	}
	s.mu.Unlock()
	for _, h := range hosts {
		s.running.Go(func() { h.Stop(s.force, s.config.ShutdownGrace) })
	}
	if g != nil {
		s.retire(g)
	}
}
