package conformance

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// refStep is one execution.
type refStep struct {
	host      *reference
	id        string
	params    refParams
	started   time.Time
	cancelled chan struct{}
	once      sync.Once
	lost      bool
}

type refParams struct {
	ExecutionID string `json:"execution_id"`
	ScratchDir  string `json:"scratch_dir"`
	ParamsFile  *payloadFile
	Step        map[string]json.RawMessage `json:"step"`
	Task        struct {
		ID      string          `json:"id"`
		Context json.RawMessage `json:"context"`
	} `json:"task"`
	Handler struct {
		Name   string         `json:"name"`
		Config map[string]any `json:"config"`
	} `json:"handler"`
}

func (r *reference) execute(id any, raw json.RawMessage) {
	var p refParams
	var byFile struct {
		File *payloadFile `json:"params_file"`
	}
	err := json.Unmarshal(raw, &p)
	_ = json.Unmarshal(raw, &byFile)
	if byFile.File != nil && !r.is("no params file") {
		content, readErr := os.ReadFile(filepath.Join(p.ScratchDir, byFile.File.Path))
		err = errors.Join(err, readErr, json.Unmarshal(content, &p))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	name := p.Handler.Name
	if r.is("tidies names") {
		name = strings.Trim(name, " :\x00")
	}
	handler := r.handlers[strings.TrimPrefix(name, "Fixtures::")]
	r.large = r.large || len(raw) > 100_000
	switch {
	case !r.ready:
		go r.refuse(id, -32001, "not_initialized", nil)
	case err != nil || p.ExecutionID == "" || p.Handler.Name == "":
		go r.refuse(id, -32602, "bad params", nil)
	case r.draining:
		go r.refuse(id, -32006, "shutting_down", nil)
	case r.running[p.ExecutionID] != nil:
		go r.refuse(id, -32009, "duplicate_execution", nil)
	case handler == nil || !strings.HasPrefix(name, "Fixtures::"):
		go r.refuse(id, -32003, "handler_not_found", object{"name": p.Handler.Name})
	case len(r.running) >= r.limits["max_concurrency"] || r.mustWaitLocked(p.Handler.Name):
		go r.refuse(id, -32005, "overloaded", nil)
	default:
		s := &refStep{host: r, id: p.ExecutionID, params: p, started: time.Now(), cancelled: make(chan struct{})}
		if r.is("late cancels") && r.late[s.id] {
			s.once.Do(func() { close(s.cancelled) })
		}
		r.running[s.id] = s
		r.waited.Add(1)
		if r.is("one at a time") {
			s.run(id, handler)
			return
		}
		go s.run(id, handler)
	}
}

// mustWaitLocked says whether the handler, or one that runs, wants the process for itself.
func (r *reference) mustWaitLocked(name string) bool {
	const alone = "Fixtures::Exclusive"
	for _, s := range r.running {
		if name == alone && !r.is("exclusive beside others") || s.params.Handler.Name == alone && !r.is("others beside exclusive") {
			return true
		}
	}
	return false
}

var (
	errCancelled = errors.New("cancelled")
	errDeferred  = errors.New("deferred")
)

func (s *refStep) run(id any, handler refHandler) {
	r := s.host
	defer r.waited.Done()
	if r.is("beats by itself") {
		s.beat()
	}
	value, err := handler(s)
	if r.is("late cancels") && s.isCancelled() {
		err = errCancelled
	}
	answer := s.answer(value, err)
	if r.is("one at a time") {
		delete(r.running, s.id)
	} else {
		r.mu.Lock()
		delete(r.running, s.id)
		r.mu.Unlock()
	}
	messages := []object{{"id": id, "result": answer}}
	if answer["outcome"] == "cancelled" && r.is("answers twice") {
		messages = append(messages, messages[0])
	}
	if r.is("beats after") && s.params.Handler.Name == "Fixtures::Heartbeat" {
		messages = append(messages, object{"method": "step.heartbeat", "params": object{"execution_id": s.id}})
	}
	r.send(messages...)
}

func (s *refStep) answer(value any, err error) object {
	var f *refError
	switch {
	case errors.Is(err, errCancelled):
		return object{"outcome": "cancelled"}
	case errors.Is(err, errDeferred):
		ms := 5000
		if s.host.is("defer") {
			ms = 5
		}
		return object{"outcome": "deferred", "resume_after_ms": ms, "checkpoint": object{"page": 3}}
	case errors.As(err, &f):
		return object{"outcome": "failure", "failure": f.fields}
	case err != nil:
		return failed(object{"kind": "retryable", "class": "error", "message": err.Error()})
	}
	return s.success(value)
}

func (s *refStep) isCancelled() bool {
	select {
	case <-s.cancelled:
		return true
	default:
		return false
	}
}

// text is a member of the handler's config.
func (s *refStep) text(name string) string {
	text, _ := s.params.Handler.Config[name].(string)
	return text
}
