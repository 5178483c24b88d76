package devdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// StartTimeoutDefault bounds [Start] where its context has no deadline of its own.
const StartTimeoutDefault = time.Minute

// pollInterval is how often a starting server is asked whether it answers.
const pollInterval = 10 * time.Millisecond

// Options say how a server runs. The zero value is a fast, throw-away one on a Unix socket.
type Options struct {
	// CacheDir keeps what initdb made, for the next start. Default: tasker-worker in the user's cache folder.
	CacheDir string
	// Dir is where the server's own folder is made. Default: the system's folder for temporary files.
	Dir string
	// Durable makes commits survive a crash of the machine, as in production. Default: nothing is synced.
	Durable bool
	// Logger gets a record of where the server runs. Default: none.
	Logger *slog.Logger
	// Settings are further settings of postgresql.conf, such as shared_buffers; they override ours.
	Settings map[string]string
	// TCP also listens on a free port of the loopback interface, behind a random password. See [Server.TCPURL].
	TCP bool
}

// Server is a running PostgreSQL. Its methods may be called from any goroutine.
type Server struct {
	folder   folder
	password string // empty without TCP
	port     int    // of the loopback interface, and in the socket's name
	process  *process
	stopOnce sync.Once
	stopErr  error
}

// Start runs a server and returns when it answers. The context bounds the start, not the server's life: that ends with
// [Server.Stop] or with this process. Folders that killed owners left behind are removed first.
func Start(ctx context.Context, opts Options) (*Server, error) {
	callers := ctx
	ctx, cancel := context.WithTimeout(ctx, StartTimeoutDefault)
	defer cancel()
	from, err := findInstallation(ctx)
	if err != nil {
		return nil, err
	}
	as, err := serverAccount()
	if err != nil {
		return nil, err
	}
	parent, err := chooseParent(opts.Dir, as)
	if err != nil {
		return nil, err
	}
	removeStale(parent)
	f, err := newFolder(parent, as)
	if err != nil {
		return nil, fmt.Errorf("making a folder for PostgreSQL: %w", err)
	}
	s, err := startIn(ctx, f, from, as, opts)
	if err != nil {
		if callers.Err() == nil {
			forgetCluster(opts.CacheDir, from)
		} // else it was only asked to stop, and other processes may be copying
		return nil, errors.Join(fmt.Errorf("starting PostgreSQL %s: %w", from.version, err), f.Remove())
	}
	if opts.Logger != nil {
		opts.Logger.DebugContext(ctx, "private PostgreSQL started", "version", from.version, "folder", f.Path)
	}
	return s, nil
}

func startIn(ctx context.Context, f folder, from installation, as account, opts Options) (*Server, error) {
	if err := prepareCluster(ctx, from, f, as, opts.CacheDir); err != nil {
		return nil, err
	}
	s := &Server{folder: f, port: defaultPort}
	var err error
	if opts.TCP {
		if s.port, err = freePort(ctx); err != nil {
			return nil, err
		}
		s.password = rand.Text()
	}
	if err := writeConfig(f, as, s.port, opts); err != nil {
		return nil, err
	}
	if s.process, err = launch(from, f, as); err != nil {
		return nil, err
	}
	if err := s.greet(ctx); err != nil {
		return nil, errors.Join(err, s.process.stop())
	}
	return s, nil
}

func launch(from installation, f folder, as account) (*process, error) {
	log, err := os.OpenFile(f.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(from.bin, "postgres"), "-D", f.data())
	cmd.Dir = f.Path
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(as)
	return startProcess(cmd)
}

// greet waits until the server answers, and sets the password where it is needed.
func (s *Server) greet(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if s.password == "" {
		return nil
	}
	// rand.Text has letters and digits only: nothing to quote.
	_, err = conn.Exec(ctx, "ALTER ROLE postgres PASSWORD '"+s.password+"'")
	return err
}

func (s *Server) connect(ctx context.Context) (*pgx.Conn, error) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no answer in time: %w; its log ends: %s", err, s.logTail())
		case <-s.process.done:
			return nil, fmt.Errorf("it ended at once; its log ends: %s", s.logTail())
		case <-ticker.C:
		}
	}
}

func (s *Server) logTail() string {
	const most = 2000
	log, err := os.ReadFile(s.folder.log())
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-most):])
}

// URL is how to connect to a database of the server, as its superuser, through the Unix socket.
func (s *Server) URL(database string) string {
	query := url.Values{"host": {s.folder.socket()}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

// TCPURL is how to connect through the loopback interface, password included. It is empty unless [Options].TCP was set.
func (s *Server) TCPURL(database string) string {
	if s.password == "" {
		return ""
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", s.password),
		Host: "127.0.0.1:" + strconv.Itoa(s.port), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop shuts the server down, with its open connections, and removes its folder. Further calls return what the first
// one did.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		s.stopErr = errors.Join(s.process.stop(), s.folder.Remove())
	})
	return s.stopErr
}
