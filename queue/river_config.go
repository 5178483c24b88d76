package queue

import (
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

type pgxTx = pgx.Tx

// How River's client and the fetchers fetch from queues. SQL sends the notifications in the transaction that inserts
// the jobs, and the wake scheduler sends one when a job is due. The sweep repairs wake-ups that a lost connection
// missed. Polling is the last resort.
const (
	fetchPollInterval = 30 * time.Second
	// pollOnlyInterval is the poll interval without LISTEN: ten statements a second for each queue.
	pollOnlyInterval = 100 * time.Millisecond
	tickWorkers      = 8
	jobRetention     = time.Hour
)

// pollInterval is the time between two fetches from a queue without a notification.
func (c Config) pollInterval() time.Duration {
	if c.PollOnly {
		return pollOnlyInterval
	}
	return fetchPollInterval
}

// riverConfig returns the configuration of River's client. The client works the queue of ticks, cleans River's tables
// and listens.
func riverConfig(config Config, clientID string, workers *river.Workers) *river.Config {
	return &river.Config{
		CompletedJobRetentionPeriod: jobRetention,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           config.pollInterval(),
		ID:                          clientID,
		JobTimeout:                  tickTimeout,
		Logger:                      slog.New(newWarnOnly(config.Log.Handler())),
		PollOnly:                    config.PollOnly,
		Queues:                      map[string]river.QueueConfig{TicksQueue: {MaxWorkers: tickWorkers}},
		// The sweep makes stuck jobs available again, see tasker.job_is_stuck. River's own rescue comes after it.
		RescueStuckJobsAfter: tickTimeout + time.Hour,
		Schema:               "tasker",
		Workers:              workers,
	}
}
