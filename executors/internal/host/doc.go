// Package host is one live handler process as the worker sees it: a connection that executes attempts until it is
// stopped or dies. It knows the protocol's rules and who is to blame when they are broken; which process an attempt goes
// to, and what follows an exit, is the supervisor's business.
//
// Five goroutines serve a process, all of them ended and waited for before [Host.Done] is closed: the reader of
// responses, the writer of requests, two that drain stdout and stderr, and the one that pings. Every call ends in one of
// two ways: its answer arrives, or the process has ended and what it still had in flight is settled at once.
package host
