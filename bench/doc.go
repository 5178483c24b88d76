// Package bench measures what tasks and steps cost, on a database whose commits are as durable as in production.
//
// A [Workload] says which tasks are run and what is measured. A [System] runs tasks: [Ours] is a worker of this
// program, and the module in the folder peers has systems of other projects. The same loop drives them, and the same
// [Meter] reads their costs. A [Result] is one row of the table. The measurements include the creation of the tasks.
package bench
