package executors

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

const (
	// isolatedMax is the number of steps at once, per language, that have a process of their own.
	isolatedMax = 4
	// isolatedIdle is how long such a process is kept for the next step of the same handler.
	isolatedIdle = time.Minute
)

// isolated is the processes of the handlers with isolation: process. Such a process serves one handler only, one step at a
// time. It is safe for concurrent use.
type isolated struct {
	// slots is a semaphore of the steps that run in processes of their own.
	slots chan struct{}

	// mu protects the fields below.
	mu   sync.Mutex
	idle map[string][]*idleHost
}

// idleHost is a process that waits for its next step. taken is closed by who takes it.
type idleHost struct {
	host  *host.Host
	taken chan struct{}
}

// wantsProcess says whether a handler_config asks for isolation: process. Nearly none does, so it is rarely parsed.
func wantsProcess(config json.RawMessage) bool {
	if !bytes.Contains(config, []byte(`"isolation"`)) {
		return false
	}
	var c struct {
		Isolation string `json:"isolation"`
	}
	return json.Unmarshal(config, &c) == nil && c.Isolation == "process"
}

// executeIsolated runs an attempt in a process that serves nothing but its handler, and gives the slot back when there is a place
// for that.
func (s *Supervisor) executeIsolated(ctx context.Context, from *slot, a *engine.Attempt) host.ExecutionResult {
	g, p := from.generation, from.pool
	cancelled := host.ExecutionResult{Cause: host.EndCancelled, Outcome: engine.GivenBack(ReasonShutdown, 0)}
	if !s.enter() {
		return cancelled
	}
	defer s.running.Done()
	select {
	case p.isolated.slots <- struct{}{}:
		defer func() { <-p.isolated.slots }()
		from.Release()
	case <-ctx.Done():
		return cancelled
	case <-s.life.Done():
		return cancelled
	}
	h := p.isolated.take(a.Handler.Name)
	if h == nil {
		var err error
		if h, err = s.bootAlone(ctx, g, p.runtime); err != nil {
			return s.isolatedStartFailed(ctx, p, err)
		}
	}
	result := h.Execute(ctx, a, s.limits(a))
	if result.Cause != host.EndAnswered || !h.Usable() || s.quarantine.mustRunAlone(a.Step.ID) ||
		s.config.RecycleAfter > 0 && h.Served() >= s.config.RecycleAfter {
		h.Stop(s.force, 0)
		return result
	}
	s.parkIdle(g, p, a.Handler.Name, h)
	return result
}

// parkIdle keeps a process for the next step of its handler, for a while. The caller is counted in s.running.
func (s *Supervisor) parkIdle(g *generation, p *pool, handler string, h *host.Host) {
	i := p.isolated.put(handler, h)
	s.running.Go(func() {
		timer := time.NewTimer(isolatedIdle)
		defer timer.Stop()
		select {
		case <-i.taken:
			return
		case <-timer.C:
		case <-h.Done():
		case <-g.life.Done():
		}
		if p.isolated.drop(handler, i) {
			h.Stop(s.force, 0)
		}
	})
}

func (i *isolated) put(handler string, h *host.Host) *idleHost {
	i.mu.Lock()
	defer i.mu.Unlock()
	idle := &idleHost{host: h, taken: make(chan struct{})}
	i.idle[handler] = append(i.idle[handler], idle)
	return idle
}

// take returns a process of the handler, nil when there is none.
func (i *isolated) take(handler string) *host.Host {
	i.mu.Lock()
	defer i.mu.Unlock()
	for list := i.idle[handler]; len(list) > 0; list = i.idle[handler] {
		last := list[len(list)-1]
		i.removeLocked(handler, last)
		if last.host.Usable() {
			return last.host
		}
	}
	return nil
}

// drop removes a process that no step took, and says whether it did.
func (i *isolated) drop(handler string, dropped *idleHost) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	select {
	case <-dropped.taken:
		return false
	default:
		i.removeLocked(handler, dropped)
		return true
	}
}

func (i *isolated) removeLocked(handler string, removed *idleHost) {
	kept := i.idle[handler][:0]
	for _, idle := range i.idle[handler] {
		if idle != removed {
			kept = append(kept, idle)
		}
	}
	close(removed.taken)
	if i.idle[handler] = kept; len(kept) == 0 {
		delete(i.idle, handler)
	}
}
