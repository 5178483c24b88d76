package sql_test

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// peerConn is a connection that says of its peer what a test wants.
type peerConn struct {
	net.Conn
	peer net.Addr
}

func (c peerConn) RemoteAddr() net.Addr { return c.peer }

// encryptedConn is one that claims to be encrypted.
type encryptedConn struct{ peerConn }

func (encryptedConn) ConnectionState() tls.ConnectionState { return tls.ConnectionState{} }

func TestPlaintextToAnotherMachineIsSaid(t *testing.T) {
	t.Parallel()
	db := sqltest.New(t)
	remote := &net.TCPAddr{IP: net.ParseIP("203.0.113.5"), Port: 5432}
	for name, row := range map[string]struct {
		peer      net.Addr
		encrypted bool
		want      bool
	}{
		"another machine":            {peer: remote, want: true},
		"another machine, encrypted": {peer: remote, encrypted: true},
		"a private network":          {peer: &net.TCPAddr{IP: net.ParseIP("10.0.0.5")}, want: true},
		"loopback":                   {peer: &net.TCPAddr{IP: net.ParseIP("127.0.0.1")}},
		"loopback of IPv6":           {peer: &net.TCPAddr{IP: net.IPv6loopback}},
		"a socket":                   {peer: &net.UnixAddr{Name: "/run/postgresql/.s.PGSQL.5432", Net: "unix"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := db.Config()
			config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				if row.encrypted {
					return encryptedConn{peerConn{conn, row.peer}}, nil
				}
				return peerConn{conn, row.peer}, nil
			}
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			warning, err := sql.CheckTransport(t.Context(), pool)
			if err != nil || strings.Contains(warning, "is not encrypted. ") != row.want {
				t.Errorf("it says %q, %v", warning, err)
			}
			diagnosis, err := sql.Diagnose(t.Context(), pool, sql.DiagnoseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			found := len(diagnosis.Findings) > 0 && diagnosis.Findings[0].Kind == sql.FindingPlaintext
			if found != row.want {
				t.Errorf("the doctor finds it: %t, want %t", found, row.want)
			}
		})
	}
}
