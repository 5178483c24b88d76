package pgproxy

import (
	"context"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sourcegraph/conc"
)

// Statement is a statement that a session executes.
type Statement struct {
	SQL string
	// Rows is how many rows it returned. It is known after the commit.
	Rows int
}

// Fault says of each statement whether its connection is lost. Its functions are called from many goroutines; one that is nil
// loses nothing.
type Fault struct {
	// Before is asked while the server does not have the statement yet.
	Before func(Statement) bool
	// After is asked when the server has committed, and the session does not know it yet.
	After func(Statement) bool
	// Lost is told of a connection that was lost for the statement. The server has seen its end, the worker has not.
	Lost func(Statement, When)
}

// Proxy passes connections on to a server. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	server   *pgconn.Config
	url      string
	group    conc.WaitGroup

	// mu protects the fields below.
	mu     sync.Mutex
	fault  Fault
	conns  map[net.Conn]struct{}
	closed bool
	// flowing is closed while data flows, and open while the network is silent.
	flowing chan struct{}
}

// Start opens a proxy in front of the pool's server. It closes when the test ends.
func Start(t testing.TB, pool *pgxpool.Pool) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := pool.Config().ConnConfig.Config
	p := &Proxy{
		listener: listener, server: &config, url: address(listener, &config),
		conns: make(map[net.Conn]struct{}), flowing: make(chan struct{}),
	}
	close(p.flowing)
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func address(listener net.Listener, config *pgconn.Config) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: listener.Addr().String(),
		Path: "/" + config.Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// URL is how to connect through the proxy.
func (p *Proxy) URL() string { return p.url }

// Lose replaces the fault. The zero value is a network without one.
func (p *Proxy) Lose(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Silence stops all data in both directions, as a network does that drops packets: connections stay open, and new ones are
// accepted, but nobody answers. It lasts until the function that it returns is called.
func (p *Proxy) Silence() (resume func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	silent := make(chan struct{})
	p.flowing = silent
	return sync.OnceFunc(func() { close(silent) })
}

func (p *Proxy) current() (Fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault, p.flowing
}

// accept serves connections until the listener is closed.
func (p *Proxy) accept() {
	for {
		front, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.group.Go(func() { p.serve(front) })
	}
}

// serve passes one connection on until either side or a fault ends it.
func (p *Proxy) serve(front net.Conn) {
	if !p.enter(front) {
		return
	}
	defer p.leave(front)
	network, address := pgconn.NetworkAddress(p.server.Host, p.server.Port)
	back, err := new(net.Dialer).DialContext(context.Background(), network, address)
	if err != nil || !p.enter(back) {
		return
	}
	defer p.leave(back)
	s := &session{proxy: p, front: front, back: back}
	var group conc.WaitGroup
	group.Go(s.statements)
	group.Go(s.answers)
	group.Wait()
}

// enter remembers a connection, so that it ends with the proxy.
func (p *Proxy) enter(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) leave(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = conn.Close()
	delete(p.conns, conn)
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	select {
	case <-p.flowing:
	default: // who waits in a silence sees the end of its connection next
		flowing := make(chan struct{})
		close(flowing)
		p.flowing = flowing
	}
	_ = p.listener.Close()
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.group.Wait()
}
