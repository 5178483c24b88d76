package queue

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// lineStore collects the lines of a writer in tests.
type lineStore struct {
	mu    sync.Mutex
	lines []sql.AttemptLine
	calls int
	err   error
}

func (s *lineStore) write(_ context.Context, lines []sql.AttemptLine) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err == nil {
		s.lines = append(s.lines, lines...)
	}
	return s.err
}

func (s *lineStore) writer(values ...string) *AttemptLogWriter {
	return startAttemptLogWriter(s.write, engine.NewRedactor(values...), slog.New(slog.DiscardHandler))
}

func attemptWithToken(token int64) *engine.Attempt {
	return &engine.Attempt{Token: token, Step: engine.StepInfo{ID: token, Name: "step", Attempt: 1}}
}

func printed(text string) engine.LogLine {
	return engine.LogLine{At: time.Now(), Level: "info", Message: text, Stream: "stdout"}
}

func TestLinesAreWrittenTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &lineStore{}
		w := s.writer("hunter2-hunter2")
		w.Append(attemptWithToken(1), printed("a hunter2-hunter2"))
		w.Append(attemptWithToken(2), printed("b"))
		time.Sleep(logFlushDelay + time.Millisecond)
		synctest.Wait()
		if s.calls != 1 || len(s.lines) != 2 || s.lines[0].Message != "a [REDACTED]" {
			t.Errorf("%d calls wrote %+v", s.calls, s.lines)
		}
		w.Close()
	})
}

func TestEndOfAnAttemptFlushes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &lineStore{}
		w := s.writer()
		w.End(attemptWithToken(2)) // printed nothing: nothing is written
		w.Append(attemptWithToken(1), printed("a"))
		w.End(attemptWithToken(1))
		synctest.Wait()
		if s.calls != 1 || len(s.lines) != 1 {
			t.Errorf("%d calls wrote %+v", s.calls, s.lines)
		}
		w.Close()
	})
}

func TestLogOfAnAttemptIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &lineStore{}
		w := s.writer()
		for range engine.LogLinesMax + 5 {
			w.Append(attemptWithToken(1), printed("abc"))
		}
		w.End(attemptWithToken(1))
		w.Append(attemptWithToken(2), printed(strings.Repeat("x", engine.LogBytesMax+1)))
		w.End(attemptWithToken(2))
		w.Close()
		if len(s.lines) != engine.LogLinesMax+2 {
			t.Fatalf("%d lines were written", len(s.lines))
		}
		for i, want := range []string{
			"5 more lines with 15 bytes were dropped", "1 more lines with 262145 bytes were dropped",
		} {
			if got := s.lines[engine.LogLinesMax+i]; !strings.HasPrefix(got.Message, want) || got.Stream != "worker" {
				t.Errorf("the log ends with %+v", got)
			}
		}
	})
}

func TestLinesAreWrittenAfterAnOutageOfTheDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &lineStore{err: errors.New("down")}
		w := s.writer()
		w.Append(attemptWithToken(1), printed("a"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(s.lines) != 1 || w.Dropped() != 0 {
			t.Errorf("%d lines were written, %d dropped", len(s.lines), w.Dropped())
		}
		w.Close()
	})
}

func TestLinesAreDroppedAndCountedWhileTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &lineStore{err: errors.New("down")}
		w := s.writer()
		for i := range logPendingLines + 7 {
			w.Append(attemptWithToken(int64(i)), printed("a"))
		}
		if w.Dropped() != 7 {
			t.Errorf("%d lines were dropped, want 7", w.Dropped())
		}
		w.Close()
		if w.Dropped() != logPendingLines+7 || len(s.lines) != 0 {
			t.Errorf("at the end %d lines were dropped", w.Dropped())
		}
	})
}

func TestEndedAttemptsAreEvicted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &lineStore{}
		w := s.writer()
		for i := range int64(3) {
			w.Append(attemptWithToken(i), printed("a"))
			w.End(attemptWithToken(i))
			time.Sleep(2 * lateLinesTimeout)
		}
		w.Close()
		if len(w.attempts) > 1 {
			t.Errorf("%d attempts are remembered", len(w.attempts))
		}
	})
}
