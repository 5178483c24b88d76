package queue

import (
	"sync"
	"time"
)

// What a worker fetches beyond its free slots while steps are quick: a batch, so that a fetch is not made for every step.
const (
	// prefetchMax bounds the batch.
	prefetchMax = 64
	// prefetchWaitMax is how long the last of the batch waits for its slot, as far as the steps before it tell. It is well below the
	// time after which a step without a slot goes back.
	prefetchWaitMax = 50 * time.Millisecond
	// prefetchStepMax is how long the steps of a pool take at most, on average, that may be fetched ahead.
	prefetchStepMax = 5 * time.Millisecond
	// averageWeight is the number of steps over which the average is taken.
	averageWeight = 8
)

// poolSpeeds knows how long the steps of each pool take, and how many of them this worker has. It is safe for concurrent use.
type poolSpeeds struct {
	// mu protects the field below.
	mu    sync.Mutex
	pools map[string]*poolSpeed
}

type poolSpeed struct {
	// average is that of the last steps, 0 before the first.
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

// runBegan and ended count a run.
func (p *poolSpeeds) runBegan(pool string) { p.update(pool, func(own *poolSpeed) { own.running++ }) }

func (p *poolSpeeds) runEnded(pool string) { p.update(pool, func(own *poolSpeed) { own.running-- }) }

// record notes how long a step took.
func (p *poolSpeeds) record(pool string, d time.Duration) {
	p.update(pool, func(own *poolSpeed) {
		if own.average == 0 {
			own.average = max(d, 1)
		}
		own.average += (d - own.average) / averageWeight
	})
}

// markStalled notes that a step found no slot: those that have them are not quick, whatever the ones before them were.
func (p *poolSpeeds) markStalled(pool string) {
	p.update(pool, func(own *poolSpeed) { own.average = time.Second })
}

// prefetchLimit is how many more jobs a pool with so many slots may be given, free or not; not more than 0 when its steps are not quick.
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
