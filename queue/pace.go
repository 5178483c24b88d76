package queue

import (
	"sync"
	"time"
)

// What a worker fetches beyond its free slots while steps are quick: a batch, so that a fetch is not made for every step.
const (
	// aheadMax bounds the batch.
	aheadMax = 64
	// aheadTime is how long the last of the batch waits for its slot, as far as the steps before it tell. It is well below the
	// time after which a step without a slot goes back.
	aheadTime = 50 * time.Millisecond
	// quickStep is how long the steps of a pool take at most, on average, that may be fetched ahead.
	quickStep = 5 * time.Millisecond
	// paceWeight is the number of steps over which the average is taken.
	paceWeight = 8
)

// pace knows how long the steps of each pool take, and how many of them this worker has. It is safe for concurrent use.
type pace struct {
	// mu protects the field below.
	mu    sync.Mutex
	pools map[string]*poolPace
}

type poolPace struct {
	// average is that of the last steps, 0 before the first.
	average time.Duration
	// running counts the runs that began in the pool.
	running int
}

func (p *pace) change(pool string, change func(*poolPace)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pools == nil {
		p.pools = make(map[string]*poolPace)
	}
	if p.pools[pool] == nil {
		p.pools[pool] = &poolPace{}
	}
	change(p.pools[pool])
}

// began and ended count a run.
func (p *pace) began(pool string) { p.change(pool, func(own *poolPace) { own.running++ }) }
func (p *pace) ended(pool string) { p.change(pool, func(own *poolPace) { own.running-- }) }

// took notes how long a step took.
func (p *pace) took(pool string, d time.Duration) {
	p.change(pool, func(own *poolPace) {
		if own.average == 0 {
			own.average = max(d, 1)
		}
		own.average += (d - own.average) / paceWeight
	})
}

// stalled notes that a step found no slot: those that have them are not quick, whatever the ones before them were.
func (p *pace) stalled(pool string) {
	p.change(pool, func(own *poolPace) { own.average = time.Second })
}

// ahead is how many more jobs a pool with so many slots may be given, free or not; not more than 0 when its steps are not quick.
func (p *pace) ahead(pool string, slots int) (more int) {
	p.change(pool, func(own *poolPace) {
		if own.average == 0 || own.average >= quickStep {
			return
		}
		batch := min(aheadMax, int(aheadTime/max(own.average, time.Microsecond))*slots)
		more = slots + batch - own.running
	})
	return more
}
