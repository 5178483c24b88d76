package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// lag measures the delay of a busy machine: by how much regular queries take longer than on an idle machine. Tests
// subtract it from durations before they compare them with bounds.
type lag struct{ sum atomic.Int64 }

// The interval of the queries, and the duration of one on an idle machine.
const (
	lagEvery  = 20 * time.Millisecond
	lagNormal = 5 * time.Millisecond
)

// watchLag measures until the test ends.
func watchLag(t testing.TB, b bench) *lag {
	t.Helper()
	l := &lag{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			began := time.Now()
			time.Sleep(lagEvery)
			if _, err := b.pool.Exec(ctx, `SELECT 1`); err != nil {
				continue
			}
			l.sum.Add(int64(max(0, time.Since(began)-lagEvery-lagNormal)))
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return l
}

func (l *lag) total() time.Duration { return time.Duration(l.sum.Load()) }
