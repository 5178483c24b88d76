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

// healthReport is the answer to a probe.
type healthReport struct {
	Status string `json:"status"`
	// Outages are why it is down; Problems are all that is known, files that failed to load among them.
	Outages  []string `json:"outages"`
	Problems []string `json:"problems"`
}

// serveHealth answers probes at the address, until the function that it returns is called: 200, or 503 while the handlers of a
// language cannot run. An empty address means no answers.
func serveHealth(address string, h health, log *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { answerProbe(w, h) })
	taken, stop, err := serveHTTP("TASKER_HEALTH", address, mux)
	if err == nil {
		log.Info("health is served", "url", "http://"+taken+"/health")
	}
	return stop, err
}

func answerProbe(w http.ResponseWriter, h health) {
	report := healthReport{Status: "ok", Outages: inLines(h.Outages()), Problems: inLines(h.Problems())}
	code := http.StatusOK
	if len(report.Outages) > 0 {
		report.Status, code = "down", http.StatusServiceUnavailable
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
