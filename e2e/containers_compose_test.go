package e2e_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// composeFile is what these tests ask of compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Build   string   `yaml:"build"`
		Image   string   `yaml:"image"`
		Volumes []string `yaml:"volumes"`
	} `yaml:"services"`
}

func TestContainersComposeFileMountsHandlersAndTemplates(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(repository, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	if image := file.Services["postgres"].Image; image != postgresImage {
		t.Errorf("the database is %q, not the %s of the other tests", image, postgresImage)
	}
	worker := file.Services["worker"]
	if worker.Build != "." {
		t.Errorf("the worker is built from %q", worker.Build)
	}
	for _, mount := range []string{"./executors:/app/executors:ro", "./templates:/app/templates:ro"} {
		if !slices.Contains(worker.Volumes, mount) {
			t.Errorf("the worker has the mounts %v, without %s", worker.Volumes, mount)
		}
	}
	if command := composeCommand(t); command != nil {
		c := compose{command: command, files: []string{filepath.Join(repository, "compose.yaml")}, project: "tasker-e2e"}
		c.run(t, "config", "--quiet")
	}
}

// testComposeRunsTheMainJob types the commands of the head of compose.yaml, with the image that is built already.
func testComposeRunsTheMainJob(t *testing.T) {
	t.Parallel()
	command := composeCommand(t)
	if command == nil {
		t.Skip("neither `docker compose` nor docker-compose is installed")
	}
	if host := os.Getenv("DOCKER_HOST"); host != "" && !strings.HasPrefix(host, "unix:") {
		t.Skipf("compose.yaml mounts folders of this machine, which the engine at %s does not see", host)
	}
	c := startCompose(t, command)
	// The function is there once the worker has migrated, and the template once it has synced.
	query := fmt.Sprintf("SELECT tasker.create_task('demo', 'polyglot_report', '1.0.0', $$%s$$)", sample(t, "demo", "polyglot_report"))
	id := await(t, "the worker's objects in the database", func(ctx context.Context) (string, error) {
		return c.try(ctx, "exec", "-T", "postgres", "psql", "-U", "tasker", "-qtAc", query)
	}, func(id string) bool { return id != "" })

	progress := c.run(t, "exec", "-T", "worker", "tasker-worker", "task", "watch", strings.TrimSpace(id))
	if !strings.Contains(progress, "complete") {
		t.Errorf("the worker showed:\n%s", progress)
	}
	c.checkPrivileges(t)
	list := c.run(t, "exec", "-T", "worker", "tasker-worker", "task", "list")
	if !strings.Contains(list, "polyglot_report") {
		t.Errorf("the worker listed:\n%s", list)
	}
}

// compose is Docker Compose with one project.
type compose struct {
	command []string
	files   []string
	project string
}

// composeCommand is how Docker Compose is called here; nil where it is not installed.
func composeCommand(t *testing.T) []string {
	t.Helper()
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		if exec.CommandContext(t.Context(), command[0], append(command[1:], "version")...).Run() == nil {
			return command
		}
	}
	return nil
}

// startCompose starts compose.yaml, and removes all of it when the test ends.
func startCompose(t *testing.T, command []string) compose {
	t.Helper()
	built := filepath.Join(t.TempDir(), "built.yaml")
	write(t, built, "services: {worker: {image: '"+workerImage+"'}}\n")
	c := compose{
		command: command, files: []string{filepath.Join(repository, "compose.yaml"), built},
		project: "tasker-e2e-" + strings.ToLower(rand.Text()[:8]),
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if t.Failed() {
			logs, _ := c.try(ctx, "logs", "--no-color", "--tail", "100")
			t.Logf("the end of the logs:\n%s", logs)
		}
		if out, err := c.try(ctx, "down", "--volumes", "--timeout", "1"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	c.run(t, "up", "--detach", "--no-build")
	return c
}

// checkPrivileges: the worker's role is no superuser, nobody gets in from the network as one, and handlers read no credential.
func (c compose) checkPrivileges(t *testing.T) {
	t.Helper()
	const roles = "SELECT string_agg(rolname, ',') FROM pg_authid WHERE rolcanlogin AND (rolsuper OR rolname = 'tasker') AND rolpassword IS NOT NULL"
	if with := c.run(t, "exec", "-T", "postgres", "psql", "-U", "postgres", "-qtAc", roles); with != "tasker\n" {
		t.Errorf("the roles with a password are %q, want tasker", with)
	}
	const super = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
	if is := c.run(t, "exec", "-T", "postgres", "psql", "-U", "tasker", "-qtAc", super); is != "f\n" {
		t.Errorf("the worker's role may everything: %q", is)
	}
	for _, file := range []string{"/credentials/url", "/credentials/password", "/proc/1/environ", "/proc/1/mem"} {
		if out, err := c.try(t.Context(), "exec", "-T", "--user", "handler-ruby", "worker", "head", "-c1", file); err == nil {
			t.Errorf("the user of the handlers reads %s: %q", file, out)
		}
	}
}

// run calls Docker Compose and returns what it printed; the test ends when that fails.
func (c compose) run(t *testing.T, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := c.try(ctx, arguments...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

func (c compose) try(ctx context.Context, arguments ...string) (string, error) {
	all := slices.Concat(c.command[1:], []string{"--project-name", c.project})
	for _, file := range c.files {
		all = append(all, "--file", file)
	}
	cmd := exec.CommandContext(ctx, c.command[0], append(all, arguments...)...)
	cmd.Dir, cmd.WaitDelay = repository, time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return string(out), nil
}
