package conformance

import (
	"fmt"
	"strings"
	"time"
)

// What the reference host says of a step without being asked: log records and heartbeats.

func (s *refStep) log(message string, attrs object) {
	if len(message) > 16<<10 && !s.host.is("long logs") {
		message = message[:8000] + fmt.Sprintf(" (cut: %d bytes)", len(message))
	}
	lines := []string{message}
	if s.host.is("split logs") {
		lines = strings.Split(message, "\n")
	}
	for _, l := range lines {
		s.host.send(object{"method": "log", "params": object{
			"level": "info", "message": l, "ts": time.Now().UTC().Format(time.RFC3339Nano),
			"execution_id": s.id, "attrs": attrs,
		}})
	}
}

func refLogMessage(s *refStep) (any, error) {
	n, _ := s.params.Handler.Config["bytes"].(float64)
	s.log(strings.Repeat("x", int(n)), object{"amount": 12})
	return "logged", nil
}

func refLogInjection(s *refStep) (any, error) {
	s.log("first\n{\"forged\":true}", nil)
	return nil, nil
}

func refHeartbeat(s *refStep) (any, error) {
	if !s.host.is("no heartbeat") {
		s.beat()
	}
	return nil, nil
}

func (s *refStep) beat() {
	s.host.send(object{"method": "step.heartbeat", "params": object{"execution_id": s.id, "progress": 0.5, "message": "half"}})
}
