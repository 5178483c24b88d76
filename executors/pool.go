package executors

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

// errRetired is returned by acquire when the pool was replaced: the caller looks for its successor.
var errRetired = errors.New("pool of handler processes is retired")

// pool is the room in the processes of one language. It is safe for concurrent use.
type pool struct {
	runtime runtime
	// alone is a semaphore of the exclusive steps: one at a time per language.
	alone chan struct{}
	// recycleAfter is the number of executions after which a member is recycled, 0 for never.
	recycleAfter int
	// exclusiveKey is the key of the room of exclusive handlers.
	exclusiveKey string
	// changed is called when there is another process, or one less, or another number of steps that one takes.
	changed  func()
	circuit  circuit
	isolated isolated

	// mu protects the fields below.
	mu      sync.Mutex
	members []*member
	// waiters are served in the order of their arrival.
	waiters []*waiter
	retired bool
	// handshake is the latest one, nil while no process has ever been ready.
	handshake *host.Handshake
	// bootFailure is why the latest boot failed, nil when it did not.
	bootFailure error
}

// member is one ready process. The pool's mutex protects what follows the channels.
type member struct {
	host *host.Host
	// recycleDue is closed when the process should be recycled, idle when it has left the pool and all its slots are free.
	recycleDue, idle chan struct{}

	capacity, load, taken int
	leaving               bool
	recycleRequested      bool
	// alone says that the one step in it is exclusive; reserved is such a step that waits for the others to end.
	alone    bool
	reserved *waiter
}

// waiter waits for room. granted has room for the one grant; it is closed without one when the pool is retired.
// An exclusive one waits for a process without any step, and keeps it so.
type waiter struct {
	granted   chan *member
	exclusive bool
}

func newPool(r runtime, recycleAfter int, changed func()) *pool {
	return &pool{
		alone:        make(chan struct{}, 1),
		changed:      changed,
		exclusiveKey: string(r.language) + exclusiveSuffix,
		isolated:     isolated{idle: make(map[string][]*idleHost), slots: make(chan struct{}, isolatedMax)},
		recycleAfter: recycleAfter,
		runtime:      r,
	}
}

// acquire takes room for one step, or the whole of a process for an exclusive one.
func (p *pool) acquire(ctx context.Context, exclusive bool) (*member, error) {
	p.mu.Lock()
	if p.retired {
		p.mu.Unlock()
		return nil, errRetired
	}
	w := &waiter{exclusive: exclusive}
	if m := p.findSlotLocked(w); m != nil {
		p.mu.Unlock()
		return m, nil
	}
	w.granted = make(chan *member, 1)
	p.waiters = append(p.waiters, w)
	p.mu.Unlock()
	select {
	case m, ok := <-w.granted:
		if !ok {
			return nil, errRetired
		}
		return m, nil
	case <-ctx.Done():
		p.abandon(w)
		return nil, ctx.Err()
	}
}

// abandon takes a waiter out of the line, and passes on what it was granted meanwhile.
func (p *pool) abandon(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiters, w); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		p.unreserveLocked(w)
		p.dispatchLocked()
		return
	}
	if m, ok := <-w.granted; ok {
		p.releaseLocked(m)
	}
}

// release gives room back.
func (p *pool) release(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.releaseLocked(m)
}

// reuse says whether the holder of a slot of m may use it once more: not when m is leaving or due for recycling.
func (p *pool) reuse(m *member) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.leaving || m.recycleRequested || m.reserved != nil || !m.host.Usable() {
		return false
	}
	m.taken++
	if p.recycleAfter > 0 && m.taken >= p.recycleAfter {
		m.requestRecycleLocked()
	}
	return true
}

func (p *pool) releaseLocked(m *member) {
	m.load--
	m.alone = false // nothing else was in it
	m.taken++
	if p.recycleAfter > 0 && m.taken >= p.recycleAfter {
		m.requestRecycleLocked()
	}
	m.noteIdleLocked()
	p.dispatchLocked()
}

// add takes in a process that is ready. It returns nil when the pool is retired.
func (p *pool) add(h *host.Host) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		return nil
	}
	m := &member{capacity: h.Handshake().MaxConcurrency, host: h, idle: make(chan struct{}), recycleDue: make(chan struct{})}
	p.members = append(p.members, m)
	p.handshake, p.bootFailure = h.Handshake(), nil
	p.dispatchLocked()
	p.changed()
	return m
}

// remove takes a process out: it gets no more steps. Its idle is closed once all its slots are free.
func (p *pool) remove(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = slices.DeleteFunc(p.members, func(other *member) bool { return other == m })
	m.leaving, m.reserved = true, nil
	m.noteIdleLocked()
	p.dispatchLocked()
	p.changed()
}

// retire takes every process out, sends the waiters away and returns the processes.
func (p *pool) retire() []*member {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, w := range p.waiters {
		close(w.granted)
	}
	members := p.members
	for _, m := range members {
		m.leaving = true
		m.noteIdleLocked()
	}
	p.members, p.waiters = nil, nil
	return members
}

// requestRecycle asks the child to replace the process.
func (p *pool) requestRecycle(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.requestRecycleLocked()
}

// setCapacity stores the capacity that the process reported.
func (p *pool) setCapacity(m *member, capacity int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.capacity = capacity
	p.dispatchLocked()
	p.changed()
}

// lowerCapacity stores that the process reported an overload.
func (p *pool) lowerCapacity(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.capacity = max(1, m.capacity-1)
	p.changed()
}

func (p *pool) noteBootFailure(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bootFailure = err
}

// state returns the latest handshake, nil if there was none, and why the latest boot failed, if it did.
func (p *pool) state() (*host.Handshake, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handshake, p.bootFailure
}

// dispatchLocked grants what room there is in the order of arrival. Those who wait behind an exclusive step go ahead of it
// in the other processes: it has one reserved.
func (p *pool) dispatchLocked() {
	if len(p.waiters) == 0 {
		return
	}
	p.waiters = slices.DeleteFunc(p.waiters, func(w *waiter) bool {
		m := p.findSlotLocked(w)
		if m != nil {
			w.granted <- m
		}
		return m != nil
	})
}

// findSlotLocked takes a slot for w, nil when none is free. An exclusive step gets the least loaded process reserved, so that
// it empties; otherwise it could wait without end.
func (p *pool) findSlotLocked(w *waiter) *member {
	var best *member
	for _, m := range p.members {
		switch {
		case !m.host.Usable() || m.alone || m.reserved != nil && m.reserved != w || m.load >= m.capacity && !w.exclusive:
		case m.reserved == w:
			best = m
		case best == nil || best.reserved != w && m.load < best.load:
			best = m
		}
	}
	switch {
	case best == nil:
		return nil
	case w.exclusive && best.load > 0:
		best.reserved = w
		return nil
	}
	best.load++
	best.alone, best.reserved = w.exclusive, nil
	return best
}

func (p *pool) unreserveLocked(w *waiter) {
	for _, m := range p.members {
		if m.reserved == w {
			m.reserved = nil
		}
	}
}

func (m *member) requestRecycleLocked() {
	if !m.recycleRequested {
		m.recycleRequested = true
		close(m.recycleDue)
	}
}

func (m *member) noteIdleLocked() {
	if !m.leaving || m.load > 0 {
		return
	}
	select {
	case <-m.idle:
	default:
		close(m.idle)
	}
}
