package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// drainGrace is how long readers may still empty the pipes of an ended process. A grandchild that left the process
// group can hold a pipe open without end, so end of file is not awaited for longer.
const drainGrace = 500 * time.Millisecond

// started are the processes of this package that are not reaped yet: their own goroutines wait for them.
var started sync.Map

// Process is a started process. Its methods may be called concurrently and after its end.
type Process struct {
	// In takes what the process reads on fd 3. Closing it asks the process to end.
	In *os.File
	// Out gives what the process writes on fd 4, Stdout and Stderr what it writes on fds 1 and 2. They end shortly after the process.
	Out            *os.File
	Stdout, Stderr *Output

	cgroup cgroup
	cmd    *exec.Cmd
	done   chan struct{}
	sign   sign

	// mu keeps a signal from being sent to a process id that was given to another process.
	mu          sync.Mutex
	reaped      bool
	outOfMemory bool
}

// Close closes the four pipes. It is called when the process has ended and its pipes have been read.
func (p *Process) Close() {
	for _, f := range []*os.File{p.In, p.Out, p.Stdout.File, p.Stderr.File} {
		_ = f.Close() // In may have been closed before, and a program has no Out
	}
}

// Done is closed when the process has ended and its process group has been killed.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is how a process ended: by a signal, or with a status.
type Exit struct {
	Status int
	// Signal is 0 when the process exited by itself.
	Signal syscall.Signal
	// OutOfMemory says that the kernel killed the process, or something that it started, for [Limits].Memory.
	OutOfMemory bool
}

// String says it, for a sentence that begins with the name of the process.
func (e Exit) String() string {
	switch {
	case e.OutOfMemory && e.Signal == syscall.SIGKILL:
		return "was killed by the kernel because it used more memory than it may"
	case e.Signal != 0:
		return fmt.Sprintf("was ended by signal %d (%s)", int(e.Signal), e.Signal)
	default:
		return fmt.Sprintf("exited with status %d", e.Status)
	}
}

// Exit says how the process ended. It must not be called before Done.
func (p *Process) Exit() Exit {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return Exit{OutOfMemory: p.outOfMemory, Signal: status.Signal()}
	}
	return Exit{OutOfMemory: p.outOfMemory, Status: p.cmd.ProcessState.ExitCode()}
}

// How says how the process ended, for a sentence that begins with its name. It must not be called before Done.
func (p *Process) How() string { return p.Exit().String() }

// Dump asks the process to print the stacks of its threads to stderr, and says whether it was asked: a process that does
// not handle SIGUSR1 is not.
func (p *Process) Dump() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.reaped && p.dumps() && syscall.Kill(p.PID(), syscall.SIGUSR1) == nil
}

// Kill ends the process and everything that it started, without mercy. It stops the process first: its descendants are
// known by it for as long as it is there, and a stopped process starts no more of them.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return
	}
	_ = syscall.Kill(-p.PID(), syscall.SIGSTOP) // fails only when the group is empty
	killTree(p.PID(), p.sign)
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
}

// PID is the process id, which is also the id of the process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Terminate asks the process and everything in its group to end.
func (p *Process) Terminate() { p.signal(syscall.SIGTERM) }

func (p *Process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.PID(), s) // fails only when the group is empty
	}
}

// watch owns the end of the process: it reaps it, sweeps its group and bounds the reading of its pipes.
func (p *Process) watch() {
	p.reap()
	deadline := time.Now().Add(drainGrace)
	for _, f := range []*os.File{p.Out, p.Stdout.File, p.Stderr.File} {
		_ = f.SetReadDeadline(deadline) // fails only when the reader has closed the pipe already, or there is none
	}
	close(p.done)
}

func start(c Command, cookie uint64) (_ *Process, err error) {
	pipes, err := openPipes()
	if err != nil {
		return nil, fmt.Errorf("opening pipes for %s: %w", c.Args[0], err)
	}
	p := &Process{
		In: pipes.ours[0], Out: pipes.ours[1], Stdout: newOutput(pipes.ours[2]), Stderr: newOutput(pipes.ours[3]), done: make(chan struct{}),
		sign: sign{cookie: cookie, mark: c.Mark},
	}
	err = branded(cookie, func() error { return p.startGrouped(&c, pipes.theirs) })
	closeAll(pipes.theirs)
	if c.Program {
		_ = p.Out.Close() // nothing was written
		p.Out = nil
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("starting %s: %w", c.Args[0], err)
	}
	err = p.limit(c.Limits)
	go p.watch()
	if err != nil {
		p.Kill()
		<-p.done
		p.Close()
		return nil, fmt.Errorf("starting %s: %w", c.Args[0], err)
	}
	return p, nil
}

// command is what is started, with the ends of the pipes that are the child's.
func command(c *Command, pipes []*os.File) *exec.Cmd {
	cmd := &exec.Cmd{
		Args:        c.Args,
		Dir:         c.Dir,
		Env:         c.Env,
		ExtraFiles:  pipes[:2], // fds 3 and 4
		Path:        c.Args[0],
		Stderr:      pipes[3],
		Stdout:      pipes[2],
		SysProcAttr: attributes(c),
	}
	if c.Program {
		cmd.Stdin, cmd.ExtraFiles = pipes[0], nil
		if c.Stdin != nil {
			cmd.Stdin = c.Stdin
		}
	}
	return cmd
}

// limit bounds a process that was just started.
func (p *Process) limit(l Limits) (err error) {
	started.Store(p.PID(), nil)
	if err = l.apply(p.PID()); err == nil {
		p.cgroup, err = p.cgroup.limit(l, p.sign.cookie, p.PID())
	}
	return err
}

// pipes are the two ends of requests, responses, stdout and stderr, in this order.
type pipes struct{ ours, theirs []*os.File }

func openPipes() (pipes, error) {
	var all pipes
	for i := range 4 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(all.ours)
			closeAll(all.theirs)
			return pipes{}, errors.Join(errors.New("too many open files? raise the limit with ulimit -n"), err)
		}
		if i == 0 {
			r, w = w, r
		}
		all.ours, all.theirs = append(all.ours, r), append(all.theirs, w)
	}
	return all, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
