package conformance

import (
	"encoding/json"
	"os"
	"strings"
)

func ioRules() []rule {
	return []rule{
		{name: "I1 what handlers and their children print is log", check: keepsNoiseOut},
		{name: "I2 a flood on stderr holds up nothing", check: survivesFloods},
		{name: "I3 children inherit neither the pipes nor the cookie", check: keepsPipesFromChildren},
		{name: "I4 a handler may close the standard descriptors", check: survivesClosedStdio},
		{name: "I6 log records carry their step and are bounded", check: boundsLogRecords},
		{name: "I20 without pipes in the environment it speaks over stdin and stdout", check: speaksOverStdio},
		{name: "H7 descriptors that are not there are a configuration error", check: refusesBadDescriptors},
	}
}

func keepsNoiseOut(t T, lang language) {
	p := startReady(t, lang, nil)
	if got := p.mustSucceed("Noise", object{}, nil); got != `"quiet"` {
		t.Errorf("got %s", got)
	}
	p.mustEcho()
	p.closeInput()
	p.exit()
	p.mustEnd()
	for _, want := range []string{"printed", "printed by a child", `"forged"`} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("stdout lacks %q", want)
		}
	}
	if !strings.Contains(p.stderr.String(), "warned by a child") || !strings.Contains(p.stderr.String(), "warned") {
		t.Errorf("stderr: %s", p.stderr.tail())
	}
}

func survivesFloods(t T, lang language) {
	p := startReady(t, lang, nil)
	if got := p.mustSucceed("Flood", object{}, nil); got != `"done"` {
		t.Errorf("got %s", got)
	}
	p.closeInput()
	p.exit()
	if got := len(p.stderr.String()); got < 10<<20 {
		t.Errorf("%d bytes on stderr, want 10 MiB", got)
	}
}

func keepsPipesFromChildren(t T, lang language) {
	checkChild(t, startReady(t, lang, nil))
}

func checkChild(t T, p *peer) {
	t.Helper()
	var seen string
	if err := json.Unmarshal([]byte(p.mustSucceed("ChildFds", object{}, nil)), &seen); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(seen, "TASKER_EXECUTOR_ID=conformance-1\n") {
		t.Errorf("the child did not run: %q", seen)
	}
	for _, unwanted := range []string{"pipe:", "/", "TASKER_PROTOCOL", "TASKER_RPC"} {
		if strings.Contains(seen, unwanted) {
			t.Errorf("a child sees %s:\n%s", unwanted, seen)
		}
	}
}

func survivesClosedStdio(t T, lang language) {
	p := startReady(t, lang, nil)
	if got := p.mustSucceed("CloseStdio", object{}, nil); got != `"closed"` {
		t.Errorf("got %s", got)
	}
	p.mustEcho()
	p.mustFail("FailUnknown", object{}, nil)
	p.closeInput()
	if got := p.exit(); got != 0 {
		t.Errorf("exit code %d", got)
	}
}

type logRecord struct {
	Level       string         `json:"level"`
	Message     string         `json:"message"`
	TS          string         `json:"ts"`
	ExecutionID string         `json:"execution_id"`
	Attrs       map[string]any `json:"attrs"`
}

func boundsLogRecords(t T, lang language) {
	p := startReady(t, lang, nil)
	for _, size := range []int{5, 1 << 20} {
		p.logs = nil
		params := execution("logging", "Fixtures::LogMessage", object{}, object{"bytes": size})
		success(t, decode[outcome](t, p.call("step.execute", params)))
		if len(p.logs) != 1 {
			t.Fatalf("%d records before the answer, want 1", len(p.logs))
		}
		var got logRecord
		if err := json.Unmarshal(p.logs[0].Params, &got); err != nil {
			t.Fatal(err)
		}
		if got.Level != "info" || got.ExecutionID != "logging" || !strings.HasSuffix(got.TS, "Z") || got.Attrs["amount"] != 12.0 {
			t.Errorf("got %+.200v", got)
		}
		if n := len(got.Message); n > 16<<10 || n < size && !strings.Contains(got.Message, "1048576 bytes") {
			t.Errorf("message of %d bytes for %d: ...%s", n, size, got.Message[max(0, n-40):])
		}
	}
	p.mustEcho()
}

func speaksOverStdio(t T, lang language) {
	cmd := lang.command(t)
	inRead, inWrite := pipe(t)
	outRead, outWrite := pipe(t)
	cmd.Stdin, cmd.Stdout = inRead, outWrite
	cmd.Env = environ()
	p := startPeer(t, lang, cmd, inWrite, outRead)
	closeAll(t, inRead, outWrite)
	p.initialize(initialization(lang.root(t), nil))
	p.mustSucceed("Noise", object{}, nil)
	p.mustEcho()
	checkChild(t, p)
	p.closeInput()
	if got := p.exit(); got != 0 {
		t.Errorf("exit code %d", got)
	}
	p.mustEnd()
	for _, want := range []string{"printed while loading", "printed by a child", "forged"} {
		if !strings.Contains(p.stderr.String(), want) {
			t.Errorf("stderr lacks %q", want)
		}
	}
}

func refusesBadDescriptors(t T, lang language) {
	for _, fd := range []string{"77", "x"} {
		cmd := lang.command(t)
		cmd.Env = append(environ("TASKER_RPC_IN_FD=77", "TASKER_RPC_OUT_FD="+fd), "NODE_NO_WARNINGS=1")
		cmd.Stdin = os.Stdin
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != 78 {
			t.Errorf("exit code %d (%v), want 78", got, err)
		}
		if text := string(out); strings.Count(text, "\n") != 1 || !strings.Contains(text, "TASKER_RPC_IN_FD") {
			t.Errorf("want one line that names the variables, got %q", text)
		}
	}
}
