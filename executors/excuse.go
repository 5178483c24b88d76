package executors

import (
	"context"
	"regexp"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// A service manager, an init or a terminal sends its stop signal not to the worker alone but to all that it started, so that
// programs, and what handlers started, die of it some moments before or after the worker has seen its own. What fails of it
// is given back: stopping a worker costs no attempt.
const (
	// stopShadow is how long after the signal a failure counts as one of it, whatever it says.
	stopShadow = 2 * time.Second
	// stopAhead is how long a failure that looks like one of a stop signal waits for the worker's own.
	stopAhead = time.Second
)

// ofStopSignal finds the words with which languages and shells say that a process has ended of a stop signal, or 128 and its
// number; Node says of a command only that it failed.
var ofStopSignal = regexp.MustCompile(`\bSIG(TERM|INT|HUP)\b|(?i)\bsignal:? (15|2|1|terminated|interrupt|hangup)\b|` +
	`\b(exit|status|code)\D{0,12}(143|130|129)\b|\bcommand failed\b`)

// watchStop records when the worker gets its stop signal.
func (s *Supervisor) watchStop() {
	select {
	case <-s.config.Stopping:
	case <-s.life.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopSeen = time.Now()
}

// excuse gives an attempt back that failed because the stop signal of this worker did not only go to the worker.
func (s *Supervisor) excuse(ctx context.Context, a *engine.Attempt, o engine.Outcome) engine.Outcome {
	f := o.Failure
	if o.Kind != engine.OutcomeFailed || f == nil || f.Permanent || f.Class == engine.ClassTimeout {
		return o
	}
	if !s.stops(ctx, ofStopSignal.MatchString(f.Class+" "+f.Message)) {
		return o
	}
	if s.config.AttemptLog != nil {
		s.config.AttemptLog.Append(a, engine.LogLine{
			At: time.Now(), Level: "warn", Stream: "worker",
			Message: "the attempt is given back, for it failed while the worker was told to stop: " + f.Message,
		})
	}
	return engine.GivenBack(ReasonShutdown, 0)
}

// stops says whether the worker got a stop signal a moment ago or, for a failure that looks like one of a stop signal, at any time
// or within a moment.
func (s *Supervisor) stops(ctx context.Context, looksLikeIt bool) bool {
	s.mu.RLock()
	seen := s.stopSeen
	s.mu.RUnlock()
	switch {
	case !seen.IsZero():
		return looksLikeIt || time.Since(seen) < s.timing.shadow
	case !looksLikeIt:
		return false
	}
	timer := time.NewTimer(s.timing.ahead)
	defer timer.Stop()
	select {
	case <-s.config.Stopping:
		return true
	case <-s.life.Done():
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
