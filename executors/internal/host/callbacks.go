package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// Bounds of what handlers ask for.
const (
	// servingMax is how many requests of one process are served at once. More are sent away, so that the reader never waits.
	callbackSlotsMax = 16
	// serveTimeout bounds one request.
	callbackTimeout = 10 * time.Second
	// askedBurst and askedPerSecond bound the requests of one execution.
	callbackBurst      = 100
	callbacksPerSecond = 50
	retrySoon          = 100 * time.Millisecond
)

// callbackState counts and keeps the callbacks of an execution. Host.mu protects it.
type callbackState struct {
	// used is the part of the burst that is used up, as of at.
	used float64
	at   time.Time
	// published numbers the events, buffered are those that go with the result.
	published int
	// publishedNow counts the events that did not wait for the result.
	publishedNow int
	buffered     []engine.Event
	checkpointed bool
	// spawned are the steps that are added with the result, each name once.
	spawned []engine.SpawnedStep
}

// allow takes one request into account, unless there were too many.
func (a *callbackState) allow(now time.Time) bool {
	a.used = max(0, a.used-now.Sub(a.at).Seconds()*callbacksPerSecond)
	a.at = now
	if a.used >= callbackBurst {
		return false
	}
	a.used++
	return true
}

// callback answers one kind of request. It returns the result to send.
type callback func(ctx context.Context, h *Host, c *call, params json.RawMessage) (any, error)

// callbackMethods maps methods to callbacks.
func (o *Options) callbackMethods() map[string]callback {
	all := make(map[string]callback)
	if o.Callbacks != nil {
		all["step.lease"], all["step.publish_event"], all["step.save_checkpoint"] = lease, publish, saveCheckpoint
		all["step.spawn"], all["tasks.create"] = spawn, createTask
	}
	if o.Secrets != nil {
		all["secrets.get"] = secret
	}
	return all
}

// offeredCallbacks are the methods that are offered, in a fixed order.
func (o *Options) offeredCallbacks() []string {
	offered := []string{}
	services := o.callbackMethods()
	for _, method := range []string{"step.lease", "step.save_checkpoint", "step.publish_event", "step.spawn", "tasks.create", "secrets.get"} {
		if services[method] != nil {
			offered = append(offered, method)
		}
	}
	return offered
}

// callbackError is an error with the code that the protocol has for it.
type callbackError struct {
	code    int
	message string
	retry   time.Duration
}

// Error implements error.
func (r *callbackError) Error() string { return r.message }

func invalid(format string, args ...any) error {
	return &callbackError{code: wire.CodeInvalidParams, message: fmt.Sprintf(format, args...)}
}

// toCallbackError puts an error into the protocol's terms. What a database says stays here.
func toCallbackError(err error) *callbackError {
	if r, ok := errors.AsType[*callbackError](err); ok {
		return r
	}
	switch {
	case errors.Is(err, engine.ErrClaimLost):
		return staleLease()
	case errors.Is(err, engine.ErrNotPermitted):
		return &callbackError{code: wire.CodeNotPermitted, message: err.Error()}
	case errors.Is(err, engine.ErrInvalidRequest):
		return &callbackError{code: wire.CodeInvalidParams, message: err.Error()}
	default:
		return &callbackError{code: wire.CodeUnavailable, message: "the service is not available at present"}
	}
}

func staleLease() *callbackError {
	return &callbackError{code: wire.CodeStaleLease, message: "the execution is not in flight here, or its claim is not held any more"}
}

// handleCallback answers a request of the process in the background: the reader does not wait.
func (h *Host) handleCallback(m *message) {
	service := h.callbackMethods[m.Method]
	if service == nil {
		h.refuse(m)
		return
	}
	c, err := h.executionFor(m.Params)
	if err == nil && m.Method == "step.publish_event" {
		// In the order of the messages: the result may be the next one.
		var done bool
		if done, err = h.buffer(c, m.Params); done {
			h.reply(m, map[string]bool{"accepted": true}, nil)
			return
		}
	}
	if err == nil {
		err = h.acquireCallbackSlot(c, m)
	}
	if err != nil {
		h.reply(m, nil, err)
		return
	}
	h.callbackGroup.Go(func() {
		defer func() { <-h.callbackSlots }()
		ctx, cancel := context.WithTimeout(h.life, callbackTimeout)
		defer cancel()
		result, err := service(ctx, h, c, m.Params)
		if err != nil && ctx.Err() == nil && toCallbackError(err).code == wire.CodeUnavailable {
			h.logger.Warn("request of a handler failed", "method", m.Method, "error", err)
		}
		h.reply(m, result, err)
	})
}

// acquireCallbackSlot acquires one of the callback slots. What a step adds is kept here, in the order of the
// messages: the result may be the next one.
func (h *Host) acquireCallbackSlot(c *call, m *message) error {
	select {
	case h.callbackSlots <- struct{}{}:
	default:
		return &callbackError{code: wire.CodeRateLimited, message: "too many requests at once", retry: retrySoon}
	}
	if m.Method != "step.spawn" {
		return nil
	}
	err := h.keepSpawned(c, m.Params)
	if err != nil {
		<-h.callbackSlots
	}
	return err
}

// executionFor finds the execution for which a request is made. It must be in flight in this very process.
func (h *Host) executionFor(params json.RawMessage) (*call, error) {
	var p struct {
		ExecutionID string `json:"execution_id"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, invalid("params cannot be read: %v", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.executionLocked(p.ExecutionID)
	if c == nil || c.reason == cancelLeaseLost {
		return nil, staleLease()
	}
	if !c.callbacks.allow(time.Now()) {
		return nil, &callbackError{code: wire.CodeRateLimited, message: "too many requests of one step", retry: retrySoon}
	}
	return c, nil
}

func (h *Host) reply(m *message, result any, err error) {
	encoded, encodeErr := json.Marshal(result)
	if err == nil {
		err = encodeErr
	}
	// Too large it is not, and an error of the pipe ends the process.
	_ = h.sendQueue.send(func(dst []byte) []byte {
		if err == nil {
			return wire.AppendResult(dst, m.RawID, encoded)
		}
		r := toCallbackError(err)
		var data json.RawMessage
		if r.retry > 0 {
			data = fmt.Appendf(nil, `{"retry_after_ms":%d}`, r.retry.Milliseconds())
		}
		return wire.AppendError(dst, m.RawID, r.code, r.message, data)
	})
}

// withCallbackState adds to an outcome what the execution left behind.
func (h *Host) withCallbackState(c *call, o engine.Outcome) engine.Outcome {
	h.mu.Lock()
	defer h.mu.Unlock()
	o.Checkpointed = c.callbacks.checkpointed
	if o.Kind == engine.OutcomeSucceeded {
		o.Events, o.Spawned = c.callbacks.buffered, c.callbacks.spawned
	}
	if o.Failure != nil {
		h.redactFailureLocked(o.Failure)
	}
	return o
}

func lease(ctx context.Context, h *Host, c *call, _ json.RawMessage) (any, error) {
	remaining, err := h.options.Callbacks.Lease(ctx, c.attempt)
	return object{"current": true, "remaining_ms": remaining.Milliseconds()}, err
}

func saveCheckpoint(ctx context.Context, h *Host, c *call, params json.RawMessage) (any, error) {
	var p struct {
		Checkpoint json.RawMessage `json:"checkpoint"`
	}
	if err := json.Unmarshal(params, &p); err != nil || len(p.Checkpoint) == 0 {
		return nil, invalid("a checkpoint is missing")
	}
	if err := engine.CheckJSON(p.Checkpoint, engine.CheckpointBytesMax); err != nil {
		return nil, invalid("checkpoint: %v", err)
	}
	h.mu.Lock()
	c.callbacks.checkpointed = true
	h.mu.Unlock()
	return object{"saved": true}, h.options.Callbacks.SaveCheckpoint(ctx, c.attempt, p.Checkpoint)
}

type publication struct {
	engine.Event

	Delivery string `json:"delivery"`
}

func parsePublication(params json.RawMessage) (publication, error) {
	var p publication
	if err := json.Unmarshal(params, &p); err != nil {
		return p, invalid("event cannot be read: %v", err)
	}
	if p.Name == "" || len(p.Name) > engine.EventNameBytesMax || len(p.DedupeKey) > engine.EventNameBytesMax {
		return p, invalid("an event has a name, and that and its dedupe_key have at most %d bytes", engine.EventNameBytesMax)
	}
	if len(p.Payload) == 0 {
		p.Payload = json.RawMessage("null")
	}
	for _, text := range []string{p.Name, p.DedupeKey} {
		if wire.Clean(text, len(text)+1) != text {
			return p, invalid("name and dedupe_key of an event are UTF-8 without U+0000")
		}
	}
	if err := engine.CheckJSON(p.Payload, engine.EventPayloadBytesMax); err != nil {
		return p, invalid("payload of an event: %v", err)
	}
	switch p.Delivery {
	case "", "with_result", "now":
		return p, nil
	default:
		return p, invalid("delivery %.40q is neither with_result nor now", p.Delivery)
	}
}

// buffer keeps an event that goes with the result, and reports whether it is one.
func (h *Host) buffer(c *call, params json.RawMessage) (bool, error) {
	p, err := parsePublication(params)
	if err != nil || p.Delivery == "now" {
		return false, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(c.callbacks.buffered) >= engine.EventsMax {
		return false, invalid("a step publishes at most %d events with its result", engine.EventsMax)
	}
	c.callbacks.buffered = append(c.callbacks.buffered, h.numberedLocked(c, p.Event))
	return true, nil
}

// numberedLocked gives an event without a key one that the next attempt gives to the same event.
func (h *Host) numberedLocked(c *call, e engine.Event) engine.Event {
	c.callbacks.published++
	if e.DedupeKey == "" {
		e.DedupeKey = e.Name + "#" + strconv.Itoa(c.callbacks.published)
	}
	return e
}

func publish(ctx context.Context, h *Host, c *call, params json.RawMessage) (any, error) {
	p, err := parsePublication(params)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	c.callbacks.publishedNow++
	tooMany := c.callbacks.publishedNow > engine.EventsNowMax
	event := h.numberedLocked(c, p.Event)
	h.mu.Unlock()
	if tooMany {
		return nil, invalid("a step publishes at most %d events before its result", engine.EventsNowMax)
	}
	return object{"accepted": true}, h.options.Callbacks.Publish(ctx, c.attempt, event)
}

func createTask(ctx context.Context, h *Host, c *call, params json.RawMessage) (any, error) {
	var p struct {
		Namespace   string          `json:"namespace"`
		Name        string          `json:"name"`
		Version     string          `json:"version"`
		Context     json.RawMessage `json:"context"`
		IdentityKey string          `json:"identity_key"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, invalid("task cannot be read: %v", err)
	}
	if len(p.Context) == 0 || string(p.Context) == "null" {
		p.Context = json.RawMessage("{}")
	}
	if err := engine.CheckContext(p.Context); err != nil {
		return nil, invalid("context of the task: %v", err)
	}
	if p.IdentityKey == "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %s", p.Namespace, p.Name, p.Version, p.Context))
		p.IdentityKey = fmt.Sprintf("tasker:step:%d:%s", c.attempt.Step.ID, hex.EncodeToString(sum[:8]))
	}
	id, created, err := h.options.Callbacks.CreateChild(ctx, c.attempt, engine.ChildTask{
		Namespace: p.Namespace, Name: p.Name, Version: p.Version, Context: p.Context, IdentityKey: p.IdentityKey,
	})
	return object{"created": created, "task_id": strconv.FormatInt(id, 10)}, err
}

func secret(ctx context.Context, h *Host, c *call, params json.RawMessage) (any, error) {
	var p struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(params, &p); err != nil || p.Name == "" {
		return nil, invalid("the name of a secret is missing")
	}
	value, err := h.options.Secrets.Secret(ctx, c.attempt.Handler.Name, p.Name)
	if err != nil {
		return nil, err
	}
	h.secrets.add(value)
	return object{"value": value}, nil
}
