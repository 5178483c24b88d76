package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
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
			token := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(token, []byte(healthToken+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			stop, err := serveHealth(config{Health: "127.0.0.1:0", HealthTokenFile: token}, c.health, c.templates, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			_, url, _ := strings.Cut(strings.TrimSpace(log.String()), "url=")
			answer := probe(t, url, "Bearer "+healthToken)
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

const healthToken = "a-token-of-those-who-may-know"

// probe asks for the health, with an authorization where it is not empty.
func probe(t *testing.T, url, authorization string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestHealthTellsCausesToThoseWhoMayKnow: the text of an exception may hold a password.
func TestHealthTellsCausesToThoseWhoMayKnow(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(healthToken), 0o600); err != nil {
		t.Fatal(err)
	}
	sick := fakeHealth{
		outages:  []executors.Problem{{Language: executors.Python, Message: "cannot log in with " + canaryText}},
		problems: []executors.Problem{{Language: executors.Ruby, File: "ruby/a.rb", Message: canaryText}},
	}
	for name, c := range map[string]struct {
		file, authorization string
		told                bool
	}{
		"no token anywhere":   {"", "", false},
		"an empty token":      {"", "Bearer ", false},
		"no authorization":    {token, "", false},
		"another token":       {token, "Bearer " + healthToken + "x", false},
		"another scheme":      {token, "Basic " + healthToken, false},
		"the token":           {token, "Bearer " + healthToken, true},
		"the token, shorter":  {token, "Bearer " + healthToken[:8], false},
		"the token, in front": {token, healthToken, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			stop, err := serveHealth(config{Health: ":0", HealthTokenFile: c.file}, sick, fakeTemplates{"a.yaml:1:1: " + canaryText}, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			_, url, _ := strings.Cut(strings.TrimSpace(log.String()), "url=")
			answer := probe(t, url, c.authorization)
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), `"outages":["python`) {
				t.Errorf("%v, %s: %s", err, answer.Status, body)
			}
			if told := strings.Contains(string(body), canaryText); told != c.told {
				t.Errorf("told is %v, want %v: %s", told, c.told, body)
			}
		})
	}
}

const canaryText = "password=hunter2"
