package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/sourcegraph/conc"
)

// headerTimeout bounds how long a client may take to say what it wants.
const headerTimeout = 10 * time.Second

// serveHTTP serves at the address that the variable holds until the function that it returns is called, and returns the address
// with the port that was taken.
func serveHTTP(variable, address string, handler http.Handler) (taken string, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", nil, setupError{addressError(variable, address, err)}
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	var group conc.WaitGroup
	group.Go(func() { _ = server.Serve(listener) }) // ends with Close
	return listener.Addr().String(), func() {
		_ = server.Close()
		group.Wait()
	}, nil
}
