package sql

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	plaintextCosts = "Whoever is on the way can read and change contexts, results and what workers are told to run."
	plaintextDo    = "Add sslmode=verify-full to DATABASE_URL, and sslrootcert with the certificate of the server's authority."
)

// CheckTransport returns a warning when a session of the pool goes to another machine without TLS; empty otherwise.
// It looks at the connection itself: with sslmode=prefer, the URL does not say.
func CheckTransport(ctx context.Context, pool *pgxpool.Pool) (warning string, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return "", fmt.Errorf("looking whether the connection is encrypted: %w", err)
	}
	defer conn.Release()
	if !isExposed(conn.Conn().PgConn().Conn()) {
		return "", nil
	}
	return fmt.Sprintf("the connection to the database at %s is not encrypted. %s %s",
		address(pool.Config().ConnConfig.Config), plaintextCosts, plaintextDo), nil
}

// isExposed says whether others can listen to a connection. Sockets and loopback addresses stay on this machine.
func isExposed(conn net.Conn) bool {
	if _, encrypted := conn.(interface{ ConnectionState() tls.ConnectionState }); encrypted {
		return false
	}
	remote, overNetwork := conn.RemoteAddr().(*net.TCPAddr)
	return overNetwork && !remote.IP.IsLoopback()
}

// plaintextConnection is [CheckTransport] as a finding.
func plaintextConnection(ctx context.Context, pool *pgxpool.Pool) ([]Finding, error) {
	warning, err := CheckTransport(ctx, pool)
	if warning == "" || err != nil {
		return nil, err
	}
	config := pool.Config().ConnConfig.Config
	return []Finding{{
		Kind:  FindingPlaintext,
		What:  fmt.Sprintf("The connection to the database at %s is not encrypted.", address(config)),
		Costs: plaintextCosts, Do: plaintextDo,
	}}, nil
}
