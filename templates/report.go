package templates

import "fmt"

// faultsMax bounds what is reported about one file; whoever has more faults starts with these.
const faultsMax = 100

// report collects what is wrong with one file.
type report struct {
	file     string
	faults   []*Error
	warnings []*Error
}

// at is a place in a document.
type at struct {
	line, column int
	path         string
}

func (r *report) fault(where at, hint, format string, args ...any) {
	if len(r.faults) < faultsMax {
		r.faults = append(r.faults, r.newError(where, hint, format, args...))
	}
}

func (r *report) warn(where at, hint, format string, args ...any) {
	if len(r.warnings) < faultsMax {
		r.warnings = append(r.warnings, r.newError(where, hint, format, args...))
	}
}

func (r *report) newError(where at, hint, format string, args ...any) *Error {
	return &Error{
		File: r.file, Line: where.line, Column: where.column, Path: where.path,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// didYouMean is the hint for a misspelt name, empty when nothing is near or the fault would not be kept anyway.
func (r *report) didYouMean(name string, candidates []string) string {
	if len(r.faults) >= faultsMax {
		return ""
	}
	return didYouMean(name, candidates)
}

func didYouMean(name string, candidates []string) string {
	if nearest, ok := Nearest(name, candidates); ok {
		return fmt.Sprintf("did you mean %q?", nearest)
	}
	return ""
}
