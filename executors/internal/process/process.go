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
// group can hold a pipe open for ever, so end of file is not awaited for longer.
const drainGrace = 500 * time.Millisecond

// Command says what to start.
type Command struct {
	// Args is the program, as an absolute path, and its arguments. No shell is involved.
	Args []string
	// Env is the whole environment, as KEY=VALUE.
	Env []string
	// Stdin is what a program reads on fd 0 that speaks no protocol: it gets no fds 3 and 4. Nil is for a host.
	Stdin *os.File
}

// Process is a started process. Its methods may be called concurrently and after its end.
type Process struct {
	// In takes what the process reads on fd 3. Closing it asks the process to end.
	In *os.File
	// Out, Stdout and Stderr give what the process writes on fds 4, 1 and 2. They end shortly after the process.
	Out, Stdout, Stderr *os.File

	cmd  *exec.Cmd
	done chan struct{}

	// mu keeps a signal from being sent to a process id that was given to somebody else.
	mu     sync.Mutex
	reaped bool
}

// Close closes the four pipes. It is called when the process has ended and its pipes have been read.
func (p *Process) Close() {
	for _, f := range []*os.File{p.In, p.Out, p.Stdout, p.Stderr} {
		_ = f.Close() // In may have been closed before
	}
}

// Done is closed when the process has ended and its process group has been killed.
func (p *Process) Done() <-chan struct{} { return p.done }

// How says how the process ended, for a sentence that begins with its name. It must not be called before Done.
func (p *Process) How() string {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return fmt.Sprintf("was ended by signal %d (%s)", int(status.Signal()), status.Signal())
	}
	return fmt.Sprintf("exited with status %d", p.cmd.ProcessState.ExitCode())
}

// ExitStatus is the status that the process exited with; it is not meaningful, and signalled is true, when a signal ended
// it. It must not be called before Done.
func (p *Process) ExitStatus() (code int, signalled bool) {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return p.cmd.ProcessState.ExitCode(), ok && status.Signaled()
}

// Kill ends the process and everything in its group, without mercy.
func (p *Process) Kill() { p.signal(syscall.SIGKILL) }

// PID is the process id, which is also the id of the process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Terminate asks the process and everything in its group to end.
func (p *Process) Terminate() { p.signal(syscall.SIGTERM) }

func (p *Process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.PID(), s) // fails only when nobody is left in the group
	}
}

// watch owns the end of the process: it reaps it, sweeps its group and bounds the reading of its pipes.
func (p *Process) watch() {
	p.reap()
	deadline := time.Now().Add(drainGrace)
	for _, f := range []*os.File{p.Out, p.Stdout, p.Stderr} {
		_ = f.SetReadDeadline(deadline) // fails only when the reader has closed the pipe already
	}
	close(p.done)
}

func start(c Command) (_ *Process, err error) {
	pipes, err := openPipes()
	if err != nil {
		return nil, fmt.Errorf("opening pipes for %s: %w", c.Args[0], err)
	}
	p := &Process{In: pipes.ours[0], Out: pipes.ours[1], Stdout: pipes.ours[2], Stderr: pipes.ours[3], done: make(chan struct{})}
	p.cmd = &exec.Cmd{
		Args:        c.Args,
		Env:         c.Env,
		ExtraFiles:  pipes.theirs[:2], // fds 3 and 4
		Path:        c.Args[0],
		Stderr:      pipes.theirs[3],
		Stdout:      pipes.theirs[2],
		SysProcAttr: attributes(),
	}
	if c.Stdin != nil {
		p.cmd.Stdin, p.cmd.ExtraFiles = c.Stdin, nil
	}
	err = p.cmd.Start()
	closeAll(pipes.theirs)
	if err != nil {
		closeAll(pipes.ours)
		return nil, fmt.Errorf("starting %s: %w", c.Args[0], err)
	}
	go p.watch()
	return p, nil
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
