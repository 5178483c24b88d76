package templates

import "fmt"

// faultsMax bounds what is reported about one file; an author with more faults starts with these.
const faultsMax = 100

// diagnostics collects the errors and warnings of one file.
type diagnostics struct {
	file     string
	faults   []*Error
	warnings []*Error
}

// sourcePos is a position in a document.
type sourcePos struct {
	line, column int
	path         string
}

func (r *diagnostics) fault(where sourcePos, hint, format string, args ...any) {
	if len(r.faults) < faultsMax {
		r.faults = append(r.faults, r.newError(where, hint, format, args...))
	}
}

func (r *diagnostics) warn(where sourcePos, hint, format string, args ...any) {
	if len(r.warnings) < faultsMax {
		r.warnings = append(r.warnings, r.newError(where, hint, format, args...))
	}
}

func (r *diagnostics) newError(where sourcePos, hint, format string, args ...any) *Error {
	return &Error{
		File: r.file, Line: where.line, Column: where.column, Path: where.path,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// didYouMean is the hint for a misspelt name, empty when nothing is near or the fault would not be kept anyway.
func (r *diagnostics) didYouMean(name string, candidates []string) string {
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
