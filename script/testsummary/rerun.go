package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// rerunMost is how many failed tests are run again. More of them are no flicker.
const rerunMost = 5

// rerun runs the failed tests again, those of one package at a time, and takes those that pass out of the failures. Where a package
// did not get to its end, or too many failed, it runs nothing: what the other tests there would have said is not known. It
// returns whether no failure is left.
func (s *summary) rerun(ctx context.Context) (bool, error) {
	if s.unfinished || len(s.failures) == 0 || len(s.failures) > rerunMost {
		return false, nil
	}
	failed := map[string][]string{}
	for _, failure := range s.failures {
		pkg, test, _ := strings.Cut(failure, " ")
		failed[pkg] = append(failed[pkg], test)
	}
	for _, pkg := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(s.out, "\nfailed, and runs again: %s %s\n", pkg, strings.Join(failed[pkg], ", "))
		passed, err := passesAgain(ctx, pkg, failed[pkg], s.out, s.verbose)
		if err != nil {
			return false, err
		}
		if passed {
			s.flickered(pkg)
		}
	}
	return len(s.failures) == 0, nil
}

// passesAgain runs the tests around the failed ones.
func passesAgain(ctx context.Context, pkg string, failed []string, out io.Writer, verbose bool) (bool, error) {
	var tests []string
	for _, test := range failed {
		top, _, _ := strings.Cut(test, "/")
		tests = append(tests, top)
	}
	slices.Sort(tests)
	again := newSummary(out, verbose)
	args := []string{"-race", "-timeout", "20m", "-count=1", "-run", "^(" + strings.Join(slices.Compact(tests), "|") + ")$", pkg}
	err := goTest(ctx, args, again.read)
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		return false, err
	}
	return err == nil && again.passed > 0, nil
}

// flickered counts the failed tests of a package as passed.
func (s *summary) flickered(pkg string) {
	s.failures = slices.DeleteFunc(s.failures, func(failure string) bool {
		if !strings.HasPrefix(failure, pkg+" ") {
			return false
		}
		s.flickers = append(s.flickers, failure)
		s.failed--
		s.passed++
		return true
	})
}

// rerunFailed runs failed tests again and returns the exit code that the whole run has then.
func rerunFailed(ctx context.Context, s *summary, code int) int {
	none, err := s.rerun(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		return 1
	}
	if none {
		return 0
	}
	return code
}
