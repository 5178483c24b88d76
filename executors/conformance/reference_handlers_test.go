package conformance

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
)

// refHandler is a fixture of the reference host.
type refHandler func(*refStep) (any, error)

// refHandlers are the fixtures by their names without Fixtures::.
func refHandlers() map[string]refHandler {
	return map[string]refHandler{
		"AsyncWaitForCancel": refWait,
		"Busy":               refBusy,
		"Callback":           refCallback,
		"CallbackInLoop":     refCallbackInLoop,
		"ChildFds":           refChildFds,
		"CloseStdio":         refCloseStdio,
		"CurrentStep":        refCurrentStep,
		"DeepCause":          refDeepCause,
		"Defer":              func(*refStep) (any, error) { return nil, errDeferred },
		"Echo":               refEcho,
		"Exclusive":          refGate,
		"FailPermanent":      refFailPermanent,
		"FailRetryable":      refFailRetryable,
		"FailUnknown":        refFailUnknown,
		"Flood":              refFlood,
		"Gate":               refGate,
		"HardExit":           refHardExit,
		"Heartbeat":          refHeartbeat,
		"Hostile":            refHostile,
		"KillSelf":           refKillSelf,
		"LeaseThenEffect":    refLeaseThenEffect,
		"LeaveChild":         refLeaveChild,
		"LogInjection":       refLogInjection,
		"LogMessage":         refLogMessage,
		"Noise":              refNoise,
		"Pollute":            refPollute,
		"Returns":            refReturns,
		"Surroundings":       refSurroundings,
		"WaitForCancel":      refWait,
	}
}

func refEcho(s *refStep) (any, error) {
	var c struct {
		Value json.RawMessage `json:"value"`
	}
	err := json.Unmarshal(s.params.Task.Context, &c)
	if s.host.is("echo") {
		c.Value = json.RawMessage(strings.ToUpper(string(c.Value)))
	}
	if s.host.is("rounds") {
		var value any
		err = errors.Join(err, json.Unmarshal(c.Value, &value))
		return value, err
	}
	return c.Value, err
}

func refGate(s *refStep) (any, error) {
	read := make(chan []byte, 1)
	if s.host.is("blocked by a step") {
		s.host.mu.Lock()
	}
	go func() {
		content, _ := os.ReadFile(s.text("path"))
		read <- content
	}()
	if s.host.is("answers what runs") || s.host.is("cancels all") {
		select {
		case <-s.cancelled:
			return nil, errCancelled
		case content := <-read:
			return string(content), nil
		}
	}
	return string(<-read), nil
}

func refCurrentStep(s *refStep) (any, error) {
	_, err := refGate(s)
	return s.current().text("name"), err
}

// current is the step that the handler believes to run.
func (s *refStep) current() *refStep {
	if !s.host.is("mixes steps up") {
		return s
	}
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	for _, other := range s.host.running {
		if other != s {
			return other
		}
	}
	return &refStep{}
}

func refBusy(s *refStep) (any, error) {
	if err := os.WriteFile(s.text("path"), []byte("started"), 0); err != nil {
		return nil, err
	}
	for x := 0; ; x++ {
		if x < 0 {
			return nil, nil
		}
	}
}

func refWait(s *refStep) (any, error) {
	if path := s.text("path"); path != "" {
		if err := os.WriteFile(path, []byte("started"), 0); err != nil {
			return nil, err
		}
	}
	<-s.cancelled
	return nil, errCancelled
}
