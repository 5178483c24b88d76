package queue

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// anyHandler is the key of the pool of an executor that does not tell its pools.
const anyHandler = ""

// slotPools knows which handlers have free slots. It is safe for concurrent use.
type slotPools struct {
	// pools is the executor's, nil when that does not tell of its slots: then everything is in one pool without a bound.
	pools engine.Pools
	// handlers are those that the configuration names: all of an executor without pools, and commands.
	handlers []string
	speeds   poolSpeeds

	// mu protects the fields below.
	mu     sync.Mutex
	layout poolLayout
}

// poolLayout is which handler is in which pool, as a fetch needs it.
type poolLayout struct {
	// changed is closed when it is another.
	changed <-chan struct{}
	// keys are the pools, slots what they have, and handlers those of all pools, with the position of the pool in keys.
	keys        []string
	slots       []int
	handlers    []string
	poolIndexes []int
}

func newSlotPools(executor engine.Executor, handlers []string) *slotPools {
	pools, _ := executor.(engine.Pools)
	return &slotPools{pools: pools, handlers: handlers}
}

// currentLayout returns the layout as it is.
func (c *slotPools) currentLayout() poolLayout {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.layout.keys != nil {
		select {
		case <-c.layout.changed:
		default:
			return c.layout
		}
	}
	c.layout = c.readLayout()
	return c.layout
}

func (c *slotPools) readLayout() poolLayout {
	if c.pools == nil {
		return poolLayout{changed: make(chan struct{}), keys: []string{anyHandler}, slots: []int{0}, handlers: c.handlers, poolIndexes: make([]int, len(c.handlers))}
	}
	l := poolLayout{changed: c.pools.Changed(), keys: []string{}, handlers: []string{}}
	for i, pool := range c.pools.Pools() {
		l.keys, l.slots = append(l.keys, pool.Key), append(l.slots, pool.Slots)
		for _, handler := range pool.Handlers {
			l.handlers, l.poolIndexes = append(l.handlers, handler), append(l.poolIndexes, i)
		}
	}
	for _, handler := range append(slices.Clone(c.handlers), commandHandlers) {
		key, served := c.pools.PoolOf(handler)
		if i := slices.Index(l.keys, key); served && i >= 0 && !slices.Contains(l.handlers, handler) {
			l.handlers, l.poolIndexes = append(l.handlers, handler), append(l.poolIndexes, i)
		}
	}
	return l
}

// commandHandlers is the handler that stands for every command when jobs are fetched.
const commandHandlers = "command:"

// fetchLimit is how many jobs may be fetched for a pool with so many slots, at most limit: as many as it has free, and a batch more
// while its steps are quick.
func (c *slotPools) fetchLimit(key string, slots, limit int) int {
	if c.pools == nil {
		return limit
	}
	return min(max(c.pools.Free(key), c.speeds.prefetchLimit(key, slots)), limit)
}

// tryAcquire takes a slot for the handler if one is free, nil otherwise.
func (c *slotPools) tryAcquire(handler string) engine.Slot {
	if c.pools == nil {
		return nil
	}
	return c.pools.TryAcquire(handler)
}

// poolOf is the pool that runs a handler.
func (c *slotPools) poolOf(handler string) string {
	if c.pools == nil {
		return anyHandler
	}
	key, _ := c.pools.PoolOf(handler)
	return key
}

// servedHandlers returns the handlers that the worker serves, and the pool of each.
func (c *slotPools) servedHandlers() (handlers, pools []string) {
	l := c.currentLayout()
	for i, handler := range l.handlers {
		if handler != commandHandlers {
			handlers, pools = append(handlers, handler), append(pools, l.keys[l.poolIndexes[i]])
		}
	}
	return handlers, pools
}

// measuringSlot tells of its release, and of how long its steps took.
type measuringSlot struct {
	engine.Slot

	capacity  *slotPools
	onRelease func()
}

// Execute implements [engine.Slot].
func (s measuringSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	began := time.Now()
	defer func() { s.capacity.speeds.record(s.capacity.poolOf(attempt.Handler.Name), time.Since(began)) }()
	return s.Slot.Execute(ctx, attempt)
}

// Release implements [engine.Slot].
func (s measuringSlot) Release() {
	s.Slot.Release()
	s.onRelease()
}
