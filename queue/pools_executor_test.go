package queue_test

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tasker-systems/tasker-worker/engine"
)

// pools adds pools of slots to an executor of the tests, as handler processes have them. It is safe for concurrent use.
type pools struct {
	*executor

	// mu protects the fields below.
	mu       sync.Mutex
	slots    map[string]int
	handlers map[string]string // by handler, the key of its pool
	used     map[string]int
	most     map[string]int
	changed  chan struct{}
}

// inPools returns the executor with slots by the key of the pool. handlers has the key of each handler's pool.
func inPools(e *executor, slots map[string]int, handlers map[string]string) *pools {
	return &pools{
		executor: e, slots: slots, handlers: handlers, used: map[string]int{}, most: map[string]int{},
		changed: make(chan struct{}),
	}
}

// resize changes the slots of a pool.
func (p *pools) resize(key string, slots int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots[key] = slots
	close(p.changed)
	p.changed = make(chan struct{})
}

// serve adds a handler to a pool.
func (p *pools) serve(handler, key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[handler] = key
	close(p.changed)
	p.changed = make(chan struct{})
}

// mostAtOnce is the largest number of slots of a pool that were in use at the same time.
func (p *pools) mostAtOnce(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most[key]
}

// Pools implements engine.Pools.
func (p *pools) Pools() []engine.Pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []engine.Pool
	for _, key := range slices.Sorted(maps.Keys(p.slots)) {
		pool := engine.Pool{Key: key, Slots: p.slots[key], Free: p.slots[key] - p.used[key]}
		for _, handler := range slices.Sorted(maps.Keys(p.handlers)) {
			if p.handlers[handler] == key {
				pool.Handlers = append(pool.Handlers, handler)
			}
		}
		all = append(all, pool)
	}
	return all
}

// PoolOf implements engine.Pools.
func (p *pools) PoolOf(handler string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, served := p.handlers[handler]
	return key, served
}

// Free implements engine.Pools.
func (p *pools) Free(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.slots[key]-p.used[key])
}

// TryAcquire implements engine.Pools.
func (p *pools) TryAcquire(handler string) engine.Slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := p.handlers[handler]
	if p.used[key] >= p.slots[key] {
		return nil
	}
	inner, err := p.executor.Acquire(context.Background(), handler)
	if err != nil {
		return nil
	}
	p.used[key]++
	p.most[key] = max(p.most[key], p.used[key])
	return &poolSlot{Slot: inner, pools: p, key: key}
}

// Acquire implements engine.Executor.
func (p *pools) Acquire(ctx context.Context, handler string) (engine.Slot, error) {
	for {
		changed := p.Changed()
		if slot := p.TryAcquire(handler); slot != nil {
			return slot, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Changed implements engine.Pools.
func (p *pools) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// poolSlot is a slot of a pool.
type poolSlot struct {
	engine.Slot

	pools *pools
	key   string
}

// Release implements engine.Slot.
func (s *poolSlot) Release() {
	s.Slot.Release()
	p := s.pools
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[s.key]--
	close(p.changed)
	p.changed = make(chan struct{})
}
