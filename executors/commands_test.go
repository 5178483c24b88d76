package executors

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

// keeper is an attempt log in memory.
type keeper struct {
	mu    sync.Mutex
	lines []string
	ended int
}

func (k *keeper) Append(_ *engine.Attempt, line engine.LogLine) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines = append(k.lines, line.Stream+": "+line.Message)
}

func (k *keeper) End(*engine.Attempt) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended++
}

// program writes an executable file below the executors folder.
func (sc *scene) program(name, script string) {
	sc.t.Helper()
	sc.write(name, script)
	if err := os.Chmod(filepath.Join(sc.dir, name), 0o700); err != nil {
		sc.t.Fatal(err)
	}
}

// command is an attempt of a step with a command.
func commandAttempt(argv ...string) *engine.Attempt {
	a := attempt("command:" + filepath.Base(argv[0]))
	a.Handler.Config, _ = json.Marshal(map[string]any{"command": argv, "size": 3})
	a.Task.Context = json.RawMessage(`{"file": "a.csv"}`)
	a.Dependencies = []engine.Dependency{{StepID: 1, Name: "fetch", Result: json.RawMessage(`{"rows":2}`)}}
	return a
}

func startPrograms(t *testing.T) (*scene, *keeper) {
	t.Helper()
	k := &keeper{}
	return startScene(t, sceneOptions{Config: Config{AttemptLog: k}, handlers: "echo"}), k
}

func TestProgramOutcomes(t *testing.T) {
	t.Parallel()
	sc, _ := startPrograms(t)
	failed := func(class, code, message string, permanent bool, retryAfter time.Duration) engine.Outcome {
		return engine.Failed(engine.Failure{Class: class, Code: code, Message: message, Permanent: permanent, RetryAfter: retryAfter})
	}
	const commandFailed = "Tasker::CommandFailed"
	tests := []struct {
		name, script string
		want         engine.Outcome
	}{
		{"nothing printed is null", "true", engine.Succeeded(json.RawMessage("null"))},
		{"last line of stdout", `echo reading; echo '{"a": 1}'; echo; echo '{"rows": 2}'; echo`, engine.Succeeded(json.RawMessage(`{"rows": 2}`))},
		{"last line without an end", `printf '[1]'`, engine.Succeeded(json.RawMessage(`[1]`))},
		{"last line that is no JSON is null", `echo '{"rows": 2}'; echo done`, engine.Succeeded(json.RawMessage("null"))},
		{"result file before stdout", `echo '{"b": 1}'; echo '{"from": "file"}' > "$TASKER_RESULT_FILE"`, engine.Succeeded(json.RawMessage(`{"from": "file"}`))},
		{
			"empty result file", `: > "$TASKER_RESULT_FILE"`,
			failed("Tasker::InvalidResult", "", "the program's result cannot be stored: the result file is empty: write null where there is no result, "+
				"or leave the file out", true, 0),
		},
		{"byte order mark before the result", `printf '\xEF\xBB\xBF{"rows": 2}\n'`, engine.Succeeded(json.RawMessage(`{"rows": 2}`))},
		{
			"byte order mark in the result file", `printf '\xEF\xBB\xBF{"rows": 2}\n' > "$TASKER_RESULT_FILE"`,
			engine.Succeeded(json.RawMessage(`{"rows": 2}`)),
		},
		{"object with NaN", `echo '{"mean": NaN}'`, failed("Tasker::InvalidResult", "", "", true, 0)},
		{"object that is cut", `echo '{"rows": 2, "na'`, failed("Tasker::InvalidResult", "", "", true, 0)},
		{"object of Python", `echo "{'rows': 2}"`, failed("Tasker::InvalidResult", "", "", true, 0)},
		{"list with NaN", `echo '[1, NaN, "NaN"]'`, failed("Tasker::InvalidResult", "", "", true, 0)},
		{"list with a comma at its end", `echo '[1, 2,]'`, failed("Tasker::InvalidResult", "", "", true, 0)},
		{"log line in brackets is null", `echo '[info] done'`, engine.Succeeded(json.RawMessage("null"))},
		{"NaN alone is null", "echo NaN", engine.Succeeded(json.RawMessage("null"))},
		{"JSON over several lines is null", `printf '{\n  "rows": 2\n}\n'`, engine.Succeeded(json.RawMessage("null"))},
		{
			"result file that is no JSON", `echo oops > "$TASKER_RESULT_FILE"`,
			failed("Tasker::InvalidResult", "", "the program's result cannot be stored: invalid JSON: invalid character 'o' looking for beginning of value", true, 0),
		},
		{
			"result file that is a link", `ln -s /etc/hostname "$TASKER_RESULT_FILE"`,
			failed("Tasker::InvalidResult", "", "", true, 0),
		},
		{"result that is too large", `head -c 1100000 /dev/zero | tr '\0' 1`, failed("Tasker::InvalidResult", "", "", true, 0)},
		{"any other status is retried", "exit 3", failed(commandFailed, "3", "command:p exited with status 3", false, 0)},
		{"EX_USAGE is permanent", "exit 64", failed(commandFailed, "64", "command:p exited with status 64", true, 0)},
		{"EX_DATAERR is permanent", "exit 65", failed(commandFailed, "65", "command:p exited with status 65", true, 0)},
		{"EX_CONFIG is permanent", "exit 78", failed(commandFailed, "78", "command:p exited with status 78", true, 0)},
		{
			"EX_TEMPFAIL with a delay", `echo '{"error": "busy", "error_code": "BUSY", "retry_after": 1.5}' > "$TASKER_RESULT_FILE"; exit 75`,
			failed(commandFailed, "BUSY", "busy", false, 1500*time.Millisecond),
		},
		{
			"a delay that is none takes nothing along", `echo '{"error": "busy", "retry_after": "soon"}'; exit 75`,
			failed(commandFailed, "75", `busy (ignored: retry_after is "soon", which is not a number of seconds or a date)`, false, 0),
		},
		{"a delay as text", `echo '{"error": "busy", "retry_after": "90"}'; exit 75`, failed(commandFailed, "75", "busy", false, 90*time.Second)},
		{
			"a date that is past", `echo '{"error": "busy", "retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}'; exit 75`,
			failed(commandFailed, "75", "busy", false, 0),
		},
		{
			"members of other types", `echo '{"error": {"why": "busy"}, "error_code": 7, "error_class": "Busy"}'; exit 1`,
			failed("Busy", "7", `{"why": "busy"}`, false, 0),
		},
		{
			"a failure that cannot be read", `echo '{"error": "busy"' > "$TASKER_RESULT_FILE"; exit 1`,
			failed(commandFailed, "1", `command:p exited with status 1 (ignored: the result file is {"error": "busy", which is not a JSON object)`, false, 0),
		},
		{"signal is a crash", "kill -9 $$", failed("Tasker::ExecutorCrashed", "", "command:p was ended by signal 9 (killed)", false, 0)},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			folder := "p" + strconv.Itoa(i)
			sc.program(folder+"/p", "#!/bin/bash\n"+test.script+"\n")
			got := sc.run(sc.ctx(), commandAttempt(folder+"/p"))
			if test.want.Failure != nil && test.want.Failure.Message == "" && got.Failure != nil {
				got.Failure.Message = ""
			}
			if diff := cmp.Diff(describe(test.want), describe(got)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProgramGetsTheStepAndNoShell(t *testing.T) {
	t.Parallel()
	sc, _ := startPrograms(t)
	sc.program("bin/show", "#!/bin/bash\nfor n in 3 4; do [ -e /proc/$$/fd/$n ] && open+=$n; done\n"+
		`printf '{"args":"%s","attempt":"%s","db":"%s","fds":"%s","rpc":"%s","stdin":%s}\n' "$*" "$TASKER_ATTEMPT" "$DATABASE_URL" `+
		`"$open" "$TASKER_RPC_IN_FD" "$(cat)"`+"\n")
	a := commandAttempt("show", "$HOME", "; rm -rf x", "*")
	got := sc.run(sc.ctx(), a)
	var shown struct {
		Args, Attempt, DB, Fds, RPC string
		Stdin                       struct {
			Task         struct{ Context map[string]string }
			Step         struct{ Name string }
			Dependencies map[string]struct{ Result map[string]int }
			Handler      struct{ Config struct{ Size int } }
			Key          string `json:"idempotency_key"`
		}
	}
	if err := json.Unmarshal(got.Result, &shown); err != nil {
		t.Fatalf("outcome %s: %v", describe(got), err)
	}
	in := shown.Stdin
	if shown.Args != "$HOME ; rm -rf x *" || shown.Attempt != "1" || shown.DB != "" || shown.RPC != "" {
		t.Errorf("the program saw %+v", shown)
	}
	if shown.Fds != "" {
		t.Errorf("the program has the descriptors %s", shown.Fds)
	}
	if in.Task.Context["file"] != "a.csv" || in.Step.Name != "step" || in.Dependencies["fetch"].Result["rows"] != 2 || in.Handler.Config.Size != 3 ||
		in.Key != "tasker:step:"+strconv.FormatInt(a.Step.ID, 10) {
		t.Errorf("the program read %+v", in)
	}
}

func TestProgramLogsAreKeptAndTheResultIsNone(t *testing.T) {
	t.Parallel()
	sc, k := startPrograms(t)
	sc.program("bin/talk", "#!/bin/bash\necho one; echo '{\"x\":1}'; echo two; echo '{\"rows\":2}'\n")
	sc.run(sc.ctx(), commandAttempt("talk"))
	want := []string{"stdout: one", `stdout: {"x":1}`, "stdout: two"}
	if diff := cmp.Diff(want, k.lines); diff != "" || k.ended != 1 {
		t.Errorf("ended %d times, kept (-want +got):\n%s", k.ended, diff)
	}
}

func TestLastLineThatIsNoResultIsSaidInTheLog(t *testing.T) {
	t.Parallel()
	sc, k := startPrograms(t)
	tests := map[string]string{
		`echo '[info] done'`:              "begins like JSON and is none: [info] done",
		`echo '{done'`:                    "begins like JSON and is none: {done",
		`echo '"done'`:                    "begins like JSON and is none",
		"echo NaN":                        "is no JSON: NaN",
		"echo -Infinity":                  "is no JSON: -Infinity",
		`printf '{\n  "rows": 2\n}\n'`:    "the end of JSON over several lines",
		`echo done`:                       "",
		`echo '{"mean": NaN}'; echo done`: "",
	}
	for script, want := range tests {
		k.mu.Lock()
		k.lines = nil
		k.mu.Unlock()
		sc.program("bin/p", "#!/bin/bash\n"+script+"\n")
		sc.run(sc.ctx(), commandAttempt("p"))
		k.mu.Lock()
		said := strings.Join(k.lines, "\n")
		k.mu.Unlock()
		if strings.Contains(said, "worker: the result is null") != (want != "") || !strings.Contains(said, want) {
			t.Errorf("%s: the log says %q, want %q", script, said, want)
		}
	}
}

func TestProgramAsksForADelayUntilADate(t *testing.T) {
	t.Parallel()
	sc, _ := startPrograms(t)
	for _, format := range []string{"%a, %d %b %Y %H:%M:%S GMT", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S+00:00"} {
		sc.program("bin/p", "#!/bin/bash\nexport LC_ALL=C\n"+`echo "{\"retry_after\": \"$(date -u -d "+1 day" "+`+format+`")\"}"; exit 75`+"\n")
		got := sc.run(sc.ctx(), commandAttempt("p"))
		if got.Failure == nil || got.Failure.RetryAfter < 23*time.Hour || got.Failure.RetryAfter > 24*time.Hour {
			t.Errorf("%s comes to %s, want a delay of a day", format, describe(got))
		}
	}
}

// sleeper prints the id of its child, which would outlive it, and waits.
const sleeper = "#!/bin/bash\nsleep 300 &\necho \"child $!\"\nwait\n"

func (sc *scene) child(t *testing.T) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimPrefix(sc.log.await(t, "child ", 1)["msg"], "child "))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestProgramPastItsTimeoutIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()
	sc, _ := startPrograms(t)
	sc.program("bin/sleeper", sleeper)
	a := commandAttempt("sleeper")
	a.Handler.Timeout = 300 * time.Millisecond
	got := sc.run(sc.ctx(), a)
	if got.Failure == nil || got.Failure.Class != engine.ClassTimeout || got.Failure.Permanent {
		t.Errorf("outcome is %s", describe(got))
	}
	awaitGone(t, sc.child(t))
}

func TestCancelledProgramIsGivenBack(t *testing.T) {
	t.Parallel()
	sc, _ := startPrograms(t)
	sc.program("bin/sleeper", sleeper)
	ctx, cancel := context.WithCancel(sc.ctx())
	outcome := make(chan engine.Outcome, 1)
	go func() { outcome <- sc.run(ctx, commandAttempt("sleeper")) }()
	child := sc.child(t)
	cancel()
	if got := <-outcome; got.Kind != engine.OutcomeGivenBack {
		t.Errorf("outcome is %s", describe(got))
	}
	awaitGone(t, child)
}

func TestStopEndsProgramsAfterTheGrace(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{ShutdownGrace: 50 * time.Millisecond}, handlers: "echo"})
	sc.program("bin/sleeper", sleeper)
	outcome := make(chan engine.Outcome, 1)
	go func() { outcome <- sc.run(sc.ctx(), commandAttempt("sleeper")) }()
	child := sc.child(t)
	began := time.Now()
	sc.stop()
	if took := time.Since(began); took > patience/2 {
		t.Errorf("Stop took %v: the grace was no bound", took)
	}
	if got := <-outcome; got.Kind != engine.OutcomeGivenBack {
		t.Errorf("outcome is %s", describe(got))
	}
	awaitGone(t, child)
}

func TestProgramsAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	sc := startScene(t, sceneOptions{Config: Config{CommandSteps: 1}, handlers: "echo"})
	first, err := sc.Acquire(sc.ctx(), "command:a")
	if err != nil {
		t.Fatal(err)
	}
	brief, cancel := context.WithTimeout(sc.ctx(), 20*time.Millisecond)
	defer cancel()
	if _, err := sc.Acquire(brief, "command:b"); err == nil {
		t.Error("a second program has room")
	}
	first.Release()
	second, err := sc.Acquire(sc.ctx(), "command:b")
	if err != nil {
		t.Fatal(err)
	}
	second.Release()
}

func TestFindCommand(t *testing.T) {
	t.Parallel()
	sc := newScene(t, sceneOptions{handlers: "echo"})
	sc.program("bin/import", "#!/bin/sh\n")
	sc.write("bin/plain", "no program")
	tests := []struct{ name, wrong, hint string }{
		{"import", "", ""},
		{"bin/import", "", ""},
		{"./bin/import", "", ""},
		{"sh", "", ""},
		{"/bin/sh", "", ""},
		{"bin/imprt", "does not exist", `did you mean "bin/import"?`},
		{"imprt", "on PATH", `did you mean "import"?`},
		{"bin/plain", "is not executable", "chmod +x makes it so"},
		{"plain", "is not executable", "chmod +x makes it so"},
		{"../import", "leads out of the executors folder", ""},
		{"bin/../../sh", "leads out of the executors folder", ""},
		{"./bin", "is no file", ""},
	}
	for _, test := range tests {
		wrong, hint := sc.FindCommand(test.name)
		if (wrong == "") != (test.wrong == "") || !strings.Contains(wrong, test.wrong) || hint != test.hint {
			t.Errorf("%s: %q (%s), want %q (%s)", test.name, wrong, hint, test.wrong, test.hint)
		}
	}
}
