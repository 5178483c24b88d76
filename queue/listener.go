package queue

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// insertTopic is the topic of River on which SQL tells of new jobs, see tasker.notify.
const insertTopic = "river_insert"

// sharedDriver is River's driver, whose one connection that listens serves the fetchers too. Anybody who can connect to the database may
// notify, so a notification is a hint that there may be work, and never an order: only those of new jobs are listened to. River
// reads from its tables that a queue is paused, a job cancelled or a leader gone.
type sharedDriver struct {
	*riverpgxv5.Driver

	// heard is told the queue of each notification, and "" when some may have been missed.
	heard func(queue string)
}

func newSharedDriver(pool *pgxpool.Pool, heard func(queue string)) *sharedDriver {
	return &sharedDriver{riverpgxv5.New(pool), heard}
}

// GetListener implements riverdriver.Driver.
func (d *sharedDriver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &sharedListener{d.Driver.GetListener(params), d.heard}
}

type sharedListener struct {
	riverdriver.Listener

	heard func(queue string)
}

// Listen implements riverdriver.Listener. What was sent before went unheard.
func (l *sharedListener) Listen(ctx context.Context, topic string) error {
	if topic != insertTopic {
		return nil
	}
	err := l.Listener.Listen(ctx, topic)
	if err == nil {
		l.heard("")
	}
	return err
}

// Unlisten implements riverdriver.Listener.
func (l *sharedListener) Unlisten(ctx context.Context, topic string) error {
	if topic != insertTopic {
		return nil
	}
	return l.Listener.Unlisten(ctx, topic)
}

// WaitForNotification implements riverdriver.Listener. It returns those for River's own queue, and none that River could not read.
func (l *sharedListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		n, err := l.Listener.WaitForNotification(ctx)
		if err != nil {
			return nil, err
		}
		if n.Topic != insertTopic {
			continue
		}
		var insert struct {
			Queue string `json:"queue"`
		}
		if json.Unmarshal([]byte(n.Payload), &insert) != nil || insert.Queue == "" {
			continue
		}
		l.heard(insert.Queue)
		if insert.Queue == TicksQueue {
			return n, nil
		}
	}
}
