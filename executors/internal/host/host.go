package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/logs"
	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// Host is a handler process that has booted. It is safe for concurrent use.
type Host struct {
	handshake Handshake
	logger    *slog.Logger
	// notices is written without waiting and read by the supervisor.
	notices     chan Notice
	options     Options
	sendQueue   *sendQueue
	process     *process.Process
	sink        *logs.Sink
	secrets     *secrets
	scratchPool scratchPool

	// callbackMethods are those that the process may call. Each callback runs in a goroutine of callbackGroup with one of callbackSlots, and
	// none outlives life.
	callbackMethods map[string]callback
	callbackSlots   chan struct{}
	callbackGroup   sync.WaitGroup
	life            context.Context //nolint:containedctx // it is the life of the process, not of a call
	endLife         context.CancelFunc

	// ready is closed when the process has booted, done when it has ended and everything about it is settled.
	ready, done chan struct{}
	// drained is closed when the process is being stopped and no execution is in flight.
	drained chan struct{}
	// killing counts the goroutine that ends a process step by step.
	killing sync.WaitGroup

	// lines is the number of lines that the process has sent.
	lines atomic.Uint64

	// mu protects the fields below.
	mu    sync.Mutex
	calls map[wire.ID]*call
	// dump is what the process said about the stacks of its threads before it was killed.
	dump []string
	// lastID is the number in the id of the latest call: they count from 1.
	lastID uint64
	// latest is the id of the latest execution.
	latest wire.ID
	// peakIsFresh says that nothing has run since the peak of memory was reset.
	peakIsFresh bool
	// soleExecution tells which attempt owns what is printed without an execution id.
	soleExecution soleExecution
	// executions counts the calls in flight that run a step, cancelled those of them whose outcome is no longer wanted.
	executions, cancelled int
	// sending counts the requests that are being written; sent is signalled when it is none.
	sending    int
	sent       sync.Cond // with mu
	served     int
	servedAt   time.Time // of the latest
	violations int
	stopping   bool
	exiting    bool // it closed a channel and was still there when its patience ended
	ended      bool
	exitCause  ExitCause
}

// BootError is returned by [Start] when the process did not become ready.
type BootError struct {
	// Reason continues a sentence that begins with the process's name.
	Reason error
	// Tail is what the process printed last to stderr.
	Tail []string
}

// Error implements error.
func (e *BootError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *BootError) Unwrap() error { return e.Reason }

// Start starts a process and waits until it is ready. When it returns an error, no process is left.
func Start(ctx context.Context, starter *process.Starter, o Options) (*Host, error) {
	p, err := starter.Start(o.Command)
	if err != nil {
		return nil, &BootError{Reason: err}
	}
	h := newHost(p, o)
	go h.run()
	h.handshake, err = h.initialize(ctx)
	if err != nil {
		h.kill(ExitCause{Kind: ExitStopped, Reason: "did not become ready"})
		<-h.done
		return nil, &BootError{Reason: err, Tail: h.sink.Tail()}
	}
	h.peakIsFresh = p.ResetPeak() // what the boot took is no attempt's
	close(h.ready)
	h.logger.Info("handler process is ready", "language_version", h.handshake.LanguageVersion,
		"handlers", len(h.handshake.Handlers), "steps_at_once", h.handshake.MaxConcurrency)
	return h, nil
}

func newHost(p *process.Process, o Options) *Host {
	logger := o.Logger.With("executor", o.ID, "pid", p.PID())
	given := &secrets{}
	life, endLife := context.WithCancel(context.Background())
	h := &Host{
		life:            life,
		endLife:         endLife,
		secrets:         given,
		callbackMethods: o.callbackMethods(),
		callbackSlots:   make(chan struct{}, callbackSlotsMax),
		calls:           make(map[wire.ID]*call),
		done:            make(chan struct{}),
		drained:         make(chan struct{}),
		logger:          logger,
		notices:         make(chan Notice, noticesMax),
		options:         o,
		sendQueue:       newSendQueue(p.In, o.WriteTimeout),
		process:         p,
		ready:           make(chan struct{}),
		sink:            logs.NewSink(slog.New(redactor{logger.Handler(), given})),
	}
	h.sent.L = &h.mu
	return h
}

// Done is closed when the process has ended and every execution in it is settled.
func (h *Host) Done() <-chan struct{} { return h.done }

// Handshake is what the process said about itself when it started.
func (h *Host) Handshake() *Handshake { return &h.handshake }

// ID names the process.
func (h *Host) ID() string { return h.options.ID }

// PID is the process id.
func (h *Host) PID() int { return h.process.PID() }

// Served is the number of executions that the process has answered.
func (h *Host) Served() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.served
}

// Usable says whether the process takes more executions: it lives, is not being stopped, and nothing in it is waiting
// to be killed.
func (h *Host) Usable() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.ended && !h.stopping && h.cancelled == 0 && h.exitCause.Kind == ExitedByItself
}

// run owns the goroutines of the process and ends when the process has.
func (h *Host) run() {
	h.sink.Redact, h.sink.OnLine = h.secrets.redact, h.appendPrinted
	var serving sync.WaitGroup
	serving.Go(h.read)
	serving.Go(h.write)
	serving.Go(h.ping)
	serving.Go(func() { h.sink.Drain(h.process.Stdout, "stdout", false) })
	serving.Go(func() { h.sink.Drain(h.process.Stderr, "stderr", true) })
	<-h.process.Done()
	h.endLife()
	serving.Wait()
	h.callbackGroup.Wait()
	h.failPending()
	h.killing.Wait()
	h.process.Close()
	close(h.done)
}

// call sends a request other than an execution and waits for its answer.
func (h *Host) call(ctx context.Context, method string, params any) (*message, error) {
	c, err := h.request(method, params)
	if err != nil {
		return nil, err
	}
	select {
	case end := <-c.end:
		if end.message == nil {
			return nil, errEnded
		}
		return end.message, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errEnded = errors.New("handler process has ended")

func (h *Host) name() string {
	return fmt.Sprintf("handler process %s (pid %d)", h.options.ID, h.process.PID())
}
