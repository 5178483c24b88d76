package bench

import (
	"fmt"
	"io"
	"slices"
)

// WriteOverheads writes a line for each result with a bare counterpart: the overhead of its calls in microseconds and
// percent. Its error is that of w.
func WriteOverheads(w io.Writer, results []Result) error {
	for i := range results {
		r := &results[i]
		bare := slices.IndexFunc(results, func(b Result) bool {
			return r.System != bareName && b.System == bareName && b.Workload == r.Workload &&
				b.Handlers == r.Handlers && b.Concurrency == r.Concurrency
		})
		if bare < 0 {
			continue
		}
		b := &results[bare]
		_, err := fmt.Fprintf(w, "%s, handlers %s, %d at once: %+.0f us at P50 (%+.1f %%), %+.0f us at P99, "+
			"%.2f times the calls/s of the bare loop\n",
			r.Workload, r.Handlers, r.Concurrency, (r.P50-b.P50)*1000, (r.P50/b.P50-1)*100, (r.P99-b.P99)*1000,
			r.StepsPerSecond/b.StepsPerSecond)
		if err != nil {
			return err
		}
	}
	return nil
}
