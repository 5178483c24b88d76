package queue

import (
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

type pgxTx = pgx.Tx

// How queues are fetched from, by River's client and by the fetchers. The notifications are ours, sent by SQL in the
// transaction that inserts the jobs, and by the waker when a job falls due; what a lost connection missed the sweep finds.
// Polling is the last resort.
const (
	fetchPollInterval = 30 * time.Second
	// pollOnlyInterval is the poll where nothing can be listened to: ten statements a second for each queue.
	pollOnlyInterval = 100 * time.Millisecond
	tickWorkers      = 8
	jobRetention     = time.Hour
)

// pollInterval is how often a queue is looked at without a reason.
func (c Config) pollInterval() time.Duration {
	if c.PollOnly {
		return pollOnlyInterval
	}
	return fetchPollInterval
}

// riverConfig is that of River's client: it works the queue of ticks, keeps River's tables clean and listens.
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
		// What a fetch lost the sweep makes available again, see tasker.job_is_stuck. River's own rescue is for what is left.
		RescueStuckJobsAfter: tickTimeout + time.Hour,
		Schema:               "tasker",
		Workers:              workers,
	}
}
