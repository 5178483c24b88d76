package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// refReply is the worker's answer to a callback.
type refReply struct {
	Result json.RawMessage
	Error  *rpcError
}

func (r *reference) resolve(id string, reply refReply) {
	r.mu.Lock()
	if r.is("answers calls in their order") {
		id = r.oldestCallLocked()
	}
	c := r.waiting[id]
	delete(r.waiting, id)
	r.mu.Unlock()
	if c != nil {
		c <- reply
	} else if r.is("answers strays") {
		r.send(object{"id": id, "result": object{}})
	}
}

// oldestCallLocked is the id of the callback that waits longest.
func (r *reference) oldestCallLocked() string {
	for i := range r.calls {
		if id := "x" + strconv.Itoa(i+1); r.waiting[id] != nil {
			return id
		}
	}
	return ""
}

// call is a callback to the worker.
func (s *refStep) call(method string, params object) (json.RawMessage, error) {
	r := s.host
	r.mu.Lock()
	allowed := r.is("sends what is not offered")
	for _, o := range r.offered {
		allowed = allowed || o == method
	}
	r.calls++
	id, c := "x"+strconv.Itoa(r.calls), make(chan refReply, 1)
	r.waiting[id] = c
	lost := s.lost
	r.mu.Unlock()
	if !allowed {
		return nil, fail(object{"kind": "permanent", "class": "Tasker::NotPermitted", "message": method + " is not offered by the worker"})
	}
	if lost && !r.is("effects after a lost lease") {
		return nil, errors.New("LeaseLost")
	}
	params["execution_id"] = s.id
	if r.is("wrong execution") {
		params["execution_id"] = "another"
	}
	r.send(object{"id": id, "method": method, "params": params})
	cancelled := s.cancelled
	if r.is("uncancellable calls") {
		cancelled = nil
	}
	select {
	case reply := <-c:
		if reply.Error != nil && reply.Error.Code == -32020 {
			s.lost = true
			return nil, errors.New("LeaseLost")
		}
		return reply.Result, nil
	case <-cancelled:
		return nil, errCancelled
	}
}

func refCallback(s *refStep) (any, error) {
	params := map[string]object{
		"step.save_checkpoint": {"checkpoint": object{"page": 3}}, "step.publish_event": {"name": "paid", "payload": object{}},
		"step.spawn":   {"steps": []object{{"name": "more", "handler": "Fixtures::Echo"}}},
		"tasks.create": {"namespace": "n", "name": "t", "version": "1.0.0", "context": object{}},
		"secrets.get":  {"name": "key"}, "step.lease": {},
	}[s.text("method")]
	if s.host.is("drops params") {
		params = object{}
	}
	result, err := s.call(s.text("method"), params)
	if err != nil || s.text("method") != "secrets.get" {
		return result, err
	}
	var secret struct {
		Value string `json:"value"`
	}
	err = json.Unmarshal(result, &secret)
	if s.host.is("logs secrets") {
		s.log("got "+secret.Value, nil)
	}
	return secret.Value, err
}

func refCallbackInLoop(s *refStep) (any, error) {
	if s.host.is("blocks the loop") {
		return s.call("step.lease", object{})
	}
	return nil, errors.New("a blocking call on the event loop")
}

func refLeaseThenEffect(s *refStep) (any, error) {
	_, first := s.call("step.lease", object{})
	_, second := s.call("step.publish_event", object{"name": "paid", "payload": object{}})
	return []string{fmt.Sprint(first), fmt.Sprint(second)}, nil
}
