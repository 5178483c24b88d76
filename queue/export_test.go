package queue

import "time"

// SetNotServedPause shortens the time that a step rests when nobody serves its handler, so that tests need not wait.
// Below five seconds River keeps such a job available, and its poll finds it.
func (w *Worker) SetNotServedPause(d time.Duration) { w.taker.notServedPause = d }

// SetUnavailablePause does the same for a step whose handler process does not start.
func (w *Worker) SetUnavailablePause(d time.Duration) { w.taker.unavailablePause = d }
