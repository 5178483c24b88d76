// Testsummary runs `go test -json` with the arguments it gets and prints what a person wants to read: each package's
// closing line as it ends, the whole output of what failed, what was skipped and why, the slowest tests, and as the very
// last line
//
//	12 passed, 0 failed, 1 skipped
//
// It exits with the code of go test, or with 1 when -note says that something before it failed. With -rerun-failed a few failed
// tests run once more when all others have ended; those that pass then are listed as flickering, and count as passed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// stopGrace is how long go test may take to clean up after an interrupt.
const stopGrace = 30 * time.Second

// options say what is printed and done beside running the tests.
type options struct {
	note    string
	slowest int
	again   bool
}

func main() {
	var opts options
	flag.StringVar(&opts.note, "note", "", "an earlier failure to name in the closing lines")
	flag.IntVar(&opts.slowest, "slowest", 0, "how many of the slowest tests to list")
	flag.BoolVar(&opts.again, "rerun-failed", false, "run a few failed tests once more")
	flag.Parse()
	os.Exit(run(os.Stdout, opts, flag.Args()))
}

func run(out io.Writer, opts options, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	summary := newSummary(out, slices.Contains(args, "-v"))
	err := goTest(ctx, args, summary.read)
	exit, isExit := errors.AsType[*exec.ExitError](err)
	code := 0
	if isExit {
		code = max(exit.ExitCode(), 1)
		if opts.again && ctx.Err() == nil {
			code = rerunFailed(ctx, summary, code)
		}
	}
	summary.close(opts.note, opts.slowest)
	switch {
	case isExit && code != 0:
		return code
	case err != nil && !isExit:
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		return 1
	case opts.note != "":
		return 1
	}
	return 0
}

// goTest runs go test and hands its events to read. An interrupt is passed on, so that tests can clean up.
func goTest(ctx context.Context, args []string, read func(io.Reader) error) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopGrace
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("running go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running go test: %w", err)
	}
	if err := read(events); err != nil {
		return errors.Join(err, cmd.Wait())
	}
	return cmd.Wait()
}
