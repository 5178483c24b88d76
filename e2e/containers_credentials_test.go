package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

// spy looks for a secret, which it is told in two halves, wherever a handler may look, and tries to end the worker.
const spy = `
import os, glob

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError:
        return b""

def process(task, sequence, step):
    secret = (task.context["a"] + task.context["b"]).encode()
    places = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline") + [place for place in glob.glob("/proc/[0-9]*/fd/*") if os.path.isfile(place)]
    places += glob.glob("/credentials/*") + glob.glob("/run/secrets/*")
    found = [place for place in places if secret in read(place)]
    found += ["a variable" for value in os.environ.values() if secret.decode() in value]
    found += ["memory of " + pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid() and opens("/proc/" + pid + "/mem")]
    found += ["kill " + str(pid) for pid in (1, os.getppid()) if kills(pid)]
    return {"uid": os.getuid(), "found": found}

def opens(path):
    try:
        open(path, "rb").close()
        return True
    except OSError:
        return False

def kills(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False
`

const spyTemplate = `
name: spy
namespace_name: test
version: 1.0.0
step_templates:
  - {name: look, handler_class: spy}
`

// testHandlersDoNotReachCredentials gives the credentials in the worst way, with an init that has them in its environment too,
// and in the best one: a file that only its owner may read.
func testHandlersDoNotReachCredentials(t *testing.T) {
	t.Parallel()
	s := newContainerStage(t, "run", "--migrate")
	s.extra = []testcontainers.ContainerCustomizer{
		testcontainers.WithHostConfigModifier(func(config *container.HostConfig) {
			with := true
			config.Init = &with
		}),
		testcontainers.WithFiles(
			testcontainers.ContainerFile{Reader: strings.NewReader(spy), ContainerFilePath: "/app/executors/python/spy.py", FileMode: 0o644},
			testcontainers.ContainerFile{Reader: strings.NewReader(spyTemplate), ContainerFilePath: "/app/templates/spy.yaml", FileMode: 0o644},
			testcontainers.ContainerFile{Reader: strings.NewReader(s.password), ContainerFilePath: "/credentials/password", FileMode: 0o400},
		),
	}
	s.startWorker(t)
	half := len(s.password) / 2
	id := create(t, s.pool(), "test", "spy", "1.0.0", fmt.Sprintf(`{"a": %q, "b": %q}`, s.password[:half], s.password[half:]))
	if task := awaitEnd(t, s.pool(), id); task.State != engine.Complete {
		t.Fatalf("the task ended %s: %s", task.State, task.StateDetail)
	}
	step := awaitStep(t, s.pool(), id, "look", func(sql.Step) bool { return true })
	var got struct {
		UID   int
		Found []string
	}
	if err := json.Unmarshal(step.Results, &got); err != nil {
		t.Fatalf("%v: %s", err, step.Results)
	}
	const handler = 10003 // handler-python
	if got.UID != handler || len(got.Found) > 0 {
		t.Errorf("a handler runs as %d, want %d, and reaches %v", got.UID, handler, got.Found)
	}
}
