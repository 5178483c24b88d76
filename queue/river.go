package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

type pgxTx = pgx.Tx

// How River fetches. Its notifications are ours, sent by SQL in the transaction that inserts the jobs, and by the waker when
// a job falls due; what a lost connection missed the sweep finds. Polling is the last resort.
const (
	fetchCooldown     = 5 * time.Millisecond
	fetchPollInterval = 30 * time.Second
	// pollOnlyInterval is the poll where nothing can be listened to: ten statements a second for each queue.
	pollOnlyInterval = 100 * time.Millisecond
	tickWorkers      = 8
	jobRetention     = time.Hour
)

func riverConfig(config Config, clientID string, workers *river.Workers) *river.Config {
	queues := map[string]river.QueueConfig{TicksQueue: {MaxWorkers: tickWorkers}}
	for name, steps := range config.Queues {
		queues[name] = river.QueueConfig{MaxWorkers: steps}
	}
	poll := fetchPollInterval
	if config.PollOnly {
		poll = pollOnlyInterval
	}
	return &river.Config{
		CompletedJobRetentionPeriod: jobRetention,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           poll,
		ID:                          clientID,
		JobTimeout:                  tickTimeout,
		Logger:                      slog.New(quiet{config.Log.Handler()}),
		PollOnly:                    config.PollOnly,
		Queues:                      queues,
		// The jobs of a dead worker come back with its lease; River's own rescue must not come before the longest step.
		RescueStuckJobsAfter: stepTimeout + time.Hour,
		Schema:               "tasker",
		Workers:              workers,
	}
}

// quiet passes River's warnings and errors on and drops the rest: its lifecycle is ours to report.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
