package conformance

import (
	"errors"
	"os"
)

// The fixtures that fail.

func refFailRetryable(s *refStep) (any, error) {
	fields := object{"kind": "retryable", "class": "Tasker::RetryableError", "message": "try later", "details": object{"why": "busy"}}
	if seconds, ok := s.params.Handler.Config["seconds"].(float64); ok && seconds >= 0 {
		fields["retry_after_ms"] = int64(seconds * 1000)
	}
	if s.host.is("retry after in seconds") {
		fields["retry_after_ms"] = 60
	}
	return nil, fail(fields)
}

func refFailPermanent(s *refStep) (any, error) {
	kind := "permanent"
	if s.host.is("permanent is retried") {
		kind = "retryable"
	}
	return nil, fail(object{"kind": kind, "class": "Tasker::PermanentError", "message": "never", "code": "NO_FUNDS", "details": object{"card": 1}})
}

func refFailUnknown(s *refStep) (any, error) {
	if s.host.is("unknown is permanent") {
		return nil, fail(object{"kind": "permanent", "class": "error", "message": "unexpected"})
	}
	return nil, errors.New("unexpected")
}

func refDeepCause(s *refStep) (any, error) {
	var cause object
	depth := 6
	if s.host.is("endless causes") {
		depth = 20
	}
	for range depth {
		cause = object{"kind": "retryable", "class": "error", "message": "cause", "cause": cause}
	}
	return nil, fail(cause)
}

func refHostile(s *refStep) (any, error) {
	if s.host.is("dies of hostile errors") {
		os.Exit(70)
	}
	return nil, errors.New("an error that says nothing")
}
