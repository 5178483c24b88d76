package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// slowTests are the tests that have ended, with what each of them took. A test that only groups subtests is not one.
type slowTests []slowTest

type slowTest struct {
	name    string
	seconds float64
}

// slowFrom is the time, in seconds, from which a test is worth a line.
const slowFrom = 1

func (s *slowTests) add(name string, seconds float64) {
	if seconds >= slowFrom {
		*s = append(*s, slowTest{name, seconds})
	}
}

// print lists at most n of them, the slowest first.
func (s *slowTests) print(out io.Writer, n int) {
	all := slices.SortedFunc(slices.Values(*s), func(a, b slowTest) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.name, b.name))
	})
	listed := all[:min(n, len(all))]
	if len(listed) > 0 {
		fmt.Fprintln(out, "\nthe slowest tests:")
	}
	for _, t := range listed {
		fmt.Fprintf(out, "%7.1f s  %s\n", t.seconds, t.name)
	}
}
