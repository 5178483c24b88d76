// Package bench measures what tasks and steps cost, on a database whose commits are as durable as in production.
//
// A [Workload] says which tasks are run and what is measured of them. A [System] runs tasks: [Worker] is ours, and the
// module in the folder peers has others, which are driven by the same loop and read by the same [Meter]. A [Result] is
// one row of the table. Creation of the tasks is always part of what is measured.
package bench
