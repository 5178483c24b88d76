package e2e_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/tasker-systems/tasker-worker/sql"
)

// postgresImage is the PostgreSQL of compose.yaml, on the same Debian as the worker's image.
const postgresImage = "postgres:17-trixie"

// containerStage runs the image of the worker and a PostgreSQL on a network of their own.
type containerStage struct {
	database *pgxpool.Pool
	network  *testcontainers.DockerNetwork
	password string
	postgres *testcontainers.DockerContainer
	// command is what the workers are told.
	command []string
	// extra are options of the workers' containers.
	extra []testcontainers.ContainerCustomizer
}

// newContainerStage returns a stage whose workers run the command. When the command does not migrate, the database has
// been migrated from outside.
func newContainerStage(t *testing.T, command ...string) *containerStage {
	t.Helper()
	private, err := tcnetwork.New(t.Context())
	testcontainers.CleanupNetwork(t, private)
	if err != nil {
		t.Fatal(err)
	}
	s := &containerStage{network: private, password: rand.Text(), command: command}
	s.startDatabase(t)
	if len(command) == 1 {
		if _, err := sql.Migrate(t.Context(), s.database, sql.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// startDatabase starts PostgreSQL on the network as postgres, and for this machine on a port that stays the same when
// the container is stopped and started.
func (s *containerStage) startDatabase(t *testing.T) {
	t.Helper()
	host, err := docker(t).DaemonHost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	s.postgres, err = testcontainers.Run(t.Context(), postgresImage,
		testcontainers.WithEnv(map[string]string{"POSTGRES_USER": "tasker", "POSTGRES_PASSWORD": s.password, "POSTGRES_DB": "tasker"}),
		tcnetwork.WithNetwork([]string{"postgres"}, s.network),
		testcontainers.WithExposedPorts("5432/tcp"),
		testcontainers.WithHostConfigModifier(func(config *container.HostConfig) {
			binding := network.PortBinding{HostPort: port}
			if host == "localhost" || host == "127.0.0.1" {
				binding.HostIP = netip.MustParseAddr("127.0.0.1")
			}
			config.PortBindings = network.PortMap{network.MustParsePort("5432/tcp"): {binding}}
		}),
		// The image's first start has a server on the socket alone, which does not count.
		testcontainers.WithWaitStrategyAndDeadline(patience, wait.ForExec([]string{"pg_isready", "-q", "-h", "127.0.0.1"}).WithStartupTimeout(patience)),
	)
	cleanUpContainer(t, s.postgres, "the database")
	if err != nil {
		t.Fatal(err)
	}
	s.database, err = sql.Connect(t.Context(), s.url(net.JoinHostPort(host, port)), sql.PoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.database.Close)
}

func (s *containerStage) url(address string) string {
	return fmt.Sprintf("postgres://tasker:%s@%s/tasker", s.password, address)
}

func (s *containerStage) pool() *pgxpool.Pool { return s.database }

func (s *containerStage) interruptDatabase(t *testing.T) (resume func()) {
	t.Helper()
	limit := patience
	if err := s.postgres.Stop(t.Context(), &limit); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := s.postgres.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *containerStage) startWorker(t *testing.T) process {
	t.Helper()
	worker, err := testcontainers.Run(t.Context(), examplesImage, append([]testcontainers.ContainerCustomizer{
		testcontainers.WithCmd(s.command...),
		testcontainers.WithEnv(map[string]string{
			"DATABASE_URL": s.url("postgres:5432"), "TASKER_LEASE": "2s", "TASKER_SWEEP_INTERVAL": "500ms", "TASKER_LOG_LEVEL": "debug",
		}),
		tcnetwork.WithNetwork(nil, s.network),
		testcontainers.WithWaitStrategyAndDeadline(patience, wait.ForLog("worker started").WithStartupTimeout(patience)),
	}, s.extra...)...)
	cleanUpContainer(t, worker, "a worker")
	if err != nil {
		t.Fatal(err)
	}
	details, err := worker.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &containerProcess{container: worker, host: details.Config.Hostname}
}

// cleanUpContainer removes the container with its volumes when the test ends, after showing its log if the test failed.
func cleanUpContainer(t *testing.T, c *testcontainers.DockerContainer, who string) {
	t.Helper()
	if c == nil {
		return
	}
	testcontainers.CleanupContainer(t, c, testcontainers.StopTimeout(0))
	t.Cleanup(func() {
		if t.Failed() {
			var log logBuffer
			fmt.Fprint(&log, containerLog(t, c))
			log.report(t, who+" "+c.GetContainerID()[:12])
		}
	})
}

// freePort returns a port that nobody listens on. It is not one of those that the system gives to outgoing connections,
// so that none of them takes it while the database is away.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + mathrand.IntN(10000))
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", ":"+port)
		if err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// containerProcess is a worker in a container, where it is process 1.
type containerProcess struct {
	container *testcontainers.DockerContainer
	host      string
}

func (p *containerProcess) name() string { return p.host + "-1" }

func (p *containerProcess) kill(t *testing.T) {
	t.Helper()
	_, err := docker(t).Client().ContainerKill(t.Context(), p.container.GetContainerID(), client.ContainerKillOptions{Signal: "KILL"})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *containerProcess) stop(t *testing.T) int {
	t.Helper()
	limit := patience
	if err := p.container.Stop(t.Context(), &limit); err != nil {
		t.Fatal(err)
	}
	state, err := p.container.State(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return state.ExitCode
}
