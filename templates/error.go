package templates

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one fault of a template file, or one warning about it.
type Error struct {
	File string
	// Line and Column count from 1; they are 0 when the whole file is at fault.
	Line, Column int
	// Path names the place within the document, such as "step_templates[2].handler_class".
	Path    string
	Message string
	// Hint says what to do about it, or is empty.
	Hint string
}

// Error returns "file:line:column: message (hint)".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": " + e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Errors returns the faults that err, as returned by this package, holds, in their order.
func Errors(err error) []*Error {
	var found []*Error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			found = append(found, Errors(e)...)
		}
		return found
	}
	if one, ok := errors.AsType[*Error](err); ok {
		found = append(found, one)
	}
	return found
}

// join sorts faults by file and place and joins them into one error, nil when there are none.
func join(faults []*Error) error {
	sortErrors(faults)
	errs := make([]error, len(faults))
	for i, fault := range faults {
		errs[i] = fault
	}
	return errors.Join(errs...)
}

func sortErrors(faults []*Error) {
	slices.SortStableFunc(faults, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
