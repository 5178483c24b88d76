package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// CheckpointBytesMax bounds what a step may save for its next attempt.
const CheckpointBytesMax = 64 << 10

// Bounds of the events of one attempt.
const (
	EventNameBytesMax    = 200
	EventPayloadBytesMax = 64 << 10
	EventsMax            = 100
)

// Errors of [Callbacks] and [Secrets]. Any other error means that the service is not available at present.
var (
	// ErrInvalidRequest is returned, wrapped with what to do, for arguments that no repetition mends.
	ErrInvalidRequest = errors.New("refused")
	// ErrNotPermitted is returned, wrapped, when the handler may not do or see this.
	ErrNotPermitted = errors.New("not permitted")
)

// Callbacks serve what handlers ask for while they run. Every method is fenced by the attempt's token and returns
// ErrLeaseLost when that is not current any more. Implementations are safe for concurrent use.
type Callbacks interface {
	// CheckSpawn returns ErrRefused, wrapped, when the task as it is does not take these steps with the attempt's result.
	CheckSpawn(ctx context.Context, a *Attempt, steps []SpawnedStep) error
	// CreateChild creates a task, or returns the one that the same request has created before.
	CreateChild(ctx context.Context, a *Attempt, task ChildTask) (id int64, created bool, err error)
	// Lease says how long the claim is held at least.
	Lease(ctx context.Context, a *Attempt) (remaining time.Duration, err error)
	// Publish stores an event at once, unless the step has published one with the same key.
	Publish(ctx context.Context, a *Attempt, event Event) error
	// SaveCheckpoint replaces what the step has saved.
	SaveCheckpoint(ctx context.Context, a *Attempt, checkpoint json.RawMessage) error
}

// Secrets keep values that handlers may ask for by name.
type Secrets interface {
	// Secret returns a value, or ErrNotPermitted, wrapped, when the handler may not see it or nobody knows it: a handler
	// cannot tell the one from the other.
	Secret(ctx context.Context, handler, name string) (string, error)
}

// ChildTask is a task that a step asks for.
type ChildTask struct {
	Namespace string
	Name      string
	Version   string
	Context   json.RawMessage
	// IdentityKey makes the request idempotent. It is never empty.
	IdentityKey string
}

// Event is something that a step tells whoever listens.
type Event struct {
	Name    string          `json:"name"`
	Payload json.RawMessage `json:"payload"`
	// DedupeKey is unique among the events of a step: what an earlier attempt has published is not published again.
	DedupeKey string `json:"dedupe_key"`
}
