package process

import (
	"sync"
	"sync/atomic"
)

// Starter starts each process from an operating system thread of its own, which lives as long as the process. Linux ties the
// signal that a child gets on its parent's death to the parent's thread, and Go ends threads when it pleases: without a thread
// of its own, a healthy handler process would be killed by a thread's retirement. It also lets each process inherit what keeps it
// apart from the others, see separate.
type Starter struct {
	// cookie is carried by all that is started, with a count.
	cookie uint64
	count  atomic.Uint64
	// Ungrouped makes no control groups but for limits, as where none can be had. It is set before the first Start.
	Ungrouped bool
	// starting is held while a process is started: one at a time.
	starting sync.Mutex
	// stop is closed by Close and ends the threads, and the reaping of orphans.
	stop    chan struct{}
	running sync.WaitGroup
}

type startReply struct {
	process *Process
	err     error
}

// NewStarter returns a Starter whose owner must call Close.
func NewStarter() *Starter {
	closeInherited()
	becomeSubreaper()
	s := &Starter{cookie: newCookie(), stop: make(chan struct{})}
	s.running.Go(func() { reapOrphans(s.stop) })
	return s
}

// Close ends the threads. Linux then kills every process that was started from one and still lives.
// No Start may be under way or follow.
func (s *Starter) Close() {
	close(s.stop)
	s.running.Wait()
}

// Start starts a process. It may be called concurrently.
func (s *Starter) Start(c Command) (*Process, error) {
	reply := make(chan startReply, 1)
	s.running.Go(func() { onOwnThread(func() { s.parent(c, reply) }) })
	r := <-reply
	return r.process, r.err
}

// parent starts a process from the present thread, and keeps that until the process has ended.
func (s *Starter) parent(c Command, reply chan<- startReply) {
	p, err := s.start(c)
	reply <- startReply{process: p, err: err}
	if err != nil {
		return
	}
	select {
	case <-p.Done():
	case <-s.stop:
	}
}

func (s *Starter) start(c Command) (*Process, error) {
	if err := harden(); err != nil {
		return nil, err
	}
	s.starting.Lock()
	defer s.starting.Unlock()
	c.ungrouped = s.Ungrouped
	return start(c, cookieFor(s.cookie, s.count.Add(1)))
}
