package main

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/tasker-systems/tasker-worker/executors"
)

// health is what a probe wants to know of the handler processes.
type health interface {
	Outages() []executors.Problem
	Problems() []executors.Problem
}

// faulty knows why templates are not in force.
type faulty interface {
	Faults() []string
}

// healthReport is the answer to a probe.
type healthReport struct {
	// Status is ok, degraded while templates are left out, or down while the handlers of a language cannot run.
	Status string `json:"status"`
	// Outages are why it is down; Problems are all that is known, files that failed to load among them.
	Outages  []string `json:"outages"`
	Problems []string `json:"problems"`
	// Templates are why templates of the folder are not in force, with file and line.
	Templates []string `json:"templates"`
}

// serveHealth answers probes at the address, until the function that it returns is called: 200, or 503 while the handlers of a
// language cannot run or a template is left out. An empty address means no answers.
func serveHealth(address string, h health, templates faulty, log *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { answerProbe(w, h, templates) })
	taken, stop, err := serveHTTP("TASKER_HEALTH", address, mux)
	if err == nil {
		log.Info("health is served", "url", "http://"+taken+"/health")
	}
	return stop, err
}

func answerProbe(w http.ResponseWriter, h health, templates faulty) {
	report := healthReport{Status: "ok", Outages: inLines(h.Outages()), Problems: inLines(h.Problems()), Templates: templates.Faults()}
	code := http.StatusOK
	switch {
	case len(report.Outages) > 0:
		report.Status, code = "down", http.StatusServiceUnavailable
	case len(report.Templates) > 0:
		report.Status, code = "degraded", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(report) // fails when nobody listens any more
}

func inLines(problems []executors.Problem) []string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return lines
}
