package main

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

// boundedListener keeps at most a number of connections open, so that clients cannot take all the files that the worker may
// have open. One more closes the one that has waited longest for a request; where all are being answered, it is refused.
type boundedListener struct {
	net.Listener
	max int

	// mu protects the fields below.
	mu sync.Mutex
	// open has the connections in the order in which they began to wait.
	open []*boundedConn
}

type boundedConn struct {
	net.Conn
	listener *boundedListener
	busy     bool // a request is being read or answered; protected by the listener's mu
}

func newBoundedListener(listener net.Listener, most int) *boundedListener {
	return &boundedListener{Listener: listener, max: most}
}

// Accept implements [net.Listener].
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if admitted := l.admit(conn); admitted != nil {
			return admitted, nil
		}
		_ = conn.Close() // nothing was read or written
	}
}

// admit makes room for a connection, and returns nil where there is none.
func (l *boundedListener) admit(conn net.Conn) *boundedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.max {
		oldest := l.waiting()
		if oldest == nil {
			return nil
		}
		l.remove(oldest)
		_ = oldest.Conn.Close() // no request came on it
	}
	admitted := &boundedConn{Conn: conn, listener: l}
	l.open = append(l.open, admitted)
	return admitted
}

func (l *boundedListener) waiting() *boundedConn {
	for _, conn := range l.open {
		if !conn.busy {
			return conn
		}
	}
	return nil
}

// remove says whether the connection was still there.
func (l *boundedListener) remove(conn *boundedConn) bool {
	i := slices.Index(l.open, conn)
	if i < 0 {
		return false
	}
	l.open = slices.Delete(l.open, i, i+1)
	return true
}

// changed is called by the server with the new state of a connection.
func (l *boundedListener) changed(conn net.Conn, state http.ConnState) {
	bounded, ok := conn.(*boundedConn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bounded.busy = state == http.StateActive
	if state == http.StateIdle && l.remove(bounded) {
		l.open = append(l.open, bounded)
	}
}

// Close implements [net.Conn].
func (c *boundedConn) Close() error {
	c.listener.mu.Lock()
	c.listener.remove(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
