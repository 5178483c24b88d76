package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"

	"github.com/tasker-systems/tasker-worker/versions"
)

// ErrNotFound is wrapped by the error of [Start] when the system has no PostgreSQL that is new enough.
var ErrNotFound = errors.New("no PostgreSQL server found")

// installation is a folder with initdb and postgres of one version.
type installation struct {
	bin     string // the folder, symbolic links resolved
	major   int
	version string // as the server prints it, such as "15.8"
}

func (i installation) tooOld() bool {
	return versions.Of("PostgreSQL").Judge(i.version) == versions.TooOld
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) ((\d+)[^ \n]*)`)

// findInstallation takes the PostgreSQL on PATH, or else the newest where the distributions put theirs.
func findInstallation(ctx context.Context) (installation, error) {
	var tooOld string
	if path, err := exec.LookPath("postgres"); err == nil {
		if found, err := inspect(ctx, path); err == nil && !found.tooOld() {
			return found, nil
		} else if err == nil {
			tooOld = found.version
		}
	}
	var best installation
	for _, path := range distributionPaths() {
		found, err := inspect(ctx, path)
		switch {
		case err != nil:
		case found.tooOld():
			tooOld = found.version
		case found.major > best.major:
			best = found
		}
	}
	if best.bin == "" {
		return best, notFound(tooOld)
	}
	return best, nil
}

// distributionPaths are the servers that packages install off PATH.
func distributionPaths() []string {
	var paths []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                       // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                // PostgreSQL's own rpm packages
		"/opt/homebrew/opt/postgresql@*/bin",              // Homebrew on Apple silicon
		"/usr/local/opt/postgresql@*/bin",                 // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin", // Homebrew on Linux
		"/usr/local/pgsql/bin",                            // built from source
	} {
		// The only error is a malformed pattern.
		matches, _ := filepath.Glob(filepath.Join(pattern, "postgres"))
		paths = append(paths, matches...)
	}
	return paths
}

// inspect asks a postgres binary for its version and makes sure that initdb is in the same folder.
func inspect(ctx context.Context, path string) (installation, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return installation{}, err
	}
	bin := filepath.Dir(resolved)
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return installation{}, err
	}
	out, err := exec.CommandContext(ctx, resolved, "--version").Output()
	if err != nil {
		return installation{}, fmt.Errorf("%s --version: %w", resolved, err)
	}
	match := versionPattern.FindSubmatch(out)
	if match == nil {
		return installation{}, fmt.Errorf("%s --version printed %q", resolved, out)
	}
	major, err := strconv.Atoi(string(match[2]))
	if err != nil {
		return installation{}, err
	}
	return installation{bin: bin, major: major, version: string(match[1])}, nil
}

func notFound(tooOld string) error {
	reason := ""
	if tooOld != "" {
		reason = fmt.Sprintf(" of version %s or newer (there is %s)", versions.Of("PostgreSQL").Oldest, tooOld)
	}
	return fmt.Errorf("%w%s; install it with: %s", ErrNotFound, reason, installCommand())
}

// installCommand names the command for the package manager that is there, or for all three when none is.
func installCommand() string {
	commands := []struct{ manager, command string }{
		{"apt-get", "sudo apt-get install postgresql"},
		{"dnf", "sudo dnf install postgresql-server"},
		{"brew", "brew install postgresql@17"},
	}
	if runtime.GOOS == "darwin" {
		return commands[2].command
	}
	for _, c := range commands {
		if _, err := exec.LookPath(c.manager); err == nil {
			return c.command
		}
	}
	return commands[0].command + ", " + commands[1].command + " or " + commands[2].command
}
