package main

import (
	"fmt"
	"io"

	"github.com/tasker-systems/tasker-worker/bench"
)

// writeRatios prints, for each workload, the ratios of each row of tasker-worker to each row of a peer: of throughput,
// times, processor time and write-ahead log.
func writeRatios(w io.Writer, medians []bench.Result) error {
	if _, err := fmt.Fprintf(w, "%-28s %-22s %-12s %10s %12s %12s %12s %12s\n", "WORKLOAD, AT ONCE", "OURS", "PEER", "STEPS/S", "P50 MS",
		"FIRST-LAST", "CPU US", "WAL BYTES"); err != nil {
		return err
	}
	for _, ours := range medians {
		for _, peer := range medians {
			if ours.Indexes == "" || peer.Indexes != "" || ours.Workload != peer.Workload ||
				ours.Concurrency != peer.Concurrency {
				continue
			}
			_, err := fmt.Fprintf(w, "%-28s %-22s %-12s %10s %12s %12s %12s %12s\n", fmt.Sprintf(
				"%s, %d", ours.Workload, ours.Concurrency,
			),
				label(
					ours.System, ours.Handlers, ours.Indexes,
				), peer.System, ratio(ours.StepsPerSecond, peer.StepsPerSecond),
				ratio(ours.P50, peer.P50), ratio(
					ours.SpanP50, peer.SpanP50,
				), ratio(cpu(&ours), cpu(&peer)), ratio(ours.WAL, peer.WAL))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// cpu is the processor time of a step, summed over all processes.
func cpu(r *bench.Result) float64 { return r.WorkerCPU + r.HandlersCPU + r.PostgresCPU }

func ratio(ours, theirs float64) string {
	if ours == 0 || theirs == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fx", ours/theirs)
}
