package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

type pgxTx = pgx.Tx

// How River fetches. Its notifications are ours, sent by SQL in the transaction that inserts the jobs, so polling only
// serves what is due later and what a lost connection missed.
const (
	fetchCooldown     = 5 * time.Millisecond
	fetchPollInterval = time.Second
	tickWorkers       = 8
	jobRetention      = time.Hour
)

func riverConfig(config Config, clientID string, workers *river.Workers) *river.Config {
	queues := map[string]river.QueueConfig{TicksQueue: {MaxWorkers: tickWorkers}}
	for name, steps := range config.Queues {
		queues[name] = river.QueueConfig{MaxWorkers: steps}
	}
	return &river.Config{
		CompletedJobRetentionPeriod: jobRetention,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPollInterval,
		ID:                          clientID,
		JobTimeout:                  tickTimeout,
		Logger:                      slog.New(quiet{config.Log.Handler()}),
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
