// Package queue runs the worker: it fetches jobs, claims their steps, runs them and records the outcomes. It adapts the
// engine to River, whose jobs wake any number of workers on the database that holds the tasks.
//
// There are two kinds of job. A tasker_tick job ticks one task; a tasker_step job runs one step. Both are hints: SQL
// decides under the task's lock what is true. A job may be lost, doubled or late without harm. The sweep replaces lost
// jobs, and the claims of a dead worker expire with its lease.
//
// The package has no knowledge of handler processes; it runs steps through an [engine.Executor].
package queue
