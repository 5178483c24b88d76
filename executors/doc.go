// Package executors runs handlers: it starts the host processes of the languages that have handler files, keeps them
// warm, gives each attempt to a process with room for it, and answers for what happens when a process breaks. It
// implements [engine.Executor] and knows no database, no queue and no graph.
//
//	files in Dir/ruby, Dir/python, Dir/node
//	   -> one pool per language, of Processes children
//	   -> a child keeps one process running: boot, ready, exit, backoff, boot ...
//	   -> Acquire takes room in the least loaded process, Execute runs one attempt in it, Release gives the room back
//
// Steps with a command go another way: Acquire takes one of CommandSteps places, Execute runs the program once.
//
// # Who answers for a broken process
//
// An attempt that was alone in a process that broke is a failure of that attempt. When several ran in it, it is unknown
// which of them broke it: all are given back, and each runs alone the next time, in a process started for it, until it
// has ended by itself. A step that is given back for this reason more than twice is held responsible.
//
// At its timeout a handler is asked to cancel, if its host supports that. If it has not ended after CancelGrace, its process
// is asked for its stacks and sent SIGTERM, and then its whole process tree is killed. The other attempts in it are given
// back.
//
// # Which handlers share a process
//
// An exclusive handler, which the host reports as such, has its process for itself while it runs. A handler with isolation:
// process has processes of its own, one step at a time. A language whose processes crash over and over has its circuit
// opened: its steps wait while one process at a time is tried.
//
// # Security
//
// A handler process gets an environment made from an allow-list, which never holds the worker's database; it may run as
// another user and within limits, see [Config]. Names from
// templates are only looked up among the names that the processes reported; they never become a path.
package executors
