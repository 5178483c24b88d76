// Package engine holds the rules of a workflow and nothing of the machinery around it. It defines the states of tasks
// and steps and their legal transitions, when a step is ready, what the outcome of an attempt means for its step, and
// when a task is finalized. It also owns the ports: [Executor] runs handlers, [Store] is the source of truth for step
// state.
//
// The engine imports no queue, no database driver and no process handling, so that every rule here is tested in
// microseconds. The SQL functions decide on the live rows. [StepRow.Readiness], [Decide], [Backoff] and the rules of
// transitions are a reference model: tests compare the SQL functions with them, and the worker itself asks only the SQL.
//
// # Vocabulary
//
// A task is one run of a template, a step is one node of it. An attempt is one claimed run of a step. Its fencing token
// is the id of the step's current in_progress transition; a write with an older token changes nothing. An outcome is
// the end of an attempt: it succeeded with a result, it failed, or it was given back, which does not count as an
// attempt.
package engine
