package queue

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

// anyHandler is the key of the only pool of an executor without [engine.Pools].
const anyHandler = ""

// slotPools tracks the pools of the executor and their free slots. It is safe for concurrent use.
type slotPools struct {
	// pools is nil if the executor does not implement it. Then all handlers are in one pool without a bound.
	pools engine.Pools
	// handlers are those of the configuration: commands, and all handlers of an executor without pools.
	handlers []string
	speeds   poolSpeeds

	// mu protects the fields below.
	mu     sync.Mutex
	layout poolLayout
}

// poolLayout says which handler is in which pool, in the form that a fetch needs.
type poolLayout struct {
	// changed is closed when the layout is outdated.
	changed <-chan struct{}
	// keys and slots are the keys and the numbers of slots of the pools. handlers are those of all pools, and
	// poolIndexes has the position in keys of each handler's pool.
	keys        []string
	slots       []int
	handlers    []string
	poolIndexes []int
}

func newSlotPools(executor engine.Executor, handlers []string) *slotPools {
	pools, _ := executor.(engine.Pools)
	return &slotPools{pools: pools, handlers: handlers}
}

// currentLayout returns the layout, after reading it anew if it is outdated.
func (p *slotPools) currentLayout() poolLayout {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.layout.keys != nil {
		select {
		case <-p.layout.changed:
		default:
			return p.layout
		}
	}
	p.layout = p.readLayout()
	return p.layout
}

func (p *slotPools) readLayout() poolLayout {
	if p.pools == nil {
		return poolLayout{
			changed: make(chan struct{}), keys: []string{anyHandler}, slots: []int{0},
			handlers: p.handlers, poolIndexes: make([]int, len(p.handlers)),
		}
	}
	l := poolLayout{changed: p.pools.Changed(), keys: []string{}, handlers: []string{}}
	for i, pool := range p.pools.Pools() {
		l.keys, l.slots = append(l.keys, pool.Key), append(l.slots, pool.Slots)
		for _, handler := range pool.Handlers {
			l.handlers, l.poolIndexes = append(l.handlers, handler), append(l.poolIndexes, i)
		}
	}
	for _, handler := range append(slices.Clone(p.handlers), commandHandlers) {
		key, served := p.pools.PoolOf(handler)
		if i := slices.Index(l.keys, key); served && i >= 0 && !slices.Contains(l.handlers, handler) {
			l.handlers, l.poolIndexes = append(l.handlers, handler), append(l.poolIndexes, i)
		}
	}
	return l
}

// commandHandlers is the name that stands for the handlers of all commands when jobs are fetched.
const commandHandlers = "command:"

// fetchLimit is the number of jobs to fetch for a pool with that number of slots, at most limit. It is the number of
// free slots, or more while the steps of the pool are fast.
func (p *slotPools) fetchLimit(key string, slots, limit int) int {
	if p.pools == nil {
		return limit
	}
	return min(max(p.pools.Free(key), p.speeds.prefetchLimit(key, slots)), limit)
}

// tryAcquire returns a slot for the handler if one is free, nil otherwise.
func (p *slotPools) tryAcquire(handler string) engine.Slot {
	if p.pools == nil {
		return nil
	}
	return p.pools.TryAcquire(handler)
}

// poolOf returns the key of the pool that runs a handler.
func (p *slotPools) poolOf(handler string) string {
	if p.pools == nil {
		return anyHandler
	}
	key, _ := p.pools.PoolOf(handler)
	return key
}

// servedHandlers returns the handlers that the worker serves, and the key of the pool of each.
func (p *slotPools) servedHandlers() (handlers, pools []string) {
	l := p.currentLayout()
	for i, handler := range l.handlers {
		if handler != commandHandlers {
			handlers, pools = append(handlers, handler), append(pools, l.keys[l.poolIndexes[i]])
		}
	}
	return handlers, pools
}

// measuringSlot records the durations of its steps and reports its release.
type measuringSlot struct {
	engine.Slot

	pools     *slotPools
	onRelease func()
}

// Execute implements [engine.Slot].
func (s measuringSlot) Execute(ctx context.Context, attempt *engine.Attempt) engine.Outcome {
	began := time.Now()
	defer func() { s.pools.speeds.record(s.pools.poolOf(attempt.Handler.Name), time.Since(began)) }()
	return s.Slot.Execute(ctx, attempt)
}

// Release implements [engine.Slot].
func (s measuringSlot) Release() {
	s.Slot.Release()
	s.onRelease()
}
