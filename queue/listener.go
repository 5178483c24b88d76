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

// sharedDriver is River's driver, whose one connection that listens serves the fetchers too.
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
	err := l.Listener.Listen(ctx, topic)
	if err == nil && topic == insertTopic {
		l.heard("")
	}
	return err
}

// WaitForNotification implements riverdriver.Listener.
func (l *sharedListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	n, err := l.Listener.WaitForNotification(ctx)
	if err != nil || n.Topic != insertTopic {
		return n, err
	}
	var insert struct {
		Queue string `json:"queue"`
	}
	if json.Unmarshal([]byte(n.Payload), &insert) == nil && insert.Queue != "" {
		l.heard(insert.Queue)
	}
	return n, nil
}
