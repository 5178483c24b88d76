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

func TestHealthIsDownWhileALanguageIs(t *testing.T) {
	t.Parallel()
	file := executors.Problem{Language: executors.Ruby, File: "ruby/a.rb", Message: "SyntaxError"}
	down := executors.Problem{Language: executors.Python, Message: "its processes crash"}
	for name, c := range map[string]struct {
		health fakeHealth
		code   int
		want   healthReport
	}{
		"nothing":   {fakeHealth{}, http.StatusOK, healthReport{"ok", []string{}, []string{}}},
		"a file":    {fakeHealth{problems: []executors.Problem{file}}, http.StatusOK, healthReport{"ok", []string{}, []string{file.String()}}},
		"an outage": {fakeHealth{[]executors.Problem{down}, []executors.Problem{file, down}}, http.StatusServiceUnavailable, healthReport{"down", []string{down.String()}, []string{file.String(), down.String()}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			stop, err := serveHealth("127.0.0.1:0", c.health, slog.New(slog.NewTextHandler(&log, nil)))
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
