package engine

import (
	"context"
	"time"
)

// Reasons of the give-backs of this package.
const (
	// ReasonNoSlot: no handler process had a free slot for the claimed step.
	ReasonNoSlot = "no_room"
	// ReasonNotRecorded: recording the outcome of the attempt failed until its timeout.
	ReasonNotRecorded = "outcome_not_recorded"
)

// slotTimeout is how long a claimed step waits for a slot. After it the step goes back, so that other workers can
// run it.
const slotTimeout = 100 * time.Millisecond

// keepSlotAfter is the handler duration from which a run keeps its slot while it records the outcome. After a faster
// handler the slot is released, because other steps can use it during the recording. After a slower one it is kept,
// because acquiring a new slot could take as long.
const keepSlotAfter = 5 * time.Millisecond

// heldSlot is the slot that a run holds at the moment, if any.
type heldSlot struct {
	executor Executor
	slot     Slot
	// handler is the handler for which the slot was acquired. It is empty once the slot has been used.
	handler string
}

// ensure makes the slot usable for handler. It acquires a new slot if the current process cannot run handler.
func (h *heldSlot) ensure(fetchCtx context.Context, handler string) error {
	acquiredFor := h.handler
	h.handler = ""
	if h.slot != nil && (handler == acquiredFor || h.slot.Reuse(handler)) {
		return nil
	}
	h.release()
	err := fetchCtx.Err()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(fetchCtx, slotTimeout)
	defer cancel()
	h.slot, err = h.executor.Acquire(ctx, handler)
	return err
}

// release releases the slot, if there is one.
func (h *heldSlot) release() {
	if h.slot != nil {
		h.slot.Release()
		h.slot = nil
	}
}
