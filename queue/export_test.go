package queue

import "time"

// SetNotServedDelay shortens the delay of give-backs for handlers that are not served, so that tests need not wait.
func (w *Worker) SetNotServedDelay(d time.Duration) { w.runner.NotServedDelay = d }

// SetUnavailableDelay shortens the delay of give-backs for handler processes that do not start.
func (w *Worker) SetUnavailableDelay(d time.Duration) { w.runner.UnavailableDelay = d }
