package templates

import "fmt"

// mergeEnvironment returns root with the overrides of that environment merged in, and without environments.
func (r *diagnostics) mergeEnvironment(root *node, environment string) *node {
	r.warnStrayOverrides(root)
	merged := &node{kind: kindMapping, line: root.line, column: root.column}
	for _, e := range root.entries {
		if e.key != "environments" {
			merged.entries = append(merged.entries, e)
		}
	}
	override := root.get("environments").get(environment)
	if override == nil || environment == "" {
		return merged
	}
	return overlayTemplate(merged, override)
}

// overlay merges as the engine does: mappings merge key by key, everything else is replaced.
func overlay(base, over *node) *node {
	if base.kind != kindMapping || over.kind != kindMapping {
		return over
	}
	return overlayWith(base, over, overlay)
}

// overlayTemplate merges step_templates step by step, by name; steps that the template does not have are left out.
func overlayTemplate(base, over *node) *node {
	steps := base.get("step_templates")
	merged := overlayWith(base, over, overlay)
	if steps == nil || over.get("step_templates") == nil {
		return merged
	}
	overrides := map[string]*node{}
	for _, step := range over.list("step_templates") {
		overrides[step.str("name", "")] = step
	}
	list := &node{kind: kindSequence, line: steps.line, column: steps.column}
	for _, step := range steps.items {
		if override, ok := overrides[step.str("name", "")]; ok {
			step = overlay(step, override)
		}
		list.items = append(list.items, step)
	}
	for i := range merged.entries {
		if merged.entries[i].key == "step_templates" {
			merged.entries[i].value = list
		}
	}
	return merged
}

func overlayWith(base, over *node, mergeValues func(base, over *node) *node) *node {
	merged := &node{kind: kindMapping, line: base.line, column: base.column}
	position := map[string]int{}
	for i, e := range base.entries {
		position[e.key] = i
		merged.entries = append(merged.entries, e)
	}
	for _, e := range over.entries {
		i, ok := position[e.key]
		if !ok {
			merged.entries = append(merged.entries, e)
			continue
		}
		e.value = mergeValues(merged.entries[i].value, e.value)
		merged.entries[i] = e
	}
	return merged
}

// warnStrayOverrides tells of overrides of steps that the template does not have; the engine ignores them too.
func (r *diagnostics) warnStrayOverrides(root *node) {
	known := map[string]bool{}
	var names []string
	for _, step := range root.list("step_templates") {
		name := step.str("name", "")
		known[name] = true
		names = append(names, name)
	}
	environments := root.get("environments")
	if environments == nil {
		return
	}
	for _, environment := range environments.entries {
		for i, step := range environment.value.list("step_templates") {
			name := step.str("name", "")
			if known[name] {
				continue
			}
			path := index(fmt.Sprintf("environments.%s.step_templates", environment.key), i)
			hint := ""
			if len(r.warnings) < faultsMax {
				hint = didYouMean(name, names)
			}
			r.warn(step.at(path), hint, "environment %q changes step %q, which the template does not have", environment.key, name)
		}
	}
}
