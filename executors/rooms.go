package executors

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/templates"
)

// Keys of the pools, see [engine.Pool]. Those of languages are their names.
const (
	// CommandPool runs the steps with a command.
	CommandPool = "command"
	// exclusiveSuffix and processSuffix follow the name of a language.
	exclusiveSuffix = "/exclusive"
	processSuffix   = "/process"
)

var _ engine.Pools = (*Supervisor)(nil)

// change wakes the goroutines that wait for a change. It is safe for concurrent use.
type change struct {
	mu sync.Mutex
	// next is closed at the next change, nil while none waits.
	next chan struct{}
}

// happened tells those who have asked.
func (c *change) happened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

// after returns a channel that is closed at the next change.
func (c *change) after() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

// SetCommands says which templates are the worker's own now: their commands are those that it runs in addition to the programs below the
// executors folder, and the others learn the handlers of them.
func (s *Supervisor) SetCommands(all []*templates.Template) {
	own := commandsOf(all)
	s.mu.Lock()
	same := slices.Equal(own.handlers, s.commands.handlers)
	s.commands = own
	s.mu.Unlock()
	if !same {
		s.change.happened()
	}
}

// Changed implements [engine.Pools].
func (s *Supervisor) Changed() <-chan struct{} { return s.change.after() }

// Pools implements [engine.Pools].
func (s *Supervisor) Pools() []engine.Pool {
	g := s.generation()
	if g == nil {
		return nil
	}
	s.mu.RLock()
	handlers := s.commands.handlers
	s.mu.RUnlock()
	pools := []engine.Pool{{Key: CommandPool, Handlers: handlers, Slots: cap(s.commandSlots), Free: cap(s.commandSlots) - len(s.commandSlots)}}
	for _, p := range g.pools {
		pools = append(pools, g.roomsOf(p)...)
	}
	slices.SortFunc(pools, func(a, b engine.Pool) int { return cmp.Compare(a.Key, b.Key) })
	return pools
}

// roomsOf is the pools that one language has.
func (g *generation) roomsOf(p *pool) []engine.Pool {
	g.mu.RLock()
	names := g.table.names[p]
	g.mu.RUnlock()
	language, room := string(p.runtime.language), p.measure()
	pools := []engine.Pool{
		{Key: language, Handlers: names.shared, Slots: room.slots, Free: room.free},
		{Key: language + processSuffix, Slots: cap(p.isolated.slots), Free: cap(p.isolated.slots) - len(p.isolated.slots)},
	}
	if len(names.exclusive) > 0 {
		pools = append(pools, engine.Pool{
			Key: language + exclusiveSuffix, SharesSlotsOf: language, Handlers: names.exclusive, Slots: room.processes, Free: room.idle,
		})
	}
	return pools
}

// PoolOf implements [engine.Pools].
func (s *Supervisor) PoolOf(handler string) (key string, served bool) {
	g := s.generation()
	switch {
	case g == nil:
		return "", false
	case strings.HasPrefix(handler, templates.CommandPrefix):
		return CommandPool, true
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	p := g.table.routes[handler]
	switch {
	case p == nil:
		return "", false
	case g.table.exclusive[handler]:
		return p.exclusiveKey, true
	default:
		return string(p.runtime.language), true
	}
}

// Free implements [engine.Pools].
func (s *Supervisor) Free(key string) int {
	if key == CommandPool {
		return cap(s.commandSlots) - len(s.commandSlots)
	}
	g := s.generation()
	if g == nil {
		return 0
	}
	for _, p := range g.pools {
		kind, found := strings.CutPrefix(key, string(p.runtime.language))
		if !found {
			continue
		}
		switch kind {
		case "":
			return p.measure().free
		case exclusiveSuffix:
			return p.measure().idle
		case processSuffix:
			return cap(p.isolated.slots) - len(p.isolated.slots)
		}
	}
	return 0
}

// TryAcquire implements [engine.Pools].
func (s *Supervisor) TryAcquire(handler string) engine.Slot {
	g := s.generation()
	if g == nil {
		return nil
	}
	if strings.HasPrefix(handler, templates.CommandPrefix) {
		select {
		case s.commandSlots <- struct{}{}:
			return &commandSlot{supervisor: s}
		default:
			return nil
		}
	}
	p, exclusive, err := g.route(handler)
	if err != nil {
		return nil
	}
	m := p.tryAcquire(exclusive)
	if m == nil {
		return nil
	}
	return &slot{exclusive: exclusive, generation: g, member: m, pool: p, supervisor: s}
}

// room is what a pool has now: places, and processes for exclusive steps, of which idle could be had.
type room struct{ slots, free, processes, idle int }

// measure counts the room. Everyone who waits is counted as one who has got some.
func (p *pool) measure() room {
	p.mu.Lock()
	defer p.mu.Unlock()
	var r room
	for _, m := range p.members {
		if !m.host.Usable() {
			continue
		}
		r.slots += m.capacity
		r.processes++
		if m.alone || m.reserved != nil {
			continue
		}
		r.free += max(0, m.capacity-m.load)
		if m.load == 0 {
			r.idle++
		}
	}
	r.free, r.idle = max(0, r.free-len(p.waiters)), max(0, r.idle-len(p.waiters))
	return r
}

// tryAcquire is acquire without the wait. It never overtakes a caller that waits.
func (p *pool) tryAcquire(exclusive bool) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired || len(p.waiters) > 0 {
		return nil
	}
	w := &waiter{exclusive: exclusive}
	m := p.findSlotLocked(w)
	p.unreserveLocked(w)
	return m
}
