package e2e_test

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// findDocker looks for a Docker engine once for all tests.
var findDocker = sync.OnceValues(func() (*testcontainers.DockerProvider, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	settleSettings(ctx)
	tclog.SetDefault(tclog.NewNoopLogger())
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, err
	}
	return provider, provider.Health(ctx)
})

// docker returns the engine that answers. The test is skipped where none does, and only there.
func docker(t *testing.T) *testcontainers.DockerProvider {
	t.Helper()
	provider, err := findDocker()
	if err != nil {
		t.Skipf("no Docker engine answers: %v", err)
	}
	return provider
}

// settleSettings sets two variables that testcontainers reads once, before anything else, unless they are set already:
//
//   - TESTCONTAINERS_RYUK_DISABLED, where the image of its reaper is absent and cannot be pulled. The reaper removes
//     what a crashed test run leaves; every test here removes its own things also when it fails.
//   - TESTCONTAINERS_HOST_OVERRIDE, where the bridge of the engine is an interface of this very machine, so that
//     published ports are on the loopback. Testcontainers asks the default gateway when the machine is a container.
func settleSettings(ctx context.Context) {
	engine := answeringEngine(ctx)
	if engine == nil {
		return
	}
	defer engine.Close()
	if os.Getenv("TESTCONTAINERS_RYUK_DISABLED") == "" && !canReap(ctx, engine) {
		os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	}
	_, err := net.InterfaceByName("docker0")
	if os.Getenv("TESTCONTAINERS_HOST_OVERRIDE") == "" && strings.HasPrefix(engine.DaemonHost(), "unix:") && err == nil {
		os.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
	}
}

// answeringEngine is the engine of DOCKER_HOST or, where that does not answer, the one on the usual socket, as
// testcontainers has it. It is nil for an engine that is found in other ways, such as Docker's current context; those
// are on people's machines, where the settings do as they are.
func answeringEngine(ctx context.Context) *client.Client {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, options := range [][]client.Opt{{client.FromEnv}, nil} {
		engine, err := client.New(options...)
		if err != nil {
			continue
		}
		if _, err := engine.Ping(ctx, client.PingOptions{}); err == nil {
			return engine
		}
		engine.Close()
	}
	return nil
}

// canReap says whether the image of the reaper is there or can be pulled.
func canReap(ctx context.Context, engine *client.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	image := testcontainers.ReaperDefaultImage //nolint:staticcheck // deprecated, but nothing else says which image it will be
	if _, err := engine.ImageInspect(ctx, image); err == nil {
		return true
	}
	pull, err := engine.ImagePull(ctx, image, client.ImagePullOptions{})
	return err == nil && pull.Wait(ctx) == nil
}
