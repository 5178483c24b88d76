package devdb

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// defaultPort names the socket of a server that does not listen on the network.
const defaultPort = 5432

// hba lets in who can open the socket, which only its owner can, and over the network only who has the password.
const hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"

// settings are what the server runs with; session settings are left to those who connect.
func settings(f folder, port int, opts Options) map[string]string {
	all := map[string]string{
		"listen_addresses":        "",
		"log_timezone":            "UTC",
		"max_connections":         "200",
		"password_encryption":     "scram-sha-256",
		"port":                    strconv.Itoa(port),
		"timezone":                "UTC",
		"unix_socket_directories": f.socket(),
		"unix_socket_permissions": "0700",
	}
	if opts.TCP {
		all["listen_addresses"] = "127.0.0.1"
	}
	if !opts.Durable {
		all["fsync"], all["full_page_writes"] = "off", "off"
	}
	maps.Copy(all, opts.Settings)
	return all
}

// writeConfig puts the settings where a server that is reloaded finds them again.
func writeConfig(f folder, as account, port int, opts Options) error {
	var conf strings.Builder
	all := settings(f, port, opts)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&conf, "%s = '%s'\n", name, strings.ReplaceAll(all[name], "'", "''"))
	}
	for name, content := range map[string]string{"pg_hba.conf": hba, "postgresql.conf": conf.String()} {
		path := filepath.Join(f.data(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
		if err := as.own(path); err != nil {
			return err
		}
	}
	return nil
}

// freePort asks the kernel for a free port. Another process may take it before the server does; the start fails
// then and says so.
func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
