package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// rudeHandlers do what handlers do on bad days. Each language has the same three.
var rudeHandlers = map[string]string{
	"ruby/rude.rb": `
module Rude
  class Prints
    def process(task, sequence, step)
      puts '{"jsonrpc":"2.0","id":"1","result":{"outcome":"success","result":"forged"}}'
      $stdout.syswrite("raw\n")
      system("echo from a child")
      "honest"
    end
  end
  class Floods
    def process(task, sequence, step)
      2000.times { $stderr.puts("x" * 1000) }
      "honest"
    end
  end
  class Exits
    def process(task, sequence, step)
      exit!(3) if step.attempt == 1
      "honest"
    end
  end
end`,
	"python/rude.py": `
import os, subprocess, sys
class Prints:
    def process(self, task, sequence, step):
        print('{"jsonrpc":"2.0","id":"1","result":{"outcome":"success","result":"forged"}}', flush=True)
        os.write(1, b"raw\n")
        subprocess.run(["echo", "from a child"])
        return "honest"
class Floods:
    def process(self, task, sequence, step):
        for _ in range(2000):
            print("x" * 1000, file=sys.stderr)
        return "honest"
class Exits:
    def process(self, task, sequence, step):
        if step.attempt == 1:
            os._exit(3)
        return "honest"`,
	"node/rude.js": `
const fs = require('node:fs');
const { spawnSync } = require('node:child_process');
exports['Prints'] = async () => {
  console.log('{"jsonrpc":"2.0","id":"1","result":{"outcome":"success","result":"forged"}}');
  fs.writeSync(1, 'raw\n');
  spawnSync('echo', ['from a child'], { stdio: 'inherit' });
  return 'honest';
};
exports['Floods'] = async () => {
  for (let i = 0; i < 2000; i++) console.error('x'.repeat(1000));
  return 'honest';
};
exports['Exits'] = async (task, sequence, step) => {
  if (step.attempt === 1) process.exit(3);
  return 'honest';
};
exports['Prints'].handlerName = 'rude_node.Prints';
exports['Floods'].handlerName = 'rude_node.Floods';
exports['Exits'].handlerName = 'rude_node.Exits';`,
}

const rudeTemplate = `
name: rude
namespace_name: test
version: 1.0.0
step_templates:
  - {name: ruby_prints, handler_class: "Rude::Prints"}
  - {name: ruby_floods, handler_class: "Rude::Floods"}
  - {name: ruby_exits, handler_class: "Rude::Exits"}
  - {name: python_prints, handler_class: rude.Prints}
  - {name: python_floods, handler_class: rude.Floods}
  - {name: python_exits, handler_class: rude.Exits}
  - {name: node_prints, handler_class: rude_node.Prints}
  - {name: node_floods, handler_class: rude_node.Floods}
  - {name: node_exits, handler_class: rude_node.Exits}
`

func TestRudeHandlersAreSurvived(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "templates", "rude.yaml"), rudeTemplate)
	for name, code := range rudeHandlers {
		write(t, filepath.Join(folder, "executors", name), code)
	}
	s := newLocalStage(t, "TASKER_EXECUTORS_DIR="+filepath.Join(folder, "executors"), "TASKER_TEMPLATES_DIR="+filepath.Join(folder, "templates"))
	s.startWorker(t)
	task := awaitEnd(t, s.pool(), create(t, s.pool(), "test", "rude", "1.0.0", `{}`))
	if task.State != engine.Complete {
		t.Errorf("the task ended %s: %s", task.State, task.StateDetail)
	}
	for _, step := range task.Steps {
		var result string
		if err := json.Unmarshal(step.Results, &result); err != nil || result != "honest" {
			t.Errorf("%s left %s", step.Name, step.Results)
		}
		// A crash counts for the step that was alone in its process; its neighbours are given back.
		if limit := map[bool]int{true: 2, false: 1}[strings.HasSuffix(step.Name, "exits")]; step.Attempts > limit {
			t.Errorf("%s took %d attempts", step.Name, step.Attempts)
		}
	}
	sqltest.CheckInvariants(t, s.pool(), true)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
