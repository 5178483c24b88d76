// Package engine knows the rules of a workflow and nothing of the machinery around it: which states a task and a step
// have and which transitions are legal, when a step is ready, what an attempt's outcome means for the step, and when a
// task is finalized. It also owns the ports: [Executor] runs handlers, [Store] keeps the truth.
//
// The engine imports no queue, no database driver and no process handling, so that every rule here is tested in
// microseconds. The SQL functions decide on the live rows; the readiness rules here are the same rules in Go, which
// explain a task to a person and check the SQL in property tests.
//
// # Vocabulary
//
// A task is one run of a template, a step is one node of it. An attempt is one claimed execution of a step; its fence
// token is the id of the step's current in_progress transition, and whoever does not hold the current token changes
// nothing. An outcome is what an attempt came to: it succeeded with a result, it failed, or it was given back, which
// burns no attempt.
package engine
