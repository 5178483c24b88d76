package queue

import "time"

// SetNotServedPause shortens the time that a step rests when nobody serves its handler, so that tests need not wait.
func (w *Worker) SetNotServedPause(d time.Duration) { w.runner.NotServedDelay = d }

// SetUnavailablePause does the same for a step whose handler process does not start.
func (w *Worker) SetUnavailablePause(d time.Duration) { w.runner.UnavailableDelay = d }
