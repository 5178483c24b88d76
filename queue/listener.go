package queue

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// insertTopic is the topic of River on which SQL announces new jobs, see tasker.notify.
const insertTopic = "river_insert"

// sharedDriver is River's driver. Its only listening connection serves the fetchers too. Every role that can connect to
// the database can send notifications. A notification is therefore only a hint that there may be jobs, and the driver
// listens to those of new jobs only. River reads paused queues, cancelled jobs and the end of a leader from its tables.
type sharedDriver struct {
	*riverpgxv5.Driver

	// onNotification is called with the queue of each notification, and with "" if notifications may have been missed.
	onNotification func(queue string)
}

func newSharedDriver(pool *pgxpool.Pool, onNotification func(queue string)) *sharedDriver {
	return &sharedDriver{riverpgxv5.New(pool), onNotification}
}

// GetListener implements riverdriver.Driver.
func (d *sharedDriver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &sharedListener{d.Driver.GetListener(params), d.onNotification}
}

type sharedListener struct {
	riverdriver.Listener

	onNotification func(queue string)
}

// Listen implements riverdriver.Listener. Notifications before it may have been missed.
//
// Listen returns no error if the connection is lost. The error "conn closed" would end River's producer of the queue of
// ticks for the life of the process. The next WaitForNotification fails instead, and River reconnects and listens again.
func (l *sharedListener) Listen(ctx context.Context, topic string) error {
	if topic != insertTopic {
		return nil
	}
	err := l.Listener.Listen(ctx, topic)
	switch {
	case err == nil:
		l.onNotification("")
	case isStatementError(err) || ctx.Err() != nil:
		return err
	}
	return nil
}

// Unlisten implements riverdriver.Listener.
func (l *sharedListener) Unlisten(ctx context.Context, topic string) error {
	if topic != insertTopic {
		return nil
	}
	return l.Listener.Unlisten(ctx, topic)
}

// WaitForNotification implements riverdriver.Listener. It returns the valid notifications of River's own queue only.
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
		l.onNotification(insert.Queue)
		if insert.Queue == TicksQueue {
			return n, nil
		}
	}
}
