package executors

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/templates"
)

// allowedCommands are the steps with a command that the worker's own templates have. What the database says a step runs may have been
// written by every role that can write there, so that it alone starts no program: see [Supervisor.permit].
type allowedCommands struct {
	// handlers are the names of the steps' handlers, sorted.
	handlers []string
	// lines are the command lines, see lineOf.
	lines map[string]bool
}

func commandsOf(all []*templates.Template) allowedCommands {
	c := allowedCommands{lines: map[string]bool{}}
	for _, t := range all {
		for i := range t.Steps {
			if step := &t.Steps[i]; step.Command != nil {
				c.handlers = append(c.handlers, step.Handler)
				c.lines[lineOf(step.Command)] = true
			}
		}
	}
	slices.Sort(c.handlers)
	c.handlers = slices.Compact(c.handlers)
	return c
}

// lineOf is a command line as one text: no argument can hold a NUL character.
func lineOf(argv []string) string { return strings.Join(argv, "\x00") }

// refusedError is a command that the worker does not run.
type refusedError struct{ message string }

func (e *refusedError) Error() string { return e.message }

// commandsOff is why a worker runs no command at all.
const commandsOff = "this worker runs none (TASKER_COMMANDS=off)"

// permit says why the worker does not run a command of the database, nil when it may: when one of its own templates has just
// that command line, or when the program is a file below the executors folder.
func (s *Supervisor) permit(a *engine.Attempt, argv []string, path string) error {
	step := fmt.Sprintf("step %q of template %s/%s@%s", a.Step.Name, a.Task.Namespace, a.Task.Name, a.Task.Version)
	if s.config.CommandsOff {
		return &refusedError{fmt.Sprintf("%s has a command, and %s: let only workers that run commands work the queue", step, commandsOff)}
	}
	s.mu.RLock()
	own := s.commands.lines[lineOf(argv)]
	s.mu.RUnlock()
	if own || path == "" || isBelow(s.config.Dir, path) {
		return nil
	}
	return &refusedError{fmt.Sprintf("%s is to run %s, as the database says, but no template file of this worker says so, and the program is not below "+
		"the executors folder: find out who wrote tasker.template_steps; if the command is meant, put the template with it into "+
		"TASKER_TEMPLATES_DIR of each worker of the queue, or the program into %s", step, shownLine(argv), filepath.Join(s.config.Dir, binFolder))}
}

// shownLine is the beginning of a command line, each argument in quotes.
func shownLine(argv []string) string {
	const most = 300
	line := fmt.Sprintf("%q", argv)
	if len(line) > most {
		return strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// isBelow says whether a file is below the executors folder, wherever links lead. What languages install there does not count:
// an interpreter of a virtual environment would run anything that its arguments say.
func isBelow(dir, path string) bool {
	root, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	resolvedRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return false
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	return isOwn(root, path) && isOwn(resolvedRoot, resolved)
}

// isOwn says whether no folder between the root and the file is one in which no handlers are looked for.
func isOwn(root, path string) bool {
	relative, err := filepath.Rel(root, path)
	if err != nil || !filepath.IsLocal(relative) {
		return false
	}
	folders := strings.Split(filepath.Dir(relative), string(filepath.Separator))
	return !slices.ContainsFunc(folders, func(name string) bool { return name != "." && isSkippedFolder(name) })
}
