package templates

import "fmt"

// CheckSpawned returns an error for steps that no template could have, so that no handler may add them to a task: it looks at
// names, handlers and retry limits, and for steps that wait for each other. Their parents may be steps that are not among them.
func CheckSpawned(steps []Step) error {
	seen := make(map[string]bool, len(steps))
	for i := range steps {
		if err := checkSpawnedStep(&steps[i]); err != nil {
			return err
		}
		if seen[steps[i].Name] {
			return fmt.Errorf("step %q is there twice", steps[i].Name)
		}
		seen[steps[i].Name] = true
	}
	g := newGraph(&Template{Steps: steps})
	if cycles := g.cycles(); len(cycles) > 0 {
		return fmt.Errorf("steps wait for each other: %s", g.formatCycle(cycles[0]))
	}
	return nil
}

func checkSpawnedStep(s *Step) error {
	if wrong := stepField("name").wrong(s.Name); wrong != "" {
		return fmt.Errorf("name of a step %s", wrong)
	}
	if wrong := stepField("handler_class").wrong(s.Handler); wrong != "" {
		return fmt.Errorf("handler of step %q %s", s.Name, wrong)
	}
	if limit := stepField("default_retry_limit"); int64(s.RetryLimit) < limit.least || int64(s.RetryLimit) > limit.most {
		return fmt.Errorf("default_retry_limit of step %q must be a whole number from %d to %d, is %d", s.Name, limit.least, limit.most, s.RetryLimit)
	}
	return nil
}

// stepField is the rule for one key of a step.
func stepField(name string) field {
	for _, f := range stepFields() {
		if f.name == name {
			return f
		}
	}
	panic("templates: a step has no key " + name)
}
