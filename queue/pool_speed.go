package queue

import (
	"sync"
	"time"
)

// Bounds of the prefetch. While the steps of a pool are fast, a worker fetches more steps than the pool has free slots,
// so that one fetch serves many steps.
const (
	// prefetchMax is the largest number of steps beyond the slots.
	prefetchMax = 64
	// prefetchWaitMax is the longest expected wait of a prefetched step for its slot. It is well below the 100 ms after
	// which a step without a slot goes back.
	prefetchWaitMax = 50 * time.Millisecond
	// prefetchStepMax is the average duration of steps from which a pool has no prefetch.
	prefetchStepMax = 5 * time.Millisecond
	// averageWeight is the number of steps over which the moving average is taken.
	averageWeight = 8
)

// poolSpeeds tracks how long the steps of each pool take, and how many runs each pool has. It is safe for concurrent
// use.
type poolSpeeds struct {
	// mu protects the field below.
	mu    sync.Mutex
	pools map[string]*poolSpeed
}

type poolSpeed struct {
	// average is the average duration of the last steps, 0 before the first.
	average time.Duration
	// running counts the runs that began in the pool.
	running int
}

func (p *poolSpeeds) update(pool string, change func(*poolSpeed)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pools == nil {
		p.pools = make(map[string]*poolSpeed)
	}
	if p.pools[pool] == nil {
		p.pools[pool] = &poolSpeed{}
	}
	change(p.pools[pool])
}

// runBegan and runEnded count the runs of a pool.
func (p *poolSpeeds) runBegan(pool string) { p.update(pool, func(own *poolSpeed) { own.running++ }) }

func (p *poolSpeeds) runEnded(pool string) { p.update(pool, func(own *poolSpeed) { own.running-- }) }

// record adds the duration of a step to the average.
func (p *poolSpeeds) record(pool string, d time.Duration) {
	p.update(pool, func(own *poolSpeed) {
		if own.average == 0 {
			own.average = max(d, 1)
		}
		own.average += (d - own.average) / averageWeight
	})
}

// markStalled ends the prefetch of a pool in which a step found no slot: the running steps are slower than the average.
func (p *poolSpeeds) markStalled(pool string) {
	p.update(pool, func(own *poolSpeed) { own.average = time.Second })
}

// prefetchLimit is the number of jobs that may still be fetched for a pool with that number of slots, whether or not
// they are free. It is 0 or less if the steps of the pool are not fast.
func (p *poolSpeeds) prefetchLimit(pool string, slots int) (more int) {
	p.update(pool, func(own *poolSpeed) {
		if own.average == 0 || own.average >= prefetchStepMax {
			return
		}
		batch := min(prefetchMax, int(prefetchWaitMax/max(own.average, time.Microsecond))*slots)
		more = slots + batch - own.running
	})
	return more
}
