package engine

import (
	"context"
	"time"
)

// ReasonNoRoom is the give-back of a step that was handed over and found no handler process to run in.
const ReasonNoRoom = "no_room"

// roomPatience is how long a step that was handed over waits for a process of another language than its parent's. Others could
// run it meanwhile.
const roomPatience = 2 * time.Second

// quick is how long a handler takes at most whose slot is given up while its outcome is recorded: others could run a step or two in
// that time. After a slower one the slot is kept, because a new one could take as long to get.
const quick = 5 * time.Millisecond

// room is the slot that a run has at present.
type room struct {
	executor Executor
	slot     Slot
	// handler is what the slot was acquired for, until it is used.
	handler string
}

// fit makes the room fit for the next step, one with this handler; it may need another process.
func (r *room) fit(take context.Context, handler string) error {
	acquiredFor := r.handler
	r.handler = ""
	if r.slot != nil && (handler == acquiredFor || r.slot.Keep(handler)) {
		return nil
	}
	r.leave()
	ctx, cancel := context.WithTimeout(take, roomPatience)
	defer cancel()
	var err error
	r.slot, err = r.executor.Acquire(ctx, handler)
	return err
}

// leave gives the slot back, if there is one.
func (r *room) leave() {
	if r.slot != nil {
		r.slot.Release()
		r.slot = nil
	}
}
