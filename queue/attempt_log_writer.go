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

// How lines are gathered and written.
const (
	// logFlushDelay is how long a line waits for others; the end of an attempt cuts it short.
	logFlushDelay = 250 * time.Millisecond
	// logFlushInterval is the time between two statements, so that attempts that end together share one.
	logFlushInterval = 20 * time.Millisecond
	// logRetryDelay is the rest after a database did not take the lines.
	logRetryDelay   = time.Second
	logWriteTimeout = 5 * time.Second
	logBatchLines   = 1000
	// logPendingLines and logPendingBytes bound the lines that wait for the database.
	logPendingLines = 20000
	logPendingBytes = 16 << 20
	// lateLinesTimeout is how long an ended attempt is remembered for lines that are still in a pipe.
	lateLinesTimeout = time.Second
)

// AttemptLogWriter keeps what attempts print in the database, off their path: lines wait in a bounded buffer, and one goroutine
// writes them. While the database takes none they are kept up to the bound, and then dropped and counted. It implements
// [engine.AttemptLog].
type AttemptLogWriter struct {
	write    func(context.Context, []sql.AttemptLine) error
	redactor engine.Redactor
	log      *slog.Logger
	// pendingSignal says that a line waits, hurry that one need not wait for others; each holds one signal at most.
	pendingSignal, flushNow chan struct{}
	// stop is closed by Close, ended by the goroutine.
	stop, done chan struct{}
	stopOnce   sync.Once

	// mu protects the fields below.
	mu       sync.Mutex
	attempts map[int64]*loggedAttempt
	// endedTokens are the tokens of ended attempts, in the order of their end.
	endedTokens   []int64
	pending       []sql.AttemptLine
	pendingBytes  int
	dropped       int64
	droppedLogged int64
}

var _ engine.AttemptLog = (*AttemptLogWriter)(nil)

// loggedAttempt counts what is kept of one attempt.
type loggedAttempt struct {
	token, stepID int64
	step          string
	attempt       int
	lines, bytes  int
	// omittedLines and cutBytes are beyond the bound of an attempt; cutReported says that its log says so.
	omittedLines, omittedBytes int
	omissionLogged             bool
	endedAt                    time.Time
}

// NewAttemptLogWriter returns a keeper that works until Close. secrets are hidden in every line; log is told when lines are lost.
func NewAttemptLogWriter(pool *pgxpool.Pool, redactor engine.Redactor, log *slog.Logger) *AttemptLogWriter {
	return startAttemptLogWriter(sql.NewStore(pool).AppendLogs, redactor, log)
}

func startAttemptLogWriter(write func(context.Context, []sql.AttemptLine) error, redactor engine.Redactor, log *slog.Logger) *AttemptLogWriter {
	k := &AttemptLogWriter{
		attempts: make(map[int64]*loggedAttempt), done: make(chan struct{}), flushNow: make(chan struct{}, 1), log: log,
		redactor: redactor, stop: make(chan struct{}), pendingSignal: make(chan struct{}, 1), write: write,
	}
	go k.run()
	return k
}

// Close writes what waits, for a few seconds at most, and ends the goroutine. Lines that come later are dropped.
func (k *AttemptLogWriter) Close() {
	k.stopOnce.Do(func() { close(k.stop) })
	<-k.done
}

// Dropped is the number of lines that the database did not take in time. Lines beyond an attempt's bound do not count.
func (k *AttemptLogWriter) Dropped() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dropped
}

// Append implements [engine.AttemptLog].
func (k *AttemptLogWriter) Append(a *engine.Attempt, line engine.LogLine) {
	line.Message = k.redactor.Redact(line.Message)
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.attempts[a.Token]
	if kept == nil {
		kept = &loggedAttempt{attempt: a.Step.Attempt, step: a.Step.Name, stepID: a.Step.ID, token: a.Token}
		k.attempts[a.Token] = kept
	}
	if kept.lines >= engine.LogLinesMax || kept.bytes+len(line.Message) > engine.LogBytesMax {
		kept.omittedLines++
		kept.omittedBytes += len(line.Message)
		return
	}
	kept.bytes += len(line.Message)
	k.addLocked(kept, line)
}

// End implements [engine.AttemptLog]. For an attempt that printed nothing it is a look into a map.
func (k *AttemptLogWriter) End(a *engine.Attempt) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.attempts[a.Token]
	if kept == nil {
		return
	}
	if kept.endedAt.IsZero() {
		k.endedTokens = append(k.endedTokens, a.Token)
		kept.endedAt = time.Now()
	}
	k.appendOmissionLocked(kept)
	signal(k.flushNow)
}

// appendOmissionLocked says at the end of an attempt how much of it is missing.
func (k *AttemptLogWriter) appendOmissionLocked(kept *loggedAttempt) {
	if kept.omittedLines == 0 || kept.omissionLogged {
		return
	}
	kept.omissionLogged = true
	k.addLocked(kept, engine.LogLine{
		At: time.Now(), Level: "warn", Stream: "worker",
		Message: fmt.Sprintf("%d more lines with %d bytes were dropped: at most %d lines and %d KiB of an attempt are kept",
			kept.omittedLines, kept.omittedBytes, engine.LogLinesMax, engine.LogBytesMax>>10),
	})
}

func (k *AttemptLogWriter) addLocked(kept *loggedAttempt, line engine.LogLine) {
	if len(k.pending) >= logPendingLines || k.pendingBytes+len(line.Message) > logPendingBytes || k.isStopped() {
		k.dropped++
		return
	}
	kept.lines++
	k.pending = append(k.pending, sql.AttemptLine{
		At: line.At, Attempt: kept.attempt, Level: line.Level, Line: kept.lines, Message: line.Message, Step: kept.step,
		StepID: kept.stepID, Stream: line.Stream, Token: kept.token,
	})
	k.pendingBytes += len(line.Message)
	signal(k.pendingSignal)
}

func (k *AttemptLogWriter) isStopped() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is signalled already
	}
}

// run writes until Close, and then what is left.
func (k *AttemptLogWriter) run() {
	defer close(k.done)
	for k.waitForLines() {
		pause := logFlushInterval
		if !k.flush(context.Background()) {
			pause = logRetryDelay
			signal(k.pendingSignal)
		}
		k.logDropped()
		k.sleep(pause)
	}
	k.flush(context.Background())
	k.dropPending()
	k.logDropped()
}

// waitForLines waits for lines, and then for more of them. It returns false when the keeper is closed.
func (k *AttemptLogWriter) waitForLines() bool {
	select {
	case <-k.stop:
		return false
	case <-k.pendingSignal:
	}
	timer := time.NewTimer(logFlushDelay)
	defer timer.Stop()
	select {
	case <-k.stop:
		return false
	case <-k.flushNow:
	case <-timer.C:
	}
	return true
}

func (k *AttemptLogWriter) sleep(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-k.stop:
	case <-timer.C:
	}
}

// flush writes what waits. It returns false when the database did not take it; then it waits on.
func (k *AttemptLogWriter) flush(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, logWriteTimeout)
	defer cancel()
	for {
		batch := k.batch()
		if len(batch) == 0 {
			k.evictEnded()
			return true
		}
		err := k.write(ctx, batch)
		if isDataError(err) {
			k.log.Warn("database refuses log lines of attempts, they are dropped", "lines", len(batch), "error", err)
			k.countDropped(len(batch))
		} else if err != nil {
			k.log.Warn("database did not take log lines of attempts, trying again", "lines", len(batch), "error", err)
			return false
		}
		k.removeWritten(batch)
	}
}

// isDataError says that the same lines would be refused again: only those that the connection failed are worth another try.
func isDataError(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pgErr.Code, "22") || strings.HasPrefix(pgErr.Code, "23") || strings.HasPrefix(pgErr.Code, "42"))
}

func (k *AttemptLogWriter) batch() []sql.AttemptLine {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pending[:min(len(k.pending), logBatchLines)]
}

// removeWritten takes the batch, which is at the head, out of the buffer.
func (k *AttemptLogWriter) removeWritten(batch []sql.AttemptLine) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range batch {
		k.pendingBytes -= len(batch[i].Message)
	}
	k.pending = k.pending[len(batch):]
	if len(k.pending) == 0 {
		k.pending = nil // lets go of what a burst has grown
	}
}

func (k *AttemptLogWriter) countDropped(lines int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropped += int64(lines)
}

// dropPending drops what a database that is down has not taken by the end.
func (k *AttemptLogWriter) dropPending() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropped += int64(len(k.pending))
	k.pending, k.pendingBytes = nil, 0
}

// evictEnded lets go of attempts that ended long enough ago for their pipes to be empty.
func (k *AttemptLogWriter) evictEnded() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.endedTokens) > 0 && time.Since(k.attempts[k.endedTokens[0]].endedAt) > lateLinesTimeout {
		delete(k.attempts, k.endedTokens[0])
		k.endedTokens = k.endedTokens[1:]
	}
}

// logDropped tells of lines that were dropped since the last time.
func (k *AttemptLogWriter) logDropped() {
	k.mu.Lock()
	lost := k.dropped - k.droppedLogged
	k.droppedLogged = k.dropped
	k.mu.Unlock()
	if lost > 0 {
		k.log.Warn("log lines of attempts were dropped", "lines", lost)
	}
}
