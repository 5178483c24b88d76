package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// columns are those of the table. Costs are per step. FIRST-LAST is the median of the times from the first step to the
// last result.
var columns = []struct {
	head  string
	width int // negative for left-aligned text
	cell  func(*Result) string
}{
	{"SYSTEM", -11, func(r *Result) string { return r.System }},
	{"WORKLOAD", -14, func(r *Result) string { return r.Workload }},
	{"HANDLERS", -8, func(r *Result) string { return string(r.Handlers) }},
	{"INDEXES", -7, func(r *Result) string { return string(r.Indexes) }},
	{"AT ONCE", 7, func(r *Result) string { return number(float64(r.Concurrency)) }},
	{"STEPS/S", 8, func(r *Result) string { return number(r.StepsPerSecond) }},
	{"TASKS/S", 8, func(r *Result) string { return number(r.TasksPerSecond) }},
	{"P50 MS", 7, func(r *Result) string { return number(r.P50) }},
	{"P95 MS", 7, func(r *Result) string { return number(r.P95) }},
	{"P99 MS", 7, func(r *Result) string { return number(r.P99) }},
	{"FIRST-LAST", 10, func(r *Result) string { return number(r.SpanP50) }},
	{"WORKER US", 9, func(r *Result) string { return number(r.WorkerCPU) }},
	{"HANDLER US", 10, func(r *Result) string { return number(r.HandlersCPU) }},
	{"PG US", 7, func(r *Result) string { return number(r.PostgresCPU) }},
	{"STATEMENTS", 10, func(r *Result) string { return number(r.Statements) }},
	{"WAL BYTES", 9, func(r *Result) string { return number(r.WAL) }},
}

// WriteHead writes the names of the table's columns.
func WriteHead(w io.Writer) error {
	return writeLine(w, func(i int) string { return columns[i].head })
}

// WriteRow writes the result as a row of the table. Columns have fixed widths, so that each row can be written
// immediately.
func (r *Result) WriteRow(w io.Writer) error {
	return writeLine(w, func(i int) string { return columns[i].cell(r) })
}

func writeLine(w io.Writer, cell func(int) string) error {
	var line strings.Builder
	for i, c := range columns {
		fmt.Fprintf(&line, "%*s  ", c.width, cell(i))
	}
	_, err := io.WriteString(w, strings.TrimRight(line.String(), " ")+"\n")
	return err
}

// number formats a number with three significant digits and thousands separators, and 0, which means unknown, as a
// dash.
func number(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v < 10 && v != float64(int(v)):
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 100 && v != float64(int(v)):
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
