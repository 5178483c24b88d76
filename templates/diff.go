package templates

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Diff says for people how other differs from t, one line for each difference, nothing when both have the same
// [Template.Digest].
func (t *Template) Diff(other *Template) []string {
	from, to := decodeObject(t.Content()), decodeObject(other.Content())
	fromSteps, toSteps := stepsByName(from), stepsByName(to)
	delete(from, "step_templates")
	delete(to, "step_templates")
	lines := diffObjects("", from, to)
	for _, name := range fromSteps.names {
		if _, kept := toSteps.byName[name]; !kept {
			lines = append(lines, fmt.Sprintf("step %s: removed", name))
		}
	}
	for _, name := range toSteps.names {
		step, kept := fromSteps.byName[name]
		if !kept {
			lines = append(lines, fmt.Sprintf("step %s: added", name))
			continue
		}
		lines = append(lines, diffObjects("step "+name+": ", step, toSteps.byName[name])...)
	}
	return append(lines, diffOrder(fromSteps, toSteps)...)
}

type namedObjects struct {
	names  []string
	byName map[string]map[string]any
}

func stepsByName(template map[string]any) namedObjects {
	steps := namedObjects{byName: map[string]map[string]any{}}
	list, _ := template["step_templates"].([]any)
	for _, item := range list {
		step, _ := item.(map[string]any)
		name, _ := step["name"].(string)
		steps.names = append(steps.names, name)
		steps.byName[name] = step
	}
	return steps
}

// diffOrder compares the order of the steps that both have.
func diffOrder(from, to namedObjects) []string {
	before := slices.DeleteFunc(slices.Clone(from.names), func(name string) bool { return to.byName[name] == nil })
	after := slices.DeleteFunc(slices.Clone(to.names), func(name string) bool { return from.byName[name] == nil })
	if slices.Equal(before, after) {
		return nil
	}
	return []string{fmt.Sprintf("order of steps: %s -> %s", shorten(strings.Join(before, ", "), 60), shorten(strings.Join(after, ", "), 60))}
}

// diffObjects compares member by member, and objects in both within.
func diffObjects(prefix string, from, to map[string]any) []string {
	names := slices.Concat(keys(from), keys(to))
	slices.Sort(names)
	var lines []string
	for _, name := range slices.Compact(names) {
		before, hadBefore := from[name]
		after, hasAfter := to[name]
		objectBefore, ok1 := before.(map[string]any)
		objectAfter, ok2 := after.(map[string]any)
		switch {
		case ok1 && ok2:
			lines = append(lines, diffObjects(prefix+name+".", objectBefore, objectAfter)...)
		case hadBefore && hasAfter && reflect.DeepEqual(before, after):
		default:
			lines = append(lines, fmt.Sprintf("%s%s: %s -> %s", prefix, name, shown(before, hadBefore), shown(after, hasAfter)))
		}
	}
	return lines
}

func shown(value any, present bool) string {
	if !present {
		return "(none)"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return shorten(string(text), 60)
}

func decodeObject(data []byte) map[string]any {
	object, _ := decode(data).(map[string]any)
	return object
}
