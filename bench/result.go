package bench

import (
	"encoding/json"
	"io"
	"slices"
	"time"
)

// Result is one row of the table. Times are milliseconds, costs are for each step.
type Result struct {
	System      string   `json:"system"`
	Workload    string   `json:"workload"`
	Handlers    Language `json:"handlers"`
	Indexes     Indexes  `json:"indexes"`
	Concurrency int      `json:"concurrency"`
	// Round counts from 1; 0 is the median of all rounds.
	Round   int     `json:"round"`
	Tasks   int     `json:"tasks"`
	Steps   int     `json:"steps"`
	Seconds float64 `json:"seconds"`

	StepsPerSecond float64 `json:"steps_per_second"`
	TasksPerSecond float64 `json:"tasks_per_second"`
	P50            float64 `json:"p50_ms"`
	P95            float64 `json:"p95_ms"`
	P99            float64 `json:"p99_ms"`
	// SpanP50 and SpanP99 are the times from the start of a task's first step to the commit of its last result, if
	// known.
	SpanP50 float64 `json:"span_p50_ms"`
	SpanP99 float64 `json:"span_p99_ms"`

	WorkerCPU   float64 `json:"worker_cpu_us"`
	HandlersCPU float64 `json:"handlers_cpu_us"`
	PostgresCPU float64 `json:"postgres_cpu_us"`
	Statements  float64 `json:"statements"`
	WAL         float64 `json:"wal_bytes"`
	WALRecords  float64 `json:"wal_record_bytes"`
}

// fill computes the figures from a measurement.
func (r *Result) fill(m Measurement) {
	steps := float64(m.Steps)
	r.Tasks, r.Steps, r.Seconds = m.Tasks, m.Steps, m.Usage.At.Seconds()
	r.StepsPerSecond, r.TasksPerSecond = steps/r.Seconds, float64(m.Tasks)/r.Seconds
	r.fillLatencies(m.Latencies)
	slices.Sort(m.Spans)
	r.SpanP50, r.SpanP99 = quantile(m.Spans, 0.5), quantile(m.Spans, 0.99)
	r.fillCosts(m.Usage, steps)
}

// fillCosts divides the usage by the number of steps.
func (r *Result) fillCosts(u Usage, steps float64) {
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / steps }
	r.WorkerCPU, r.HandlersCPU, r.PostgresCPU = micros(u.Worker), micros(u.Handlers), micros(u.Postgres)
	r.Statements = float64(u.Statements) / steps
	r.WAL, r.WALRecords = float64(u.WAL)/steps, float64(u.WALRecords)/steps
}

// fillLatencies sorts its argument.
func (r *Result) fillLatencies(latencies []time.Duration) {
	slices.Sort(latencies)
	r.P50, r.P95, r.P99 = quantile(latencies, 0.5), quantile(latencies, 0.95), quantile(latencies, 0.99)
}

// figures returns the numbers of which medians are computed.
func (r *Result) figures() []*float64 {
	return []*float64{
		&r.Seconds, &r.StepsPerSecond, &r.TasksPerSecond, &r.P50, &r.P95, &r.P99, &r.SpanP50, &r.SpanP99,
		&r.WorkerCPU, &r.HandlersCPU, &r.PostgresCPU, &r.Statements, &r.WAL, &r.WALRecords,
	}
}

// Median returns the row whose figures are the medians of the rounds. There must be at least one round.
func Median(rounds []Result) Result {
	all := rounds[0]
	all.Round, all.Tasks, all.Steps = 0, 0, 0
	for _, r := range rounds {
		all.Tasks += r.Tasks
		all.Steps += r.Steps
	}
	for i, figure := range all.figures() {
		values := make([]float64, len(rounds))
		for j := range rounds {
			values[j] = *rounds[j].figures()[i]
		}
		*figure = median(values)
	}
	return all
}

// WriteJSON writes the result as a line of JSON.
func (r *Result) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}
