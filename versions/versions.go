// Package versions knows which versions of PostgreSQL and of the languages' runtimes are supported: the table in
// supported.txt, which the scripts read too. It looks at no machine.
//
//	python := versions.Of("Python")
//	fmt.Println(python)                      // Python 3.9 to 3.14
//	fmt.Println(python.Judge("3.8.1"))       // TooOld
package versions

import (
	_ "embed" // the table
	"fmt"
	"strconv"
	"strings"
)

//go:embed supported.txt
var table string

// Range is the versions of one runtime that are supported.
type Range struct {
	// Name is as people write it: PostgreSQL, Ruby, Rails, Python, Node.
	Name string
	// Oldest is needed. Newest is the newest that the tests have run with. Both stand for all releases below them: the
	// newest Ruby 3.3 includes 3.3.9.
	Oldest, Newest string
}

// Verdict is what a range says of a version.
type Verdict int

// The verdicts. A version that cannot be read is Unknown, and nothing is said of it.
const (
	Unknown Verdict = iota
	TooOld
	Supported
	Untested
)

// All returns the table in its order.
func All() []Range {
	var all []Range
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) != 3 {
			panic("versions: supported.txt has a line of another form: " + line)
		}
		all = append(all, Range{Name: fields[0], Oldest: fields[1], Newest: fields[2]})
	}
	return all
}

// Of returns the range of a runtime. The name's case does not matter.
func Of(name string) Range {
	for _, r := range All() {
		if strings.EqualFold(r.Name, name) {
			return r
		}
	}
	panic("versions: no runtime is called " + name)
}

// String is for sentences: "Ruby 3.1 to 3.3".
func (r Range) String() string { return fmt.Sprintf("%s %s to %s", r.Name, r.Oldest, r.Newest) }

// Judge compares a version, such as 3.1.2 or v20.11.0, with the range.
func (r Range) Judge(version string) Verdict {
	v := numbers(version)
	switch {
	case len(v) == 0:
		return Unknown
	case less(v, numbers(r.Oldest)):
		return TooOld
	case less(numbers(r.Newest), v[:min(len(v), len(numbers(r.Newest)))]):
		return Untested
	default:
		return Supported
	}
}

// Refusal says that a version is too old and what to do, and is empty for one that is not.
func (r Range) Refusal(version string) string {
	if r.Judge(version) != TooOld {
		return ""
	}
	return fmt.Sprintf("%s %s is too old: %s or newer is needed, and %s are tested", r.Name, version, r.Oldest, r.tested())
}

// Warning says that a version is newer than what was tested, and is empty for one that is not.
func (r Range) Warning(version string) string {
	if r.Judge(version) != Untested {
		return ""
	}
	return fmt.Sprintf("%s %s is newer than what this version of the worker was tested with: %s", r.Name, version, r.tested())
}

func (r Range) tested() string { return r.Oldest + " to " + r.Newest }

// numbers are those at the start of a version, without a "v" before them.
func numbers(version string) []int {
	var all []int
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(version), "v"), ".") {
		digits := part
		if i := strings.IndexFunc(part, func(c rune) bool { return c < '0' || c > '9' }); i >= 0 {
			digits = part[:i]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		all = append(all, n)
		if digits != part { // 18beta1, 3.4.0-rc1
			break
		}
	}
	return all
}

// less compares number by number; what is absent counts as zero.
func less(a, b []int) bool {
	for i := range max(len(a), len(b)) {
		x, y := at(a, i), at(b, i)
		if x != y {
			return x < y
		}
	}
	return false
}

func at(numbers []int, i int) int {
	if i < len(numbers) {
		return numbers[i]
	}
	return 0
}
