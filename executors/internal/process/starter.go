package process

import "runtime"

// Starter starts processes from one operating system thread that lives as long as the Starter. Linux ties the signal
// that a child gets on its parent's death to the parent's thread, and Go ends threads when it pleases: without a thread
// of its own, a healthy handler process would be killed by a thread's retirement.
type Starter struct {
	// requests is written by Start and read by the thread; Close closes it.
	requests chan startRequest
	ended    chan struct{}
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
	s := &Starter{requests: make(chan startRequest), ended: make(chan struct{})}
	go s.run()
	return s
}

// Close ends the thread. Linux then kills every process that was started from it and still lives.
// No Start may be under way or follow.
func (s *Starter) Close() {
	close(s.requests)
	<-s.ended
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
	defer close(s.ended)
	runtime.LockOSThread()
	for request := range s.requests {
		p, err := start(request.command)
		request.reply <- startReply{process: p, err: err}
	}
}
