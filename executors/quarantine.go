package executors

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// crashGiveBacksMax is how often a step is given back because a process broke with several steps in it.
	crashGiveBacksMax = 2
	// neighbourGiveBacksMax is how often a step is given back for a neighbour's timeout before it runs alone.
	neighbourGiveBacksMax = 3
	// recordsMax bounds what is remembered. Beyond it the oldest record goes.
	recordsMax = 10_000
)

// quarantine remembers the steps that were in a process when it broke. It is safe for concurrent use.
type quarantine struct {
	// size is the number of records, readable without the lock: it is nearly always zero.
	size atomic.Int64

	// mu protects the field below.
	mu      sync.Mutex
	records map[int64]*record
}

type record struct {
	crashes, neighbours int
	alone               bool
	at                  time.Time
}

// mustRunAlone says whether the step gets a process for itself.
func (q *quarantine) mustRunAlone(stepID int64) bool {
	if q.size.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.records[stepID]
	return r != nil && r.alone
}

// crashed records that the step was in a process that broke and says whether it may be given back once more.
func (q *quarantine) crashed(stepID int64) (giveBack bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.recordLocked(stepID)
	r.alone = true
	r.crashes++
	return r.crashes <= crashGiveBacksMax
}

// neighbourTimedOut records that the step was killed with a neighbour.
func (q *quarantine) neighbourTimedOut(stepID int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.recordLocked(stepID)
	r.neighbours++
	r.alone = r.alone || r.neighbours >= neighbourGiveBacksMax
}

// forget is called when the step has ended by itself.
func (q *quarantine) forget(stepID int64) {
	if q.size.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.records, stepID)
	q.size.Store(int64(len(q.records)))
}

func (q *quarantine) recordLocked(stepID int64) *record {
	if q.records == nil {
		q.records = make(map[int64]*record)
	}
	r := q.records[stepID]
	if r == nil {
		if len(q.records) >= recordsMax {
			q.dropOldestLocked()
		}
		r = &record{}
		q.records[stepID] = r
		q.size.Store(int64(len(q.records)))
	}
	r.at = time.Now()
	return r
}

func (q *quarantine) dropOldestLocked() {
	var oldest int64
	var at time.Time
	for id, r := range q.records {
		if at.IsZero() || r.at.Before(at) {
			oldest, at = id, r.at
		}
	}
	delete(q.records, oldest)
}
