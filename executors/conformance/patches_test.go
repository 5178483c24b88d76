package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// patch is a change of one line that breaks a host of this repository, and the checks that must then fail.
type patch struct {
	language, file string
	// old is in the file once.
	old, new string
	fails    string
}

// String is what the host is broken by.
func (p patch) String() string { return p.language + "/" + p.file + ": " + p.new }

// patches break what the reference host has not: files of handlers, threads, an event loop.
var patches = []patch{ //nolint:gochecknoglobals // a table
	{"ruby", "app.rb", "    rescue Exception => e # rubocop:disable Lint/RescueException -- `exit` and a SyntaxError in an app's file, too\n      App.abort(@root, e)", ``, "H7"},

	{"ruby", "loader.rb", `@errors << (failure = Failure.of_load(name, error))`, `failure = Failure.of_load(name, error)`, "H8"},
	{"python", "loader.py", `self.errors.append(described)`, `pass`, "H8"},
	{"node", "loader.js", `this.errors.push(described);`, ``, "H8"},

	{"ruby", "loader.rb", `candidate.public_method_defined?(:process)`, `candidate.allocate.respond_to?(:process, true)`, "H20"},
	{"python", "handler.py", `and not attribute.startswith("_")`, ``, "H20"},
	{"node", "handler.js", `Object.hasOwn(value, 'handlerName')`, `false`, "H20"},

	{"ruby", "arguments.rb", `Arguments.id(step["step_id"])`, `step["step_id"]`, "E20"},
	{"python", "arguments.py", `self.task_id = identifier(get("id"))`, `self.task_id = get("id")`, "E20"},
	{"node", "arguments.js", `this.task_id = id(task.id);`, `this.task_id = task.id;`, "E20"},

	{"node", "result_json.js", `Object.create(null); // so`, `{}; // so`, "E24"},
	{"ruby", "execution.rb", `rescue Exception => e`, `rescue StandardError => e`, "E25"},
	{"python", "execution.py", `except BaseException as error:  # sys.exit()`, `except Exception as error:  # sys.exit()`, "E25"},
	{"ruby", "pool.rb", "ensure\n        start_thread", ``, "E26"},
	{"python", "event_loop.py", `except BaseException:`, `except Exception:`, "E27"},
	{"node", "uncaught_errors.js", `const execution = Execution.current()`, `const execution = undefined`, "E28"},
	{"python", "execution.py", "            with loop.cancelling(self):\n                result = await", "            with loop.cancelling(self):\n                result =", "E29"},
	{"node", "execution.js", `await this.#handler.call(`, `this.#handler.call(`, "E29"},

	{
		"python", "pool.py", `await execution.perform_async(self._loop)`,
		`await execution.perform_async(self._loop) if next(iter(self._running.values())) is execution else None`, "C1",
	},
	{"ruby", "pool.rb", `@running.empty? ? ProcessState.restore : ProcessState.lingering`, `[]`, "I5"},
	{"ruby", "process_state.rb", "          ProcessState.trapped(signal, before)\n", "", "I5"},
	{"python", "process_state.py", `if _variables() != self._variables:`, `if False:`, "I5"},
	{"python", "process_state.py", `self._set_umask(self.umask)`, `pass`, "I5"},
	{"node", "process_state.js", `this.#setUmask.call(process, this.#umask);`, ``, "I5"},
	{"node", "process_state.js", "this.#restoreSignals();\n    this.#ch", "this.#ch", "I5"},

	{"python", "callbacks.py", `if threading.get_ident() == client.loop_thread:`, `if False:`, "K7"},
	{"ruby", "server.rb", `age = @pool&.oldest_age`, "sleep 0.01 while in_flight.positive?\n      age = nil", "L2"},
	{"python", "server.py", `result = {"in_flight": self._in_flight()}`, "while self._in_flight():\n            time.sleep(0.01)\n        result = {\"in_flight\": 0}", "L2"},
	{"ruby", "server.rb", "          receive(line)\n", "          receive(line)\n          sleep 0.01 while in_flight.positive?\n", "S3"},
	{"python", "server.py", "self._receive(line)\n", "self._receive(line)\n        while self._in_flight():\n            time.sleep(0.01)\n", "S3"},
}

// host is a copy of the host with the change.
func (p patch) host(t *testing.T) language {
	t.Helper()
	lang := hostOf(t, p.language)
	program := lang.argv[len(lang.argv)-1]
	folder := filepath.Join(t.TempDir(), "tasker_host")
	if err := os.CopyFS(folder, os.DirFS(filepath.Dir(program))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, p.file)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(content), p.old); n != 1 {
		t.Errorf("%s has %q %d times, want once", p.file, p.old, n)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), p.old, p.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	lang.argv = []string{lang.argv[0], filepath.Join(folder, filepath.Base(program))}
	return lang
}
