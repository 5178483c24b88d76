package executors

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestRealHostsThatLeakMemoryAreReplaced(t *testing.T) {
	t.Parallel()
	sc := confinedScene(t, Config{PingInterval: 2 * time.Second, RecycleMemory: 160 << 20})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		leaky := decode[int](t, sc.run(sc.ctx(), l.misbehave("leak_memory", 150)))
		awaitGone(t, leaky)
		replaced, _ := sc.log.find("handler process is replaced")
		if !slices.ContainsFunc(replaced, func(fields map[string]string) bool {
			return fields["pid"] == strconv.Itoa(leaky) && strings.Contains(fields["reason"], "MiB in memory")
		}) {
			t.Errorf("process %d has ended, but not for its memory: %v", leaky, replaced)
		}
		l.pid(t, sc)
	})
}

// A connection that a handler forgets is one that a database would count.
func TestRealHostsThatLeakConnectionsAreReplacedWithAllThatTheyHeld(t *testing.T) {
	t.Parallel()
	const steps = 3
	sc := confinedScene(t, Config{RecycleAfter: steps})
	forEachLanguage(t, func(t *testing.T, l realLanguage) {
		server, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		var held []net.Conn
		var scratch string
		for range steps {
			scratch = decode[string](t, sc.run(sc.ctx(), l.misbehave("leak_connection", server.Addr().String())))
			connection, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = connection.Close() })
			held = append(held, connection)
		}
		for _, connection := range held {
			_ = connection.SetReadDeadline(time.Now().Add(patience))
			if _, err := connection.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("a connection is open though its process was to be replaced: %v", err)
			}
		}
		sc.awaitTrue(func() bool {
			_, err := os.Stat(scratch)
			return errors.Is(err, fs.ErrNotExist)
		})
		if got := sc.run(sc.ctx(), l.attempt("echo", "next")); got.Kind != engine.OutcomeSucceeded {
			t.Errorf("the next step comes to %s", describe(got))
		}
	})
}
