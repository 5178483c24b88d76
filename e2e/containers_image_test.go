package e2e_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/tasker-systems/tasker-worker/versions"
)

// The images keep their names from run to run, so that the engine keeps their layers.
const (
	workerImage   = "tasker-worker-e2e:worker"
	examplesImage = "tasker-worker-e2e:examples"
)

// buildWorker builds the image of the repository's Dockerfile.
func buildWorker() error {
	return buildImage(testcontainers.FromDockerfile{Context: repository, Repo: "tasker-worker-e2e", Tag: "worker"})
}

// buildExamples builds the worker's image and what the Dockerfile recommends for handlers of one's own: an image on top of the worker's, here
// with the examples. Unlike mounts, it works with an engine that sees none of this machine's files.
func buildExamples() error {
	if err := buildWorker(); err != nil {
		return err
	}
	files, err := examples()
	if err != nil {
		return fmt.Errorf("collecting the examples: %w", err)
	}
	return buildImage(testcontainers.FromDockerfile{ContextArchive: files, Repo: "tasker-worker-e2e", Tag: "examples"})
}

func buildImage(from testcontainers.FromDockerfile) error {
	provider, err := findDocker()
	if err != nil {
		return err
	}
	var log bytes.Buffer
	from.BuildLogWriter, from.KeepImage = &log, true
	_, err = provider.BuildImage(context.Background(), &testcontainers.ContainerRequest{FromDockerfile: from})
	if err != nil {
		return fmt.Errorf("building %s:%s: %w\n%s", from.Repo, from.Tag, err, log.String())
	}
	return nil
}

// examples is the build context of the image with the examples.
func examples() (io.ReadSeeker, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	dockerfile := "FROM " + workerImage + "\nCOPY app /app\n" // one layer: each costs the engine seconds
	err := addFile(writer, "Dockerfile", []byte(dockerfile))
	for from, to := range map[string]string{
		"executors/ruby": "app/executors/ruby", "executors/python": "app/executors/python", "executors/node": "app/executors/node",
		"templates/examples": "app/templates",
	} {
		if err == nil {
			err = addFolder(writer, filepath.Join(repository, filepath.FromSlash(from)), to)
		}
	}
	if err != nil {
		return nil, err
	}
	return bytes.NewReader(archive.Bytes()), writer.Close()
}

func addFolder(writer *tar.Writer, folder, to string) error {
	files := os.DirFS(folder)
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "__pycache__":
			return fs.SkipDir // Python writes there while other tests run
		case entry.IsDir():
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return addFile(writer, path.Join(to, name), content)
	})
}

func addFile(writer *tar.Writer, name string, content []byte) error {
	if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := writer.Write(content)
	return err
}

func testImage(t *testing.T) {
	t.Parallel()
	image, err := docker(t).Client().ImageInspect(t.Context(), workerImage)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 600 << 20
	t.Logf("the image has %d MB", image.Size>>20)
	if image.Size > limit {
		t.Errorf("the image has %d MB, more than %d", image.Size>>20, limit>>20)
	}

	shell := testcontainers.WithEntrypoint("sh", "-c")
	for name, c := range map[string]struct {
		options []testcontainers.ContainerCustomizer
		code    int
		output  string
		check   func(t *testing.T, output string)
	}{
		"has users for handlers, who may write nothing": {
			options: []testcontainers.ContainerCustomizer{shell, testcontainers.WithCmd(
				`echo "$TASKER_HANDLER_USER"; setpriv --reuid=handler-ruby --regid=handler-ruby --clear-groups sh -c 'id -un; touch /usr/local/bin/x /app/x 2>&1 || echo refused'`)},
			output: `^ruby=handler-ruby,\S+\nhandler-ruby\n(?s:.*)refused\n$`,
		},
		"runs without any privilege": {
			options: []testcontainers.ContainerCustomizer{
				testcontainers.WithEnv(map[string]string{"TASKER_HANDLER_USER": ""}), testcontainers.WithCmd("handler", "list"),
				testcontainers.WithConfigModifier(func(config *container.Config) { config.User = "worker" }),
				testcontainers.WithHostConfigModifier(func(config *container.HostConfig) { config.CapDrop = []string{"ALL"} }),
			},
			code:   1,
			output: `(?s)handler not served: no handler files`,
		},
		"has the three runtimes": {
			options: []testcontainers.ContainerCustomizer{shell, testcontainers.WithCmd("ruby --version && python3 --version && node --version")},
			output:  `^ruby 3\.\S+ .*\nPython 3\..*\nv\d+\..*\n$`,
			check:   hasSupportedRuntimes,
		},
		"explains itself": {
			options: []testcontainers.ContainerCustomizer{testcontainers.WithCmd("--help")},
			output:  `^Usage: tasker-worker <command>(?s:.*)  run `,
		},
		"runs a worker unless told otherwise": {
			code:   2,
			output: `^tasker-worker: DATABASE_URL is not set; .*\n$`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, output := runToEnd(t, workerImage, c.options...)
			if code != c.code || !regexp.MustCompile(c.output).MatchString(output) {
				t.Errorf("ended with %d and said:\n%s\nwant %d and a match for %s", code, output, c.code, c.output)
			} else if c.check != nil {
				c.check(t, output)
			}
		})
	}
}

// hasSupportedRuntimes reads a line for each language.
func hasSupportedRuntimes(t *testing.T, output string) {
	t.Helper()
	lines := strings.Split(output, "\n")
	for i, name := range []string{"Ruby", "Python", "Node"} {
		version := regexp.MustCompile(`\d+(\.\d+)+`).FindString(lines[i])
		if verdict := versions.Of(name).Judge(version); verdict != versions.Supported {
			t.Errorf("the image has %s %q, and %s are supported", name, version, versions.Of(name))
		}
	}
}

// runToEnd runs a container until it ends, and returns its exit code and what it printed.
func runToEnd(t *testing.T, image string, options ...testcontainers.ContainerCustomizer) (code int, output string) {
	t.Helper()
	options = append(options, testcontainers.WithWaitStrategyAndDeadline(patience, wait.ForExit().WithExitTimeout(patience)))
	container, err := testcontainers.Run(t.Context(), image, options...)
	testcontainers.CleanupContainer(t, container, testcontainers.StopTimeout(0))
	if err != nil {
		t.Fatal(err)
	}
	state, err := container.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state.ExitCode, containerLog(t, container)
}

// containerLog is what a container has printed so far.
func containerLog(t *testing.T, container *testcontainers.DockerContainer) string {
	t.Helper()
	logs, err := container.Logs(context.WithoutCancel(t.Context()))
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	defer logs.Close()
	text, err := io.ReadAll(logs)
	if err != nil {
		return fmt.Sprintf("%s(the log breaks off: %v)", text, err)
	}
	return string(text)
}
