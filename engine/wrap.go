package engine

import "context"

var _ Pools = wrappedPools{}

// WrapSlots returns an executor that wraps the slots of another executor. It implements [Pools] if the other one does.
func WrapSlots(executor Executor, wrap func(Slot) Slot) Executor {
	w := wrappedExecutor{executor, wrap}
	if pools, ok := executor.(Pools); ok {
		return wrappedPools{w, pools}
	}
	return w
}

type wrappedExecutor struct {
	executor Executor
	wrap     func(Slot) Slot
}

// Acquire implements [Executor].
func (w wrappedExecutor) Acquire(ctx context.Context, handler string) (Slot, error) {
	slot, err := w.executor.Acquire(ctx, handler)
	if err != nil {
		return nil, err
	}
	return w.wrap(slot), nil
}

type wrappedPools struct {
	wrappedExecutor

	pools Pools
}

// Pools implements [Pools].
func (w wrappedPools) Pools() []Pool { return w.pools.Pools() }

// PoolOf implements [Pools].
func (w wrappedPools) PoolOf(handler string) (key string, served bool) {
	return w.pools.PoolOf(handler)
}

// Free implements [Pools].
func (w wrappedPools) Free(key string) int { return w.pools.Free(key) }

// Changed implements [Pools].
func (w wrappedPools) Changed() <-chan struct{} { return w.pools.Changed() }

// TryAcquire implements [Pools].
func (w wrappedPools) TryAcquire(handler string) Slot {
	slot := w.pools.TryAcquire(handler)
	if slot == nil {
		return nil
	}
	return w.wrap(slot)
}
