package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/sourcegraph/conc"
)

// profilerHeaderTimeout bounds how long a client of the profiler may take to say what it wants.
const profilerHeaderTimeout = 10 * time.Second

// serveProfiler serves Go's profiler at the address, until the function that it returns is called. An empty address means
// no profiler.
func serveProfiler(address string, log *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, setupError{fmt.Errorf("TASKER_PPROF: %w", err)}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: profilerHeaderTimeout}
	var group conc.WaitGroup
	group.Go(func() { _ = server.Serve(listener) }) // ends with Close
	log.Info("profiler is served", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
	return func() {
		_ = server.Close()
		group.Wait()
	}, nil
}
