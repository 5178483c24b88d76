package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestProfilerIsServedUntilItIsStopped(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	stop, err := serveProfiler("127.0.0.1:0", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(log.String()), "url=")
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(page), "goroutine") {
		t.Errorf("%s answers %s:\n%s", url, answer.Status, page)
	}
	stop()
	if answer, err := http.Get(url); err == nil {
		answer.Body.Close()
		t.Errorf("%s still answers", url)
	}
}

func TestProfilerAtATakenAddressIsASetupError(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := serveProfiler(taken.Addr().String(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "TASKER_PPROF") {
		t.Errorf("got %v", err)
	}
}
