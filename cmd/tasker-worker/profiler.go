package main

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
)

// serveProfiler serves Go's profiler at the address, until the function that it returns is called. An empty address means
// no profiler.
func serveProfiler(address string, log *slog.Logger) (stop func(), err error) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return service{variable: "TASKER_PPROF", name: "profiler", path: "/debug/pprof/", address: address, handler: mux}.serve(log)
}
