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
	// logFlushRest is the time between two statements, so that attempts that end together share one.
	logFlushRest = 20 * time.Millisecond
	// logRetryDelay is the rest after a database did not take the lines.
	logRetryDelay   = time.Second
	logWriteTimeout = 5 * time.Second
	logBatchLines   = 1000
	// logPendingLines and logPendingBytes bound the lines that wait for the database.
	logPendingLines = 20000
	logPendingBytes = 16 << 20
	// logLateLines is how long an ended attempt is remembered for lines that are still in a pipe.
	logLateLines = time.Second
)

// LogKeeper keeps what attempts print in the database, off their path: lines wait in a bounded buffer, and one goroutine
// writes them. While the database takes none they are kept up to the bound, and then dropped and counted. It implements
// [engine.AttemptLog].
type LogKeeper struct {
	write    func(context.Context, []sql.AttemptLine) error
	redactor engine.Redactor
	log      *slog.Logger
	// wake says that a line waits, hurry that one need not wait for others; each holds one signal at most.
	wake, hurry chan struct{}
	// stop is closed by Close, ended by the goroutine.
	stop, ended chan struct{}
	stopOnce    sync.Once

	// mu protects the fields below.
	mu       sync.Mutex
	attempts map[int64]*keptAttempt
	// leaving are the tokens of ended attempts, in the order of their end.
	leaving      []int64
	pending      []sql.AttemptLine
	pendingBytes int
	dropped      int64
	reported     int64
}

var _ engine.AttemptLog = (*LogKeeper)(nil)

// keptAttempt counts what is kept of one attempt.
type keptAttempt struct {
	token, stepID int64
	step          string
	attempt       int
	lines, bytes  int
	// cutLines and cutBytes are beyond the bound of an attempt; cutReported says that its log says so.
	cutLines, cutBytes int
	cutReported        bool
	endedAt            time.Time
}

// NewLogKeeper returns a keeper that works until Close. secrets are hidden in every line; log is told when lines are lost.
func NewLogKeeper(pool *pgxpool.Pool, redactor engine.Redactor, log *slog.Logger) *LogKeeper {
	return newLogKeeper(sql.NewStore(pool).AppendLogs, redactor, log)
}

func newLogKeeper(write func(context.Context, []sql.AttemptLine) error, redactor engine.Redactor, log *slog.Logger) *LogKeeper {
	k := &LogKeeper{
		attempts: make(map[int64]*keptAttempt), ended: make(chan struct{}), hurry: make(chan struct{}, 1), log: log,
		redactor: redactor, stop: make(chan struct{}), wake: make(chan struct{}, 1), write: write,
	}
	go k.run()
	return k
}

// Close writes what waits, for a few seconds at most, and ends the goroutine. Lines that come later are dropped.
func (k *LogKeeper) Close() {
	k.stopOnce.Do(func() { close(k.stop) })
	<-k.ended
}

// Dropped is the number of lines that the database did not take in time. Lines beyond an attempt's bound do not count.
func (k *LogKeeper) Dropped() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dropped
}

// Keep implements [engine.AttemptLog].
func (k *LogKeeper) Keep(a *engine.Attempt, line engine.LogLine) {
	line.Message = k.redactor.Hide(line.Message)
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.attempts[a.Token]
	if kept == nil {
		kept = &keptAttempt{attempt: a.Step.Attempt, step: a.Step.Name, stepID: a.Step.ID, token: a.Token}
		k.attempts[a.Token] = kept
	}
	if kept.lines >= engine.LogLinesMax || kept.bytes+len(line.Message) > engine.LogBytesMax {
		kept.cutLines++
		kept.cutBytes += len(line.Message)
		return
	}
	kept.bytes += len(line.Message)
	k.addLocked(kept, line)
}

// End implements [engine.AttemptLog]. For an attempt that printed nothing it is a look into a map.
func (k *LogKeeper) End(a *engine.Attempt) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.attempts[a.Token]
	if kept == nil {
		return
	}
	if kept.endedAt.IsZero() {
		k.leaving = append(k.leaving, a.Token)
		kept.endedAt = time.Now()
	}
	k.reportCutLocked(kept)
	signal(k.hurry)
}

// reportCutLocked says at the end of an attempt how much of it is missing.
func (k *LogKeeper) reportCutLocked(kept *keptAttempt) {
	if kept.cutLines == 0 || kept.cutReported {
		return
	}
	kept.cutReported = true
	k.addLocked(kept, engine.LogLine{
		At: time.Now(), Level: "warn", Stream: "worker",
		Message: fmt.Sprintf("%d more lines with %d bytes were dropped: at most %d lines and %d KiB of an attempt are kept",
			kept.cutLines, kept.cutBytes, engine.LogLinesMax, engine.LogBytesMax>>10),
	})
}

func (k *LogKeeper) addLocked(kept *keptAttempt, line engine.LogLine) {
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
	signal(k.wake)
}

func (k *LogKeeper) isStopped() bool {
	select {
	case <-k.ended:
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
func (k *LogKeeper) run() {
	defer close(k.ended)
	for k.gather() {
		pause := logFlushRest
		if !k.flush(context.Background()) {
			pause = logRetryDelay
			signal(k.wake)
		}
		k.report()
		k.rest(pause)
	}
	k.flush(context.Background())
	k.giveUp()
	k.report()
}

// gather waits for lines, and then for more of them. It returns false when the keeper is closed.
func (k *LogKeeper) gather() bool {
	select {
	case <-k.stop:
		return false
	case <-k.wake:
	}
	timer := time.NewTimer(logFlushDelay)
	defer timer.Stop()
	select {
	case <-k.stop:
		return false
	case <-k.hurry:
	case <-timer.C:
	}
	return true
}

func (k *LogKeeper) rest(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-k.stop:
	case <-timer.C:
	}
}

// flush writes what waits. It returns false when the database did not take it; then it waits on.
func (k *LogKeeper) flush(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, logWriteTimeout)
	defer cancel()
	for {
		batch := k.batch()
		if len(batch) == 0 {
			k.forget()
			return true
		}
		err := k.write(ctx, batch)
		if isRefused(err) {
			k.log.Warn("database refuses log lines of attempts, they are dropped", "lines", len(batch), "error", err)
			k.lose(len(batch))
		} else if err != nil {
			k.log.Warn("database did not take log lines of attempts, trying again", "lines", len(batch), "error", err)
			return false
		}
		k.written(batch)
	}
}

// isRefused says that the same lines would be refused again: only those that the connection failed are worth another try.
func isRefused(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pgErr.Code, "22") || strings.HasPrefix(pgErr.Code, "23") || strings.HasPrefix(pgErr.Code, "42"))
}

func (k *LogKeeper) batch() []sql.AttemptLine {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pending[:min(len(k.pending), logBatchLines)]
}

// written takes the batch, which is at the head, out of the buffer.
func (k *LogKeeper) written(batch []sql.AttemptLine) {
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

func (k *LogKeeper) lose(lines int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropped += int64(lines)
}

// giveUp drops what a database that is down has not taken by the end.
func (k *LogKeeper) giveUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropped += int64(len(k.pending))
	k.pending, k.pendingBytes = nil, 0
}

// forget lets go of attempts that ended long enough ago for their pipes to be empty.
func (k *LogKeeper) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.leaving) > 0 && time.Since(k.attempts[k.leaving[0]].endedAt) > logLateLines {
		delete(k.attempts, k.leaving[0])
		k.leaving = k.leaving[1:]
	}
}

// report tells of lines that were dropped since the last time.
func (k *LogKeeper) report() {
	k.mu.Lock()
	lost := k.dropped - k.reported
	k.reported = k.dropped
	k.mu.Unlock()
	if lost > 0 {
		k.log.Warn("log lines of attempts were dropped", "lines", lost)
	}
}
