package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/executors"
)

type fakeHealth struct{ outages, problems []executors.Problem }

func (h fakeHealth) Outages() []executors.Problem  { return h.outages }
func (h fakeHealth) Problems() []executors.Problem { return h.problems }

type fakeTemplates []string

func (f fakeTemplates) Faults() []string { return append([]string{}, f...) }

func TestHealthIsDownWhileALanguageIs(t *testing.T) {
	t.Parallel()
	file := executors.Problem{Language: executors.Ruby, File: "ruby/a.rb", Message: "SyntaxError"}
	down := executors.Problem{Language: executors.Python, Message: "its processes crash"}
	for name, c := range map[string]struct {
		health    fakeHealth
		templates fakeTemplates
		code      int
		want      healthReport
	}{
		"a template": {
			fakeHealth{},
			fakeTemplates{"a.yaml:1:1: no"},
			http.StatusServiceUnavailable,
			healthReport{"degraded", []string{}, []string{}, []string{"a.yaml:1:1: no"}},
		},
		"nothing": {fakeHealth{}, nil, http.StatusOK, healthReport{"ok", []string{}, []string{}, []string{}}},
		"a file":  {fakeHealth{problems: []executors.Problem{file}}, nil, http.StatusOK, healthReport{"ok", []string{}, []string{file.String()}, []string{}}},
		"an outage": {
			fakeHealth{[]executors.Problem{down}, []executors.Problem{file, down}},
			fakeTemplates{"x"},
			http.StatusServiceUnavailable,
			healthReport{"down", []string{down.String()}, []string{file.String(), down.String()}, []string{"x"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			stop, err := serveHealth("127.0.0.1:0", c.health, c.templates, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			_, url, _ := strings.Cut(strings.TrimSpace(log.String()), "url=")
			answer, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			var got healthReport
			if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || answer.StatusCode != c.code {
				t.Errorf("status %s (%v), want %d", answer.Status, err, c.code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}
