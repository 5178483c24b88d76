package e2e_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
	"github.com/tasker-systems/tasker-worker/templates"
)

// faults says, for each graph, which steps fail how often in its flaky variant, and which fails for good in the others.
var faults = map[string]struct {
	flaky map[string]int
	fatal string
}{
	"linear_workflow":         {map[string]int{"process_data": 1}, "process_data"},
	"diamond_workflow":        {map[string]int{"branch_one_process": 1, "branch_two_process": 1}, "branch_one_process"},
	"parallel_merge_workflow": {map[string]int{"fetch_order_data": 1, "fetch_inventory_data": 1, "merge_all_data": 1}, "fetch_order_data"},
	"tree_workflow":           {map[string]int{"branch_b_setup": 1, "branch_a_task_two": 1, "branch_b_task_two": 1}, "branch_b_task_two"},
	"mixed_workflow":          {map[string]int{"validate_permissions": 1, "setup_environment": 1, "process_critical_data": 2}, "process_critical_data"},
}

// languages are the versions of each graph.
var languages = map[string]string{"1.0.0": "ruby", "1.1.0": "python", "1.2.0": "node", "1.3.0": "all three"}

// shapeCase is one run of one graph.
type shapeCase struct {
	name, version, variant string
	// failures is the context's wish.
	failures map[string]any
	// attempts are those of the steps that do not take one; fatal is the step that fails for good.
	attempts map[string]int
	fatal    string
}

func shapeCases() []shapeCase {
	var cases []shapeCase
	for name, fault := range faults {
		for version := range languages {
			flaky := map[string]any{}
			attempts := map[string]int{}
			for step, times := range fault.flaky {
				flaky[step] = map[string]any{"times": times}
				attempts[step] = times + 1
			}
			cases = append(cases,
				shapeCase{name: name, version: version, variant: "happy"},
				shapeCase{name: name, version: version, variant: "flaky", failures: flaky, attempts: attempts},
				shapeCase{
					name: name, version: version, variant: "permanent", fatal: fault.fatal,
					failures: map[string]any{fault.fatal: map[string]any{"permanent": true}},
				},
				shapeCase{
					name: name, version: version, variant: "exhausted", fatal: fault.fatal,
					failures: map[string]any{fault.fatal: map[string]any{"times": 3}}, attempts: map[string]int{fault.fatal: 3},
				})
		}
	}
	return cases
}

// expected are the states and attempts of a case: descendants of the fatal step never run, everything else completes.
func (c shapeCase) expected(t *templates.Template) map[string]string {
	blocked := map[string]bool{}
	want := map[string]string{"task": "complete"}
	for _, level := range t.Levels() {
		for _, name := range level {
			attempts := max(c.attempts[name], 1)
			switch {
			case slices.ContainsFunc(t.Step(name).DependsOn, func(parent string) bool { return blocked[parent] || parent == c.fatal }):
				blocked[name] = true
				want[name] = "pending 0"
			case name == c.fatal:
				want[name] = fmt.Sprintf("error %d", attempts)
				want["task"] = "error"
			default:
				want[name] = fmt.Sprintf("complete %d", attempts)
			}
		}
	}
	return want
}

func TestShapesEndInTheirExpectedStates(t *testing.T) {
	t.Parallel()
	set, err := templates.LoadDir(filepath.Join(repository, "templates", "examples"), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newLocalStage(t)
	s.startWorker(t)
	cases := shapeCases()
	ids := make([]int64, len(cases))
	for i, c := range cases {
		document, err := json.Marshal(map[string]any{"failures": c.failures})
		if err != nil {
			t.Fatal(err)
		}
		if c.failures == nil {
			document = []byte(`{}`)
		}
		ids[i] = create(t, s.pool(), "shapes", c.name, c.version, string(document))
	}
	for i, c := range cases {
		task := awaitEnd(t, s.pool(), ids[i])
		got := map[string]string{"task": string(task.State)}
		for _, step := range task.Steps {
			got[step.Name] = fmt.Sprintf("%s %d", step.State, step.Attempts)
		}
		if diff := cmp.Diff(c.expected(set.Find("shapes", c.name, c.version)), got); diff != "" {
			t.Errorf("%s in %s, %s (-want +got):\n%s", c.name, languages[c.version], c.variant, diff)
		}
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}
