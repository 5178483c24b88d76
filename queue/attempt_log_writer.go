package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// How lines are collected and written.
const (
	// logFlushDelay is how long a line waits for further lines. The end of an attempt ends the wait.
	logFlushDelay = 250 * time.Millisecond
	// logFlushInterval is the shortest time between two statements, so that attempts that end together share one.
	logFlushInterval = 20 * time.Millisecond
	// logRetryDelay is the time between a failed write and its retry.
	logRetryDelay   = time.Second
	logWriteTimeout = 5 * time.Second
	logBatchLines   = 1000
	// logPendingLines and logPendingBytes bound the buffered lines.
	logPendingLines = 20000
	logPendingBytes = 16 << 20
	// lateLinesTimeout is how long an ended attempt is logged in memory for lines that are still in a pipe.
	lateLinesTimeout = time.Second
)

// AttemptLogWriter writes the lines of attempts to the database in the background. A bounded buffer holds the lines,
// and one goroutine writes them. When the buffer is full, further lines are dropped and counted. It implements
// [engine.AttemptLog].
type AttemptLogWriter struct {
	write    func(context.Context, []sql.AttemptLine) error
	redactor engine.Redactor
	log      *slog.Logger
	// pendingSignal is signalled when a line is pending, flushNow when pending lines are to be written immediately.
	// Each holds at most one signal.
	pendingSignal, flushNow chan struct{}
	// stop is closed by Close, done by the goroutine.
	stop, done chan struct{}
	stopOnce   sync.Once

	// mu protects the fields below.
	mu       sync.Mutex
	attempts map[int64]*loggedAttempt
	// endedTokens are the tokens of ended attempts, in the order of their ends.
	endedTokens   []int64
	pending       []sql.AttemptLine
	pendingBytes  int
	dropped       int64
	droppedLogged int64
}

var _ engine.AttemptLog = (*AttemptLogWriter)(nil)

// loggedAttempt counts the lines of one attempt.
type loggedAttempt struct {
	token, stepID int64
	step          string
	attempt       int
	lines, bytes  int
	// omittedLines and omittedBytes are beyond the bounds of an attempt. omissionLogged is true once its log says so.
	omittedLines, omittedBytes int
	omissionLogged             bool
	endedAt                    time.Time
}

// NewAttemptLogWriter returns a writer that works until Close. It redacts every line with redactor and reports dropped
// lines to log.
func NewAttemptLogWriter(pool *pgxpool.Pool, redactor engine.Redactor, log *slog.Logger) *AttemptLogWriter {
	return startAttemptLogWriter(sql.NewStore(pool).AppendLogs, redactor, log)
}

func startAttemptLogWriter(
	write func(context.Context, []sql.AttemptLine) error, redactor engine.Redactor, log *slog.Logger,
) *AttemptLogWriter {
	w := &AttemptLogWriter{
		attempts: make(map[int64]*loggedAttempt), done: make(chan struct{}), flushNow: make(chan struct{}, 1), log: log,
		redactor: redactor, stop: make(chan struct{}), pendingSignal: make(chan struct{}, 1), write: write,
	}
	go w.run()
	return w
}

// Close writes the pending lines, for at most 5 s, and ends the goroutine. Later lines are dropped.
func (w *AttemptLogWriter) Close() {
	w.stopOnce.Do(func() { close(w.stop) })
	<-w.done
}

// Dropped is the number of lines that were not written. Lines beyond the bounds of an attempt do not count.
func (w *AttemptLogWriter) Dropped() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// Append implements [engine.AttemptLog].
func (w *AttemptLogWriter) Append(a *engine.Attempt, line engine.LogLine) {
	line.Message = w.redactor.Redact(line.Message)
	w.mu.Lock()
	defer w.mu.Unlock()
	logged := w.attempts[a.Token]
	if logged == nil {
		logged = &loggedAttempt{attempt: a.Step.Attempt, step: a.Step.Name, stepID: a.Step.ID, token: a.Token}
		w.attempts[a.Token] = logged
	}
	if logged.lines >= engine.LogLinesMax || logged.bytes+len(line.Message) > engine.LogBytesMax {
		logged.omittedLines++
		logged.omittedBytes += len(line.Message)
		return
	}
	logged.bytes += len(line.Message)
	w.addLocked(logged, line)
}

// End implements [engine.AttemptLog]. For an attempt without lines it costs one look-up in a map.
func (w *AttemptLogWriter) End(a *engine.Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	logged := w.attempts[a.Token]
	if logged == nil {
		return
	}
	if logged.endedAt.IsZero() {
		w.endedTokens = append(w.endedTokens, a.Token)
		logged.endedAt = time.Now()
	}
	w.appendOmissionLocked(logged)
	signal(w.flushNow)
}

// appendOmissionLocked appends a line to the log of an ended attempt that counts its omitted lines.
func (w *AttemptLogWriter) appendOmissionLocked(logged *loggedAttempt) {
	if logged.omittedLines == 0 || logged.omissionLogged {
		return
	}
	logged.omissionLogged = true
	w.addLocked(logged, engine.LogLine{
		At: time.Now(), Level: "warn", Stream: "worker",
		Message: fmt.Sprintf(
			"%d more lines with %d bytes were dropped: at most %d lines and %d KiB of an attempt are kept",
			logged.omittedLines, logged.omittedBytes, engine.LogLinesMax, engine.LogBytesMax>>10,
		),
	})
}

func (w *AttemptLogWriter) addLocked(logged *loggedAttempt, line engine.LogLine) {
	if len(w.pending) >= logPendingLines || w.pendingBytes+len(line.Message) > logPendingBytes || w.isStopped() {
		w.dropped++
		return
	}
	logged.lines++
	w.pending = append(w.pending, sql.AttemptLine{
		At: line.At, Attempt: logged.attempt, Level: line.Level, Line: logged.lines, Message: line.Message,
		Step:   logged.step,
		StepID: logged.stepID, Stream: line.Stream, Token: logged.token,
	})
	w.pendingBytes += len(line.Message)
	signal(w.pendingSignal)
}

func (w *AttemptLogWriter) isStopped() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // a signal is pending
	}
}

// run writes lines until Close, and then the pending ones.
func (w *AttemptLogWriter) run() {
	defer close(w.done)
	for w.waitForLines() {
		pause := logFlushInterval
		if !w.flush(context.Background()) {
			pause = logRetryDelay
			signal(w.pendingSignal)
		}
		w.logDropped()
		w.sleep(pause)
	}
	w.flush(context.Background())
	w.dropPending()
	w.logDropped()
}

// waitForLines waits for a line, and then for further lines. It returns false when the writer is closed.
func (w *AttemptLogWriter) waitForLines() bool {
	select {
	case <-w.stop:
		return false
	case <-w.pendingSignal:
	}
	timer := time.NewTimer(logFlushDelay)
	defer timer.Stop()
	select {
	case <-w.stop:
		return false
	case <-w.flushNow:
	case <-timer.C:
	}
	return true
}

func (w *AttemptLogWriter) sleep(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-w.stop:
	case <-timer.C:
	}
}

// flush writes the pending lines. It returns false if that failed; then the lines remain pending.
func (w *AttemptLogWriter) flush(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, logWriteTimeout)
	defer cancel()
	for {
		batch := w.batch()
		if len(batch) == 0 {
			w.evictEnded()
			return true
		}
		err := w.write(ctx, batch)
		if isDataError(err) {
			w.log.Warn("database rejected log lines of attempts: they are dropped", "lines", len(batch), "error", err)
			w.countDropped(len(batch))
		} else if err != nil {
			w.log.Warn("writing log lines of attempts failed, retrying", "lines", len(batch), "error", err)
			return false
		}
		w.removeWritten(batch)
	}
}

// isDataError reports whether the database rejected the lines themselves, so that a retry would fail too.
func isDataError(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pgErr.Code, "22") || strings.HasPrefix(pgErr.Code, "23") ||
		strings.HasPrefix(pgErr.Code, "42"))
}

func (w *AttemptLogWriter) batch() []sql.AttemptLine {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending[:min(len(w.pending), logBatchLines)]
}

// removeWritten removes the batch from the head of the buffer.
func (w *AttemptLogWriter) removeWritten(batch []sql.AttemptLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range batch {
		w.pendingBytes -= len(batch[i].Message)
	}
	w.pending = w.pending[len(batch):]
	if len(w.pending) == 0 {
		w.pending = nil // frees the memory of a burst
	}
}

func (w *AttemptLogWriter) countDropped(lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropped += int64(lines)
}

// dropPending drops the lines that could not be written before the end.
func (w *AttemptLogWriter) dropPending() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropped += int64(len(w.pending))
	w.pending, w.pendingBytes = nil, 0
}

// evictEnded removes attempts that ended long enough ago for their pipes to be empty.
func (w *AttemptLogWriter) evictEnded() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.endedTokens) > 0 && time.Since(w.attempts[w.endedTokens[0]].endedAt) > lateLinesTimeout {
		delete(w.attempts, w.endedTokens[0])
		w.endedTokens = w.endedTokens[1:]
	}
}

// logDropped logs the number of lines that were dropped since its last call.
func (w *AttemptLogWriter) logDropped() {
	w.mu.Lock()
	dropped := w.dropped - w.droppedLogged
	w.droppedLogged = w.dropped
	w.mu.Unlock()
	if dropped > 0 {
		w.log.Warn("log lines of attempts were dropped", "lines", dropped)
	}
}
