package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

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

// probes answers probes: 200, or 503 while the handlers of a language cannot run or a template is left out. Why, with the texts of
// exceptions, is for those who have the token; everybody else gets the languages, and a number of lines.
type probes struct {
	health    health
	templates faulty
	// token is nil where no request may see the causes.
	token []byte
}

// answerTimeout bounds the answer to a probe.
const answerTimeout = 10 * time.Second

// serveHealth answers probes at the address, until the function that it returns is called. An empty address means no answers.
func serveHealth(c config, h health, templates faulty, log *slog.Logger) (stop func(), err error) {
	token, err := readHealthToken(c.HealthTokenFile)
	if err != nil {
		return nil, setupError{err}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /health", probes{h, templates, token})
	return service{
		variable: "TASKER_HEALTH", name: "health", path: "/health", address: c.Health, handler: mux, writeTimeout: answerTimeout,
	}.serve(log)
}

// readHealthToken reads the file, if there is one.
func readHealthToken(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	token, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("TASKER_HEALTH_TOKEN_FILE: %w", err)
	}
	const shortest = 16
	if token = bytes.TrimSpace(token); len(token) < shortest {
		return nil, fmt.Errorf("TASKER_HEALTH_TOKEN_FILE %s holds %d characters; a token has at least %d", file, len(token), shortest)
	}
	return token, nil
}

// ServeHTTP implements [http.Handler].
func (p probes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	outages, problems := p.health.Outages(), p.health.Problems()
	report := healthReport{Status: "ok", Outages: inLines(outages), Problems: inLines(problems), Templates: p.templates.Faults()}
	code := http.StatusOK
	switch {
	case len(report.Outages) > 0:
		report.Status, code = "down", http.StatusServiceUnavailable
	case len(report.Templates) > 0:
		report.Status, code = "degraded", http.StatusServiceUnavailable
	}
	if !p.mayKnow(r) {
		report.Outages, report.Problems = languagesOf(outages), languagesOf(problems)
		report.Templates = slices.Repeat([]string{"a fault, which the log tells"}, len(report.Templates))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(report) // fails when the client is gone
}

func (p probes) mayKnow(r *http.Request) bool {
	given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, got := sha256.Sum256(p.token), sha256.Sum256([]byte(given))
	return p.token != nil && isBearer && subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func languagesOf(problems []executors.Problem) []string {
	languages := make([]string, len(problems))
	for i, p := range problems {
		languages[i] = string(p.Language)
	}
	return languages
}

func inLines(problems []executors.Problem) []string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return lines
}
