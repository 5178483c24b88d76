package process

import (
	"runtime"
	"sync"
)

// Starter starts processes from one operating system thread that lives as long as the Starter. Linux ties the signal
// that a child gets on its parent's death to the parent's thread, and Go ends threads when it pleases: without a thread
// of its own, a healthy handler process would be killed by a thread's retirement.
type Starter struct {
	// requests is written by Start and read by the thread; Close closes it.
	requests chan startRequest
	// cookie is carried by all that is started, with a count.
	cookie uint64
	// stop is closed by Close and ends the reaping of orphans.
	stop    chan struct{}
	running sync.WaitGroup
}

type startRequest struct {
	command Command
	// reply has room for the one answer.
	reply chan startReply
}

type startReply struct {
	process *Process
	err     error
}

// NewStarter returns a Starter whose owner must call Close.
func NewStarter() *Starter {
	closeInherited()
	adoptOrphans()
	s := &Starter{cookie: newCookie(), requests: make(chan startRequest), stop: make(chan struct{})}
	s.running.Go(s.run)
	s.running.Go(func() { reapOrphans(s.stop) })
	return s
}

// Close ends the thread. Linux then kills every process that was started from it and still lives.
// No Start may be under way or follow.
func (s *Starter) Close() {
	close(s.requests)
	close(s.stop)
	s.running.Wait()
}

// Start starts a process. It may be called concurrently.
func (s *Starter) Start(c Command) (*Process, error) {
	request := startRequest{command: c, reply: make(chan startReply, 1)}
	s.requests <- request
	reply := <-request.reply
	return reply.process, reply.err
}

// run never unlocks its thread, so the runtime ends the thread together with the goroutine.
func (s *Starter) run() {
	runtime.LockOSThread()
	hardening := harden()
	count := uint64(0)
	for request := range s.requests {
		if hardening != nil {
			request.reply <- startReply{err: hardening}
			continue
		}
		count++
		p, err := start(request.command, cookieFor(s.cookie, count))
		request.reply <- startReply{process: p, err: err}
	}
}
