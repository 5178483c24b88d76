package main

import (
	"context"
	"errors"
	"fmt"
)

// Exit codes.
const (
	// exitFailure is a failure of the work itself: a task that did not end complete, a template with faults.
	exitFailure = 1
	// exitSetup is for what has to be put right before anything can work: arguments, configuration, database.
	exitSetup = 2
	// exitInterrupted is for work that a signal cut short, as shells have it for SIGINT.
	exitInterrupted = 130
	// exitBrokenPipe is for output that is not read to its end, as shells have it for SIGPIPE.
	exitBrokenPipe = 141
)

// setupError marks what has to be put right before anything can work.
type setupError struct{ error }

func (e setupError) Unwrap() error { return e.error }

// exitError ends the program with a code when everything has been said already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode says on stderr what went wrong, and returns the code for it. When the reader of the output is gone, there is
// nothing to say: [output.verdict] has the code.
func exitCode(ctx context.Context, err error, s streams) int {
	if err == nil || s.out.readerClosed() {
		return 0
	}
	if code, ok := errors.AsType[exitError](err); ok {
		return int(code)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(s.err, "tasker-worker: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(s.err, "tasker-worker:", printableLines(err.Error()))
	if _, ok := errors.AsType[setupError](err); ok {
		return exitSetup
	}
	return exitFailure
}
