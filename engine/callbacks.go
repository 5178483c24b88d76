package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// CheckpointBytesMax bounds the checkpoint that a step saves for its next attempt.
const CheckpointBytesMax = 64 << 10

// Bounds of the events of one attempt.
const (
	EventNameBytesMax    = 200
	EventPayloadBytesMax = 64 << 10
	// EventsMax bounds the events that go with the result, EventsNowMax those that are stored immediately.
	EventsMax    = 100
	EventsNowMax = 10_000
)

// Errors of [Callbacks] and [Secrets]. Any other error means that the callback is unavailable at the moment.
var (
	// ErrInvalidRequest means that the arguments are invalid; retrying does not help. It is returned wrapped, with a
	// hint for the caller.
	ErrInvalidRequest = errors.New("refused")
	// ErrNotPermitted means that the handler has no permission for the request. It is returned wrapped.
	ErrNotPermitted = errors.New("not permitted")
)

// Callbacks serves the requests that a host makes while a handler runs. Every method is fenced by the attempt's token
// and returns ErrClaimLost if the token is outdated. Implementations are safe for concurrent use.
type Callbacks interface {
	// CheckSpawn returns ErrInvalidRequest, wrapped, if the task in its current state would reject these steps.
	CheckSpawn(ctx context.Context, a *Attempt, steps []SpawnedStep) error
	// CreateChild creates a task, or returns the task that an earlier call of the same request created.
	CreateChild(ctx context.Context, a *Attempt, task ChildTask) (id int64, created bool, err error)
	// Lease returns the minimum time for which the worker still holds the claim.
	Lease(ctx context.Context, a *Attempt) (remaining time.Duration, err error)
	// Publish stores an event immediately, unless the step has already published one with the same key.
	Publish(ctx context.Context, a *Attempt, event Event) error
	// SaveCheckpoint replaces the checkpoint of the step.
	SaveCheckpoint(ctx context.Context, a *Attempt, checkpoint json.RawMessage) error
}

// Secrets holds values that handlers request by name.
type Secrets interface {
	// Secret returns a value. It returns ErrNotPermitted, wrapped, if the handler may not read the value or if there is
	// none: the handler cannot distinguish the two.
	Secret(ctx context.Context, handler, name string) (string, error)
}

// ChildTask is a task that a step creates.
type ChildTask struct {
	Namespace string
	Name      string
	Version   string
	Context   json.RawMessage
	// IdentityKey makes the request idempotent. It is never empty.
	IdentityKey string
}

// Event is a message that a step publishes to subscribers.
type Event struct {
	Name    string          `json:"name"`
	Payload json.RawMessage `json:"payload"`
	// DedupeKey is unique among the events of a step: an event that an earlier attempt published is not repeated.
	DedupeKey string `json:"dedupe_key"`
}
