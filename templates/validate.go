package templates

import (
	"fmt"
	"strings"
)

// checkGraph reports steps that are there twice, dependencies that lead nowhere and cycles.
func (r *diagnostics) checkGraph(root *node, t *Template) {
	first := r.checkNames(root)
	names := stepNames(t)
	sound := true
	for i, step := range root.list("step_templates") {
		path := index("step_templates", i)
		for _, parent := range dependencyNodes(step) {
			sound = r.checkDependency(step, parent, path, first, names) && sound
		}
	}
	r.checkNamedSteps(root, t.NamedSteps)
	if sound {
		r.checkCycles(root, t)
	}
	if len(t.Steps) == 0 && root.get("step_templates") != nil {
		r.warn(root.get("step_templates").at("step_templates"), "", "template has no steps; its tasks complete at once")
	}
}

func stepNames(t *Template) []string {
	names := make([]string, len(t.Steps))
	for i := range t.Steps {
		names[i] = t.Steps[i].Name
	}
	return names
}

// checkNames returns the line on which each step is first named.
func (r *diagnostics) checkNames(root *node) map[string]int {
	first := map[string]int{}
	for i, step := range root.list("step_templates") {
		name := step.get("name")
		if name == nil {
			continue
		}
		if line, twice := first[name.text]; twice {
			r.fault(name.at(index("step_templates", i)+".name"), "", "step %q is there twice, first on line %d", name.text, line)
			continue
		}
		first[name.text] = name.line
	}
	return first
}

func (r *diagnostics) checkDependency(step, parent *node, path string, known map[string]int, names []string) bool {
	name := step.str("name", "")
	where := parent.at(path + ".depends_on_steps")
	if parent == step.get("depends_on_step") {
		where.path = path + ".depends_on_step"
	}
	if parent.text == name {
		r.fault(where, "", "step %q depends on itself", name)
		return false
	}
	if _, ok := known[parent.text]; !ok {
		r.fault(where, r.didYouMean(parent.text, names), "step %q depends on %q, which is no step", name, parent.text)
		return false
	}
	return true
}

// checkNamedSteps holds the steps and their dependencies against the list of named_steps, if there is one.
func (r *diagnostics) checkNamedSteps(root *node, named []string) {
	if len(named) == 0 {
		return
	}
	known := map[string]bool{}
	for _, name := range named {
		known[name] = true
	}
	for i, step := range root.list("step_templates") {
		name := step.get("name")
		if name != nil && !known[name.text] {
			r.fault(name.at(index("step_templates", i)+".name"), r.didYouMean(name.text, named),
				"step %q is not in named_steps", name.text)
		}
	}
}

// checkCycles reports each cycle once, at its first step, whose dependency closes it.
func (r *diagnostics) checkCycles(root *node, t *Template) {
	steps := root.list("step_templates")
	g := newGraph(t)
	for _, cycle := range g.cycles() {
		first := cycle[0]
		r.fault(steps[first].at(index("step_templates", first)), "each step waits for the one before it; remove a dependency",
			"steps wait for each other: %s", g.formatCycle(cycle))
	}
}

// formatCycle writes a cycle with its first step again at the end; a long one is cut in the middle.
func (g *graph) formatCycle(cycle []int) string {
	const shownMax = 10
	names := g.named(cycle)
	if more := len(names) - shownMax; more > 0 {
		names = append(names[:shownMax], fmt.Sprintf("… %d more …", more))
	}
	return strings.Join(append(names, g.names[cycle[0]]), " -> ")
}

// CheckHandlers returns an error for each step whose handler is not among those served.
func (t *Template) CheckHandlers(served []string) []*Error {
	known := map[string]bool{}
	for _, name := range served {
		known[name] = true
	}
	r := &diagnostics{file: t.File}
	for i := range t.Steps {
		step := &t.Steps[i]
		if known[step.Handler] || step.Command != nil {
			continue
		}
		where := sourcePos{line: step.HandlerLine, column: step.HandlerColumn, path: index("step_templates", i) + ".handler_class"}
		r.fault(where, r.didYouMean(step.Handler, served), "%s", notServed(step, len(served)))
	}
	return r.faults
}

// CheckCommands returns an error for each step whose command find cannot find. find is given the program's name and returns
// what is wrong and what to do about it, nothing when it is there.
func (t *Template) CheckCommands(find func(program string) (wrong, hint string)) []*Error {
	r := &diagnostics{file: t.File}
	for i := range t.Steps {
		step := &t.Steps[i]
		if step.Command == nil {
			continue
		}
		if wrong, hint := find(step.Command[0]); wrong != "" {
			where := sourcePos{line: step.HandlerLine, column: step.HandlerColumn, path: index("step_templates", i) + ".handler_config.command"}
			r.fault(where, hint, "command of step %q: %s", step.Name, wrong)
		}
	}
	return r.faults
}

func notServed(step *Step, served int) string {
	if served == 0 {
		return fmt.Sprintf("no handler is served at all, so not %q of step %q", step.Handler, step.Name)
	}
	return fmt.Sprintf("nobody serves the handler %q of step %q", step.Handler, step.Name)
}
