// Package queue moves work: it adapts the engine to River, which carries wake-ups between any number of workers on the
// database that holds the tasks.
//
// There are two kinds of job. A tasker_tick job looks at one task; a tasker_step job runs one step. Both are hints: SQL
// decides under the task's lock what is true, so a job may be lost, doubled or late without harm. What is lost is found
// again by the sweep, what a dead worker held comes back when its lease ends.
//
// The package knows nothing of handler processes; it is given an [engine.Executor].
package queue
