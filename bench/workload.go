package bench

import (
	"context"
	"slices"
	"time"
)

// Workload is one thing to measure.
type Workload struct {
	Name, About string
	// Shapes are those of its tasks, by turns.
	Shapes []Shape
	// Job is what each step does.
	Job Job
	// Concurrency are the numbers of tasks at once that are tried unless others are asked for.
	Concurrency []int
	// Fixed keeps Concurrency as it is, whatever is asked for.
	Fixed bool
	// Tasks is the number of tasks that are measured, after Warm others; 0 means for a time.
	Tasks, Warm int
	// Gap is a rest before each task.
	Gap time.Duration
	// Payload is the size of the context that each call carries, in bytes, where there are calls and no tasks.
	Payload int
	// Languages are those of the handlers, all when it is empty.
	Languages []Language
	// Default workloads are run when none is named.
	Default bool
	// run replaces the loop of tasks.
	run func(context.Context, *rig, *Result) error
	// bare is measured beside every contender, by turns: the least that the same could cost.
	bare func(context.Context, *rig, *Result) error
}

// load is how the tasks of the workload are put on a system.
func (w *Workload) load(concurrency int, d time.Duration) Load {
	return Load{Concurrency: concurrency, Duration: d, Tasks: w.Tasks, Warm: w.Warm, Gap: w.Gap}
}

// serves says whether the workload is for handlers in a language.
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
