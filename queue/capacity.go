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

// capacity knows which handlers have free slots. It is safe for concurrent use.
type capacity struct {
	// pools is the executor's, nil when that does not tell of its slots: then everything is in one pool without a bound.
	pools engine.Pools
	// handlers are those that the configuration names: all of an executor without pools, and commands.
	handlers []string
	pace     pace

	// mu protects the fields below.
	mu     sync.Mutex
	layout layout
}

// layout is which handler is in which pool, as a fetch needs it.
type layout struct {
	// changed is closed when it is another.
	changed <-chan struct{}
	// keys are the pools, slots what they have, and handlers those of all pools, with the position of the pool in keys.
	keys     []string
	slots    []int
	handlers []string
	places   []int
}

func newCapacity(executor engine.Executor, handlers []string) *capacity {
	pools, _ := executor.(engine.Pools)
	return &capacity{pools: pools, handlers: handlers}
}

// now returns the layout as it is.
func (c *capacity) now() layout {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.layout.keys != nil {
		select {
		case <-c.layout.changed:
		default:
			return c.layout
		}
	}
	c.layout = c.read()
	return c.layout
}

func (c *capacity) read() layout {
	if c.pools == nil {
		return layout{changed: make(chan struct{}), keys: []string{anyHandler}, slots: []int{0}, handlers: c.handlers, places: make([]int, len(c.handlers))}
	}
	l := layout{changed: c.pools.Changed(), keys: []string{}, handlers: []string{}}
	for i, pool := range c.pools.Pools() {
		l.keys, l.slots = append(l.keys, pool.Key), append(l.slots, pool.Slots)
		for _, handler := range pool.Handlers {
			l.handlers, l.places = append(l.handlers, handler), append(l.places, i)
		}
	}
	for _, handler := range append(slices.Clone(c.handlers), commands) {
		key, served := c.pools.PoolOf(handler)
		if i := slices.Index(l.keys, key); served && i >= 0 && !slices.Contains(l.handlers, handler) {
			l.handlers, l.places = append(l.handlers, handler), append(l.places, i)
		}
	}
	return l
}

// commands is the handler that stands for every command when jobs are fetched.
const commands = "command:"

// room is how many jobs may be fetched for a pool with so many slots, at most limit: as many as it has free, and a batch more
// while its steps are quick.
func (c *capacity) room(key string, slots, limit int) int {
	if c.pools == nil {
		return limit
	}
	return min(max(c.pools.Free(key), c.pace.ahead(key, slots)), limit)
}

// slot takes a slot for the handler if one is free, nil otherwise.
func (c *capacity) slot(handler string) engine.Slot {
	if c.pools == nil {
		return nil
	}
	return c.pools.TryAcquire(handler)
}

// poolOf is the pool that runs a handler.
func (c *capacity) poolOf(handler string) string {
	if c.pools == nil {
		return anyHandler
	}
	key, _ := c.pools.PoolOf(handler)
	return key
}

// served returns the handlers that the worker serves, and the pool of each.
func (c *capacity) served() (handlers, pools []string) {
	l := c.now()
	for i, handler := range l.handlers {
		if handler != commands {
			handlers, pools = append(handlers, handler), append(pools, l.keys[l.places[i]])
		}
	}
	return handlers, pools
}

// watchedSlot tells of its release, and of how long its steps took.
type watchedSlot struct {
	engine.Slot

	capacity *capacity
	freed    func()
}

// Execute implements [engine.Slot].
func (s watchedSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	began := time.Now()
	defer func() { s.capacity.pace.took(s.capacity.poolOf(attempt.Handler.Name), time.Since(began)) }()
	return s.Slot.Execute(ctx, attempt)
}

// Release implements [engine.Slot].
func (s watchedSlot) Release() {
	s.Slot.Release()
	s.freed()
}
