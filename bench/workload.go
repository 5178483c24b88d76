package bench

import (
	"context"
	"slices"
	"time"
)

// Workload is a kind of measurement.
type Workload struct {
	Name, About string
	// Shapes are those of its tasks, in rotation.
	Shapes []Shape
	// Job is the work of each step.
	Job Job
	// Concurrency are the default numbers of tasks at once.
	Concurrency []int
	// Fixed is true if the plan cannot replace Concurrency.
	Fixed bool
	// Tasks is the number of tasks that are measured, after Warm tasks for the warm-up. 0 means that a duration is
	// measured.
	Tasks, Warm int
	// Gap is the time before each task.
	Gap time.Duration
	// Payload is the size in bytes of the context of each call, for workloads that make calls instead of tasks.
	Payload int
	// Languages are those of the handlers. Empty means all.
	Languages []Language
	// Default is true if the workload runs when the plan names none.
	Default bool
	// run replaces the loop of tasks.
	run func(context.Context, *rig, *Result) error
	// bare, if it is set, is measured after every contender as a lower bound of the cost.
	bare func(context.Context, *rig, *Result) error
}

// load returns the load that the workload puts on a system.
func (w *Workload) load(concurrency int, d time.Duration) Load {
	return Load{Concurrency: concurrency, Duration: d, Tasks: w.Tasks, Warm: w.Warm, Gap: w.Gap}
}

// serves reports whether the workload has handlers in a language.
func (w *Workload) serves(l Language) bool {
	return len(w.Languages) == 0 || slices.Contains(w.Languages, l)
}

// FindWorkload returns the workload of that name, or nil.
func FindWorkload(name string) *Workload {
	i := slices.IndexFunc(Workloads, func(w Workload) bool { return w.Name == name })
	if i < 0 {
		return nil
	}
	return &Workloads[i]
}
