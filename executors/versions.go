package executors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
	"github.com/tasker-systems/tasker-worker/versions"
)

// versionTimeout bounds `program --version`, which is asked only when a process did not start.
const versionTimeout = 5 * time.Second

var versionPattern = regexp.MustCompile(`\d+(\.\d+)+`)

// supported is the range of versions that the host of the language runs on.
func (r runtime) supported() versions.Range { return versions.Of(string(r.language)) }

// refuse returns an error for a process that runs in too old a version.
func (r runtime) refuse(version string) error {
	if refusal := r.supported().Refusal(version); refusal != "" {
		return errors.New(refusal)
	}
	return nil
}

// explain adds to the error of a process that did not start that its version is too old, if it is: what such a process
// says itself is a syntax error in a file that the user never saw.
func (s *Supervisor) explain(r runtime, program string, err error) error {
	boot, ok := errors.AsType[*host.BootError](err)
	if !ok {
		return err
	}
	if refusal := r.refuse(s.versionOf(r, program)); refusal != nil {
		return &host.BootError{Reason: fmt.Errorf("%w: %w (%s)", boot.Reason, refusal, program), Tail: boot.Tail}
	}
	return err
}

// versionOf asks a program for its version, as the handlers' user and in the folder that its processes run in. It is
// empty where the program does not say. One that is not called as the language's own may take --version for something else.
func (s *Supervisor) versionOf(r runtime, program string) string {
	if filepath.Base(program) != r.program {
		return ""
	}
	ctx, cancel := context.WithTimeout(s.force, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.Dir, cmd.Env = s.appRoot(r), s.config.childEnv(environOf(s.users.of(r.language)), "version", s.scratch.Path)
	cmd.WaitDelay = time.Second
	s.users.of(r.language).Become(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return ""
	}
	return versionPattern.FindString(string(out))
}

// warnOfVersions says once for each generation which of its languages, and which framework, were never tested.
func (s *Supervisor) warnOfVersions(g *generation) {
	for _, p := range g.pools {
		shake, _ := p.state()
		if shake == nil {
			continue
		}
		for _, warning := range versionWarnings(p.runtime, shake) {
			s.config.Logger.Warn(warning, "language", string(p.runtime.language))
		}
	}
}

func versionWarnings(r runtime, shake *host.Handshake) []string {
	warnings := []string{r.supported().Warning(shake.LanguageVersion)}
	if name, version, ok := strings.Cut(shake.Framework, " "); ok && strings.EqualFold(name, "rails") {
		rails := versions.Of("Rails")
		warnings = append(warnings, cmp.Or(rails.Refusal(version), rails.Warning(version)))
	}
	return slices.DeleteFunc(warnings, func(w string) bool { return w == "" })
}
