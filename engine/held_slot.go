package engine

import (
	"context"
	"time"
)

// Reasons of the give-backs that this package makes.
const (
	// ReasonNoSlot is a step that was claimed, and found no handler process to run in.
	ReasonNoSlot = "no_room"
	// ReasonNotRecorded is an attempt whose outcome the database did not take for as long as it was offered.
	ReasonNotRecorded = "outcome_not_recorded"
)

// slotTimeout is how long a step that was claimed waits for a slot. Others could run it meanwhile.
const slotTimeout = 100 * time.Millisecond

// keepSlotAfter is how long a handler takes at most whose slot is given up while its outcome is recorded: others could run a step or two in
// that time. After a slower one the slot is kept, because a new one could take as long to get.
const keepSlotAfter = 5 * time.Millisecond

// heldSlot is the slot that a run has at present.
type heldSlot struct {
	executor Executor
	slot     Slot
	// handler is what the slot was acquired for, until it is used.
	handler string
}

// ensure makes the room fit for the next step, one with this handler; it may need another process.
func (r *heldSlot) ensure(take context.Context, handler string) error {
	acquiredFor := r.handler
	r.handler = ""
	if r.slot != nil && (handler == acquiredFor || r.slot.Reuse(handler)) {
		return nil
	}
	r.release()
	err := take.Err()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(take, slotTimeout)
	defer cancel()
	r.slot, err = r.executor.Acquire(ctx, handler)
	return err
}

// release gives the slot back, if there is one.
func (r *heldSlot) release() {
	if r.slot != nil {
		r.slot.Release()
		r.slot = nil
	}
}
