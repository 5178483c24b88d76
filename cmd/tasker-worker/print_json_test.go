package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestNestingCountsNoBracketsOfTexts(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]int{
		`1`: 0, `"[[["`: 0, `[]`: 1, `[[],{}]`: 2, `{"a\"[": [{"b\\": "]"}]}`: 3, `["\\", [[]]]`: 3,
	} {
		if got := nesting([]byte(document)); got != want {
			t.Errorf("%s is nested %d deep, want %d", document, got, want)
		}
	}
}

// Other programs write JSON that is nested deeper than a worker takes, and deeper than encoding/json does.
func TestTaskShowPrintsDeepJSONOrSaysWhatItIs(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.sync(t, pool)
	w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`)
	for name, row := range map[string]struct {
		update string
		// want is what is said of values that cannot be printed.
		want string
	}{
		"context": {
			`UPDATE public.tasker_tasks SET context = $1::jsonb`,
			"task 1: its context is nested deeper than 10000 levels, which cannot be printed; read it with SQL:" +
				" SELECT context FROM public.tasker_tasks WHERE task_id = 1;",
		},
		"results": {
			`UPDATE public.tasker_workflow_steps SET results = $1::jsonb`,
			`task 1: the results of step "charge" are nested deeper than 10000 levels, which cannot be printed;` +
				" read it with SQL: SELECT results FROM public.tasker_workflow_steps WHERE workflow_step_id = ",
		},
	} {
		for _, depth := range []int{9_990, 10_000, 10_001} {
			deep := strings.Repeat("[", depth) + strings.Repeat("]", depth)
			if _, err := pool.Exec(t.Context(), row.update, deep); err != nil {
				t.Fatal(err)
			}
			got := w.run(t, "task", "show", "1", "--json")
			switch printed := strings.Contains(got.stdout, deep); {
			case depth > nestedMax && (got.code == 0 || !strings.Contains(got.stderr, row.want)):
				t.Errorf("%s of %d levels: exit code %d, stderr %q", name, depth, got.code, got.stderr)
			case depth <= nestedMax && (got.code != 0 || !printed || len(got.stdout) > 10*depth):
				t.Errorf("%s of %d levels: exit code %d, %d bytes, stderr %q",
					name, depth, got.code, len(got.stdout), got.stderr)
			}
			if text := w.succeed(t, "task", "show", "1"); !strings.Contains(text, "charge") {
				t.Errorf("%s of %d levels: the text is %s", name, depth, text)
			}
		}
		if _, err := pool.Exec(t.Context(), row.update, `{}`); err != nil {
			t.Fatal(err)
		}
	}
	var task struct {
		TaskID int64 `json:"task_id"`
	}
	if err := json.Unmarshal([]byte(w.succeed(t, "task", "show", "1", "--json")), &task); err != nil || task.TaskID != 1 {
		t.Errorf("task %d, %v", task.TaskID, err)
	}
}
