package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sourcegraph/conc"
)

// Bounds of what a client may take. Answers to probes are short; a profile takes as long as it was asked to.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 30 * time.Second
	headerBytes   = 16 << 10
	maxConns      = 32
)

// service is something that is served over HTTP at an address of the configuration.
type service struct {
	// variable holds the address, for errors.
	variable string
	// name is what the log calls it, path where it is.
	name, path string
	address    string
	handler    http.Handler
	// writeTimeout bounds an answer, zero does not.
	writeTimeout time.Duration
}

// serve serves until the function that it returns is called. An empty address means not at all.
func (s service) serve(log *slog.Logger) (stop func(), err error) {
	if s.address == "" {
		return func() {}, nil
	}
	listener, err := listenAt(context.Background(), s.address)
	if err != nil {
		return nil, setupError{addressError(s.variable, s.address, err)}
	}
	log.Info(s.name+" is served", "url", "http://"+listener.Addr().String()+s.path)
	if !isLoopback(listener.Addr()) {
		log.Warn(s.name+" is served to other machines, without TLS and to whoever asks; :PORT and 127.0.0.1:PORT serve this machine alone",
			"variable", s.variable, "address", listener.Addr().String())
	}
	bounded := newBoundedListener(listener, maxConns)
	server := &http.Server{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), Handler: s.handler, ConnState: bounded.changed,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: s.writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
	}
	var group conc.WaitGroup
	group.Go(func() { _ = server.Serve(bounded) }) // ends with Close
	return func() {
		_ = server.Close()
		group.Wait()
	}, nil
}

// listenAt listens at an address; one without a host is this machine's alone.
func listenAt(ctx context.Context, address string) (net.Listener, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && host == "" {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
