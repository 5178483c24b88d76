package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action      string `json:"Action"`
	Package     string `json:"Package"`
	Test        string `json:"Test"`
	Output      string `json:"Output"`
	ImportPath  string `json:"ImportPath"`  // of a build's output
	FailedBuild string `json:"FailedBuild"` // of a package that failed because this one did not build
	// Elapsed is in seconds and leaves out what a parallel test waits for its turn.
	Elapsed float64 `json:"Elapsed"`
}

// summary reads events and prints what matters of them.
type summary struct {
	out                     io.Writer
	verbose                 bool // print the output of tests that pass as well
	packages                map[string]*packageRun
	builds                  map[string][]string // the compiler's output by import path
	failures, flickers      []string
	unfinished              bool // a package ended before its tests did
	slow                    slowTests
	passed, failed, skipped int
}

// packageRun is what is known of a package whose tests are running.
type packageRun struct {
	output []string // of the package itself, outside its tests
	tests  map[string]*testRun
}

// testRun is one test or subtest.
type testRun struct {
	output       []string
	running      bool
	hasSubtests  bool
	subtestsFail bool
}

func newSummary(out io.Writer, verbose bool) *summary {
	return &summary{out: out, verbose: verbose, packages: map[string]*packageRun{}, builds: map[string][]string{}}
}

// read consumes all events. A line that is no event is printed as it is.
func (s *summary) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case line[0] != '{' || json.Unmarshal(line, &e) != nil:
			fmt.Fprintf(s.out, "%s", line)
		default:
			s.see(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the events of go test: %w", err)
		}
	}
}

func (s *summary) see(e event) {
	switch {
	case e.Action == "build-output":
		s.builds[e.ImportPath] = append(s.builds[e.ImportPath], e.Output)
	case e.Package == "":
	case e.Test == "":
		s.seePackage(e)
	default:
		s.seeTest(e)
	}
}

func (s *summary) seePackage(e event) {
	p := s.packageRun(e.Package)
	switch e.Action {
	case "output":
		p.output = append(p.output, e.Output)
	case "pass", "skip":
		s.print(p.closingLines())
		delete(s.packages, e.Package)
	case "fail":
		s.packageFailed(e, p)
		delete(s.packages, e.Package)
	}
}

// packageFailed prints all of a package's own output. A package that fails without a failed test, because it does not
// build or ends in a panic, counts as one failure.
func (s *summary) packageFailed(e event, p *packageRun) {
	s.print(s.builds[e.FailedBuild])
	for _, name := range slices.Sorted(maps.Keys(p.tests)) {
		if t := p.tests[name]; t.running && !t.hasSubtests { // it never ended
			s.unfinished = true
			s.testFailed(e.Package, name, t)
		}
	}
	if !slices.ContainsFunc(s.failures, func(f string) bool { return strings.HasPrefix(f, e.Package+" ") }) {
		s.unfinished = true
		s.failures = append(s.failures, e.Package+" (the package itself)")
		s.failed++
	}
	s.print(p.output)
}

func (s *summary) seeTest(e event) {
	p := s.packageRun(e.Package)
	t := p.test(e.Test)
	switch e.Action {
	case "run", "cont":
		t.running = true
		return
	case "pause": // it waits for its turn, which does not come when the package ends early
		t.running = false
		return
	case "output":
		t.output = append(t.output, e.Output)
		return
	case "pass":
		if s.verbose {
			s.print(t.output)
		}
		if !t.hasSubtests {
			s.passed++
		}
	case "skip":
		s.skipped++
		s.print(append([]string{e.Package + ":\n"}, withoutFraming(t.output)...))
	case "fail":
		s.testFailed(e.Package, e.Test, t)
		for parent, ok := parentOf(e.Test); ok; parent, ok = parentOf(parent) {
			p.test(parent).subtestsFail = true
		}
	default:
		return
	}
	if !t.hasSubtests {
		s.slow.add(e.Package+" "+e.Test, e.Elapsed)
	}
	delete(p.tests, e.Test)
}

// testFailed prints a failed test in full. A test that only groups subtests, of which some failed, is not counted.
func (s *summary) testFailed(pkg, name string, t *testRun) {
	s.print(withoutFraming(t.output))
	if !t.subtestsFail {
		s.failures = append(s.failures, pkg+" "+name)
		s.failed++
	}
}

// close prints the closing lines; the count is the last of them.
func (s *summary) close(note string, slowest int) {
	s.slow.print(s.out, slowest)
	if len(s.failures) > 0 {
		slices.Sort(s.failures)
		fmt.Fprintf(s.out, "\nfailed:\n  %s\n", strings.Join(s.failures, "\n  "))
	}
	if len(s.flickers) > 0 {
		fmt.Fprintf(s.out, "\nflickering, failed once and passed then:\n  %s\n", strings.Join(s.flickers, "\n  "))
	}
	if note != "" {
		fmt.Fprintln(s.out, note)
	}
	fmt.Fprintf(s.out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
}

func (s *summary) print(lines []string) {
	for _, line := range lines {
		fmt.Fprint(s.out, line)
	}
}

func (s *summary) packageRun(name string) *packageRun {
	p := s.packages[name]
	if p == nil {
		p = &packageRun{tests: map[string]*testRun{}}
		s.packages[name] = p
	}
	return p
}

// closingLines are those that go test prints of a package that passed: "ok …" or "? … [no test files]".
func (p *packageRun) closingLines() []string {
	return slices.DeleteFunc(slices.Clone(p.output), func(line string) bool {
		return !strings.HasPrefix(line, "ok ") && !strings.HasPrefix(line, "? ") && !strings.HasPrefix(line, "\t")
	})
}

// withoutFraming drops the lines that say which of the concurrent tests is talking; here each has its own block.
func withoutFraming(output []string) []string {
	return slices.DeleteFunc(slices.Clone(output), func(line string) bool { return strings.HasPrefix(line, "=== ") })
}

func (p *packageRun) test(name string) *testRun {
	t := p.tests[name]
	if t == nil {
		t = &testRun{}
		p.tests[name] = t
		if parent, ok := parentOf(name); ok {
			p.test(parent).hasSubtests = true
		}
	}
	return t
}

// parentOf returns the name of the test around a subtest. A subtest's own name may hold slashes too; what looks like a
// parent then never runs and is never counted.
func parentOf(name string) (string, bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", false
	}
	return name[:i], true
}
