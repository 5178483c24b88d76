package executors

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/host"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// Reasons of the give-backs that this package makes, see [engine.GiveBack].
const (
	// ReasonExecutorCrashed is a process that broke with several steps in it, or before it got the step.
	ReasonExecutorCrashed = host.ReasonExecutorCrashed
	// ReasonExecutorUnavailable is a process that could not be started for a step that has to run alone, or a step whose large params
	// could not be written for it.
	ReasonExecutorUnavailable = host.ReasonExecutorUnavailable
	// ReasonHandlerNotFound is a process that no longer serves the handler.
	ReasonHandlerNotFound = wire.ReasonHandlerNotFound
	// ReasonNeighbourTimedOut is a process that was killed because another step in it ran past its timeout.
	ReasonNeighbourTimedOut = host.ReasonNeighbourTimedOut
	// ReasonOverloaded is a process that refused the step because it has enough of them.
	ReasonOverloaded = wire.ReasonOverloaded
	// ReasonShutdown is a cancelled context, or a process that was stopped.
	ReasonShutdown = host.ReasonShutdown
	// ReasonShuttingDown is a process that takes no more steps.
	ReasonShuttingDown = wire.ReasonShuttingDown
)

// unavailableDelay is the rest of a step for which no process could be started.
const unavailableDelay = host.UnavailableDelay

// slot is room in a process.
type slot struct {
	supervisor *Supervisor
	generation *generation
	pool       *pool
	member     *member
	released   atomic.Bool
	// exclusive says that the process has no other step.
	exclusive bool
}

// Execute implements [engine.Slot].
func (s *slot) Execute(ctx context.Context, a *engine.Attempt) engine.Outcome {
	if wantsProcess(a.Handler.Config) {
		// The room is kept until there is a place among such processes: a worker must not hold more of these steps than it can
		// start, when others could run them.
		return s.supervisor.excuse(ctx, a, s.supervisor.applyCrashPolicy(a, s.supervisor.executeIsolated(ctx, s, a)))
	}
	if s.supervisor.quarantine.mustRunAlone(a.Step.ID) {
		s.Release() // the room is not needed, and the wait for a process of its own may be long
		return s.supervisor.excuse(ctx, a, s.supervisor.applyCrashPolicy(a, s.supervisor.executeAlone(ctx, s.generation, s.pool, a)))
	}
	result := s.member.host.Execute(ctx, a, s.supervisor.limits(a))
	s.applyRefusal(result.Outcome.GiveBack)
	return s.supervisor.excuse(ctx, a, s.supervisor.applyCrashPolicy(a, result))
}

// Reuse implements [engine.Slot]. A process that is leaving is not kept.
func (s *slot) Reuse(handler string) bool {
	if s.supervisor.generation() != s.generation {
		return false
	}
	pool, exclusive, err := s.generation.route(handler)
	return err == nil && pool == s.pool && exclusive == s.exclusive && !s.released.Load() && s.pool.reuse(s.member)
}

// Release implements [engine.Slot].
func (s *slot) Release() {
	if !s.released.Swap(true) {
		s.pool.release(s.member)
	}
}

// applyRefusal lowers the capacity or recycles the process, depending on why it refused the step.
func (s *slot) applyRefusal(refused *engine.GiveBack) {
	switch {
	case refused == nil:
	case refused.Reason == ReasonOverloaded:
		s.pool.lowerCapacity(s.member)
	case refused.Reason == ReasonShuttingDown:
		s.pool.requestRecycle(s.member)
	}
}

func (s *Supervisor) limits(a *engine.Attempt) host.Limits {
	return host.Limits{Heartbeat: heartbeatTimeout(a.Handler.Config), Timeout: s.timeout(a)}
}

const heartbeatKey = "heartbeat_timeout_seconds"

// heartbeatTimeout reads the key from a handler's configuration, which nearly never has it. It is the user's own object, so that
// another type of value is none of ours.
func heartbeatTimeout(config json.RawMessage) time.Duration {
	if !bytes.Contains(config, []byte(heartbeatKey)) {
		return 0
	}
	var keys struct {
		Seconds any `json:"heartbeat_timeout_seconds"`
	}
	if json.Unmarshal(config, &keys) != nil {
		return 0
	}
	seconds, _ := keys.Seconds.(float64)
	return time.Duration(min(max(seconds, 0), 365*24*3600) * float64(time.Second))
}

func (s *Supervisor) timeout(a *engine.Attempt) time.Duration {
	if a.Handler.Timeout > 0 {
		return a.Handler.Timeout
	}
	return s.config.StepTimeout
}

// applyCrashPolicy decides between failure and give-back for an execution whose process ended during it.
func (s *Supervisor) applyCrashPolicy(a *engine.Attempt, e host.ExecutionResult) engine.Outcome {
	switch e.Cause {
	case host.EndAnswered:
		if e.Outcome.Kind != engine.OutcomeGivenBack {
			s.quarantine.forget(a.Step.ID)
		}
	case host.EndCrashed:
		s.quarantine.crashed(a.Step.ID)
	case host.EndCrashedShared:
		if !s.quarantine.crashed(a.Step.ID) {
			return engine.Failed(e.Crash)
		}
	case host.EndNeighbourTimedOut:
		s.quarantine.neighbourTimedOut(a.Step.ID)
	case host.EndCancelled, host.EndStopped, host.EndTimedOut, host.EndUndelivered:
	}
	return e.Outcome
}

// executeAlone runs an attempt in a process of its own, one at a time per language.
func (s *Supervisor) executeAlone(ctx context.Context, g *generation, p *pool, a *engine.Attempt) host.ExecutionResult {
	cancelled := host.ExecutionResult{Cause: host.EndCancelled, Outcome: engine.GivenBack(ReasonShutdown, 0)}
	if !s.enter() {
		return cancelled
	}
	defer s.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case p.alone <- struct{}{}:
		defer func() { <-p.alone }()
	case <-ctx.Done():
		return cancelled
	case <-s.life.Done():
		return cancelled
	}
	h, err := s.bootAlone(ctx, g, p.runtime)
	if err != nil {
		return s.isolatedStartFailed(ctx, p, err)
	}
	defer h.Stop(s.force, 0)
	return h.Execute(ctx, a, s.limits(a))
}

// bootAlone gives up when the supervisor stops: a process that is not ready by then would start nothing.
func (s *Supervisor) bootAlone(ctx context.Context, g *generation, r runtime) (*host.Host, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return s.boot(ctx, g, r, string(r.language)+"-alone", 1)
}

func (s *Supervisor) isolatedStartFailed(ctx context.Context, p *pool, err error) host.ExecutionResult {
	if ctx.Err() != nil || s.life.Err() != nil {
		return host.ExecutionResult{Cause: host.EndCancelled, Outcome: engine.GivenBack(ReasonShutdown, 0)}
	}
	s.config.Logger.Error("no process could be started for a step that has to run alone",
		"language", string(p.runtime.language), "error", err)
	return host.ExecutionResult{Cause: host.EndUndelivered, Outcome: engine.GivenBack(ReasonExecutorUnavailable, unavailableDelay)}
}
