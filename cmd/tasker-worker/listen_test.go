package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serveFor serves a handler at an address until the test ends, and returns where, and the log.
func serveFor(t *testing.T, address string, handler http.HandlerFunc) (taken string, log *lockedBuffer) {
	t.Helper()
	log = &lockedBuffer{}
	stop, err := service{variable: "TASKER_HEALTH", name: "health", address: address, handler: handler}.serve(slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	var first struct{ URL string }
	if err := json.NewDecoder(strings.NewReader(log.String())).Decode(&first); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(first.URL, "http://"), log
}

func fine(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }

func TestAddressWithoutAHostIsThisMachinesAlone(t *testing.T) {
	t.Parallel()
	for address, warns := range map[string]bool{":0": false, "127.0.0.1:0": false, "localhost:0": false, "0.0.0.0:0": true} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			taken, log := serveFor(t, address, fine)
			host, _, err := net.SplitHostPort(taken)
			if err != nil || net.ParseIP(host).IsLoopback() == warns {
				t.Errorf("it is served at %s (%v)", taken, err)
			}
			if warned := strings.Contains(log.String(), "to other machines"); warned != warns {
				t.Errorf("warned is %v:\n%s", warned, log)
			}
		})
	}
}

// TestIdleConnectionsKeepNobodyOut opens more connections than there may be: none of them keeps a probe waiting, and the worker
// holds no file for most of them.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	taken, _ := serveFor(t, ":0", fine)
	idle := make([]net.Conn, 230)
	for i := range idle {
		idle[i] = dial(t, taken)
		if i%2 == 0 { // these have asked once, and stay
			if _, err := io.WriteString(idle[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(idle[i]), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + taken)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	for _, conn := range idle[:len(idle)-maxConns] {
		if _, err := io.Copy(io.Discard, conn); err != nil && isTimeout(err) {
			t.Fatal("an old connection is still open")
		}
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // it is what Read returns
	return ok && timeout.Timeout()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestBusyConnectionsAreNotClosed: one more than there may be is refused when all others are being answered.
func TestBusyConnectionsAreNotClosed(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}, maxConns), make(chan struct{})
	taken, _ := serveFor(t, ":0", func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-release
		fine(w, r)
	})
	busy := make([]net.Conn, maxConns)
	for i := range busy {
		busy[i] = dial(t, taken)
		if _, err := io.WriteString(busy[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-begun
	}
	if n, err := dial(t, taken).Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one more connection read %d bytes, %v", n, err)
	}
	close(release)
	for _, conn := range busy {
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("a busy connection: %v", err)
		}
		answer.Body.Close()
	}
}

// TestErrorsOfTheServerAreRecords: a panic of a handler is a record of the log, not a line of its own.
func TestErrorsOfTheServerAreRecords(t *testing.T) {
	t.Parallel()
	taken, log := serveFor(t, ":0", func(http.ResponseWriter, *http.Request) { panic("at the disco") })
	if answer, err := http.Get("http://" + taken); err == nil {
		answer.Body.Close()
	}
	eventually(t, "the panic", func() bool { return strings.Contains(log.String(), "at the disco") })
	for line := range bytes.Lines([]byte(log.String())) {
		if !json.Valid(line) {
			t.Errorf("the log has a line that is no record: %q", line)
		}
	}
}
