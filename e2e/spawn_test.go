package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// mapHandlers split a task into twenty parts, work on one, and add them up. Each language has the same three. After a split
// has added the parts, it makes the file at the context's path, if there is one, and waits until somebody has removed it.
var mapHandlers = map[string]string{
	"ruby/map_ruby.rb": `
module MapRuby
  class Split
    def process(task, _sequence, step)
      steps = (1..20).map do |n|
        { name: format("part_%02d", n), handler: "MapRuby::Part", inputs: { n: n }, config: { factor: 2 }, retryable: false, default_retry_limit: 1 }
      end
      answer = step.spawn(steps)
      if (path = task.context["path"])
        File.write(path, "")
        step.sleep(0.01) while File.exist?(path)
      end
      answer
    end
  end
  class Part
    def process(_task, sequence, step)
      { value: step.inputs["n"] * step.config["factor"], told: sequence.find_step_by_name("split").results["accepted"] }
    end
  end
  class Sum
    def process(_task, sequence, _step)
      parts = sequence.steps.select { |s| s.name.start_with?("part_") }
      { parts: parts.size, sum: parts.sum { |s| s.results["value"] } }
    end
  end
end`,
	"python/map_python.py": `
import os, time
import tasker

@tasker.handler("MapPython::Split")
def split(task, sequence, step):
    answer = step.spawn([
        {"name": f"part_{n:02}", "handler": "MapPython::Part", "inputs": {"n": n}, "config": {"factor": 2}} for n in range(1, 21)
    ])
    if path := task.context.get("path"):
        open(path, "w").close()
        while os.path.exists(path):
            step.check()
            time.sleep(0.01)
    return answer

@tasker.handler("MapPython::Part")
def part(task, sequence, step):
    return {"value": step.inputs["n"] * step.config["factor"], "told": sequence.find_step_by_name("split").results["accepted"]}

@tasker.handler("MapPython::Sum")
def total(task, sequence, step):
    parts = [s for s in sequence.steps if s.name.startswith("part_")]
    return {"parts": len(parts), "sum": sum(s.results["value"] for s in parts)}`,
	"node/map_node.js": `
const fs = require('node:fs');
exports.handlers = {
  'MapNode::Split': async (task, sequence, step) => {
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
    const answer = await step.spawn(numbers.map((n) => (
      { name: 'part_' + String(n).padStart(2, '0'), handler: 'MapNode::Part', inputs: { n }, config: { factor: 2 } })));
    const { path } = task.context;
    if (path) fs.writeFileSync(path, '');
    while (path && fs.existsSync(path)) {
      step.check();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return answer;
  },
  'MapNode::Part': async (task, sequence, step) => (
    { value: step.inputs.n * step.config.factor, told: sequence.find_step_by_name('split').results.accepted }),
  'MapNode::Sum': async (task, sequence) => {
    const parts = sequence.steps.filter((s) => s.name.startsWith('part_'));
    return { parts: parts.length, sum: parts.reduce((sum, s) => sum + s.results.value, 0) };
  },
};`,
}

const mapTemplate = `
name: map_%[1]s
namespace_name: test
version: 1.0.0
step_templates:
  - {name: split, handler_class: %[1]s::Split}
  - {name: sum, handler_class: %[1]s::Sum, depends_on_step: split}
`

var mapLanguages = []string{"MapRuby", "MapPython", "MapNode"}

// newMapStage returns a stage with the handlers above and a template for each language.
func newMapStage(t *testing.T) *localStage {
	t.Helper()
	folder := t.TempDir()
	for name, code := range mapHandlers {
		write(t, filepath.Join(folder, "executors", name), code)
	}
	for _, language := range mapLanguages {
		write(t, filepath.Join(folder, "templates", language+".yaml"), fmt.Sprintf(mapTemplate, language))
	}
	return newLocalStage(t, "TASKER_EXECUTORS_DIR="+filepath.Join(folder, "executors"), "TASKER_TEMPLATES_DIR="+filepath.Join(folder, "templates"))
}

// awaitSum waits until a task of mapTemplate has ended and checks that all parts were added up.
func awaitSum(t *testing.T, pool *pgxpool.Pool, id int64) {
	t.Helper()
	task := awaitEnd(t, pool, id)
	if task.State != engine.Complete || len(task.Steps) != 22 {
		t.Errorf("%s ended %s with %d steps: %s", task.Name, task.State, len(task.Steps), task.StateDetail)
	}
	for _, step := range task.Steps {
		if step.Name == "part_07" && string(step.Results) != `{"told": 20, "value": 14}` {
			t.Errorf("%s: %s left %s", task.Name, step.Name, step.Results)
		}
	}
	var sum struct{ Parts, Sum int }
	if err := json.Unmarshal(stepOf(t, task, "sum").Results, &sum); err != nil || sum.Parts != 20 || sum.Sum != 420 {
		t.Errorf("%s: the sum is %+v, %v", task.Name, sum, err)
	}
}

func TestStepsThatAHandlerAddsRunBeforeWhatComesAfterIt(t *testing.T) {
	t.Parallel()
	s := newMapStage(t)
	s.startWorker(t)
	s.startWorker(t)
	var ids []int64
	for _, language := range mapLanguages {
		ids = append(ids, create(t, s.pool(), "test", "map_"+language, "1.0.0", `{}`))
	}
	for _, id := range ids {
		awaitSum(t, s.pool(), id)
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}

func TestWorkerKilledBetweenSpawnAndResultLeavesNoSteps(t *testing.T) {
	t.Parallel()
	s := newMapStage(t)
	worker := s.startWorker(t)
	paths := make(map[int64]string)
	for _, language := range mapLanguages {
		path := filepath.Join(t.TempDir(), "added")
		document, err := json.Marshal(map[string]string{"path": path})
		if err != nil {
			t.Fatal(err)
		}
		paths[create(t, s.pool(), "test", "map_"+language, "1.0.0", string(document))] = path
	}
	for _, path := range paths {
		awaitFile(t, path)
	}
	worker.kill(t)
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	var steps int
	if err := s.pool().QueryRow(t.Context(), `SELECT count(*) FROM public.tasker_workflow_steps`).Scan(&steps); err != nil || steps != 2*len(paths) {
		t.Errorf("after the kill %d tasks have %d steps, %v", len(paths), steps, err)
	}
	s.startWorker(t)
	for id, path := range paths {
		awaitFile(t, path)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		awaitSum(t, s.pool(), id)
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}

// awaitFile waits until the file is there.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	await(t, path, func(context.Context) (bool, error) {
		_, err := os.Stat(path)
		return err == nil, nil
	}, func(there bool) bool { return there })
}
