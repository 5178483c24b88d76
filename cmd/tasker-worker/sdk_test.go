package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheSDKsAreImportable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RUBYLIB=/before", "NODE_PATH=/before")
	w.ownCache()
	for _, line := range []string{
		`ruby -I"$(tasker-worker sdk path ruby)" -e 'require "tasker/testing"; exit Tasker::Testing.respond_to?(:run)'`,
		`PYTHONPATH="$(tasker-worker sdk path python)" python3 -c 'from tasker import testing; testing.run'`,
		`NODE_PATH="$(tasker-worker sdk path node)" node -e 'require("tasker/testing").run.name'`,
		`eval "$(tasker-worker sdk env)" && ruby -r tasker/testing -e 'exit $:.include?("/before")'`,
		`eval "$(tasker-worker sdk env)" && python3 -c 'import tasker.testing, sys; sys.exit(sys.path[2] != sys.argv[1])' "$PWD/executors/python"`,
		`eval "$(tasker-worker sdk env)" && node -e 'require("tasker/testing"); process.exit(module.paths.length && process.env.NODE_PATH.endsWith(":/before") ? 0 : 1)'`,
	} {
		w.shell(t, strings.ReplaceAll(line, "tasker-worker", "PROGRAM"))
	}
}

func TestNodeTestsInESModulesImportTheSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ownCache()
	w.write(t, "shop/charge.mjs", "import { PermanentError } from 'tasker';\nexport function process() { throw new PermanentError('no'); }\n")
	w.write(t, "shop/_charge.test.mjs", `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from 'tasker/testing';
import { process } from './charge.mjs';
test('is declined', async () => assert.equal((await run(process)).failure.kind, 'permanent'));
`)
	w.passes(t, `node --require "$(tasker-worker sdk path node)/register.js" --test shop/_charge.test.mjs`)
}

func TestAnUnpackedSDKIsMended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ownCache()
	dir := strings.TrimSpace(w.mustRun(t, 0, "sdk", "path", "ruby"))
	whole, err := os.ReadFile(filepath.Join(dir, "tasker.rb"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tasker.rb"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "tasker", "testing.rb")); err != nil {
		t.Fatal(err)
	}
	if again := strings.TrimSpace(w.mustRun(t, 0, "sdk", "path", "ruby")); again != dir {
		t.Errorf("it moved from %s to %s", dir, again)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "tasker.rb")); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "tasker", "testing.rb")); err != nil {
		t.Error(err)
	}
}

// ownCache gives the world a cache folder of its own.
func (w *world) ownCache() {
	w.environ = append(w.environ, "XDG_CACHE_HOME="+filepath.Join(w.dir, "cache"))
}
