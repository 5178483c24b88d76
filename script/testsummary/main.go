// Testsummary runs `go test -json` with the arguments it gets and prints what a person wants to read: each package's
// closing line as it ends, the whole output of what failed, what was skipped and why, the slowest tests, and as the very
// last line
//
//	12 passed, 0 failed, 1 skipped
//
// It exits with the code of go test, or with 1 when -note says that something before it failed.
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

func main() {
	note := flag.String("note", "", "an earlier failure to name in the closing lines")
	slowest := flag.Int("slowest", 0, "how many of the slowest tests to list")
	flag.Parse()
	os.Exit(run(*note, *slowest, flag.Args()))
}

func run(note string, slowest int, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	summary := newSummary(os.Stdout, slices.Contains(args, "-v"))
	err := goTest(ctx, args, summary.read)
	summary.close(note, slowest)
	switch exit, isExit := errors.AsType[*exec.ExitError](err); {
	case isExit:
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		return 1
	case note != "":
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
