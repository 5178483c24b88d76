package conformance

import (
	"slices"
	"strings"
)

func startRules() []rule {
	return []rule{
		{name: "H1 without the cookie it says how it is started and exits 64", check: startsOnlyForTheWorker},
		{name: "H2 initialize says who it is and what it serves", check: describesItself},
		{name: "H3 a step before initialize is refused", check: refusesStepsBeforeInitialize},
		{name: "H4 without a common version it names its own", check: refusesUnknownVersions},
		{name: "H5 unknown members are ignored", check: ignoresUnknownMembers},
		{name: "H6 a second initialize is refused", check: refusesSecondInitialize},
		{name: "H7 an app that does not boot ends the host with its reason", only: []string{"ruby"}, check: refusesBrokenApps},
		{name: "H8 files that do not load are reported and the others serve", check: reportsLoadErrors},
		{name: "H9 it never takes more steps than offered", check: acceptsTheOfferedConcurrency},
		{name: "H10 what is printed while loading is log", check: keepsLoadNoiseOutOfTheProtocol},
		{name: "H22 bad params of initialize are refused by name", check: refusesBadLimits},
		{name: "H23 a root that does not exist serves nothing", check: servesNothingFromAMissingRoot},
	}
}

func startsOnlyForTheWorker(t T, lang language) {
	cmd := lang.command(t)
	cmd.Env = append(cmd.Environ(), "TASKER_PROTOCOL=")
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != 64 {
		t.Errorf("exit code %d (%v), want 64", got, err)
	}
	if text := string(out); strings.Count(text, "\n") != 1 || !strings.Contains(text, "tasker-worker") {
		t.Errorf("want one line that names the command to use, got %q", text)
	}
}

func describesItself(t T, lang language) {
	p := startHost(t, lang)
	got := p.initialize(initialization(lang.root(t), nil))
	if got.ProtocolVersion != 1 || got.Executor.Language != lang.name || got.Executor.SDK == "" {
		t.Errorf("got %+v", got)
	}
	if got.Executor.PID != p.cmd.Process.Pid {
		t.Errorf("pid %d, want %d", got.Executor.PID, p.cmd.Process.Pid)
	}
	if got.Executor.LanguageVersion == "" || got.Executor.SDKVersion == "" || !got.HandlersComplete {
		t.Errorf("got %+v", got)
	}
	if len(got.Handlers) == 0 || len(got.LoadErrors) > 0 {
		t.Errorf("handlers %v, load errors %v", got.Handlers, got.LoadErrors)
	}
	p.closeInput()
	p.mustEnd()
}

func refusesStepsBeforeInitialize(t T, lang language) {
	p := startHost(t, lang)
	mustRefuse(t, p.call("step.execute", execution("x", "Fixtures::Echo", object{}, nil)), -32001)
	p.initialize(initialization(lang.root(t), nil))
	p.mustEcho()
}

func refusesUnknownVersions(t T, lang language) {
	p := startHost(t, lang)
	params := initialization(lang.root(t), nil)
	params["protocol_versions"] = []int{2, 3}
	answer := p.call("initialize", params)
	mustRefuse(t, answer, -32002)
	if got := string(answer.Error.Data); got != `{"supported":[1]}` {
		t.Errorf("data %s", got)
	}
	params["protocol_versions"] = []int{2, 1}
	p.initialize(params)
}

func ignoresUnknownMembers(t T, lang language) {
	p := startHost(t, lang)
	params := initialization(lang.root(t), object{"max_wishes": 3})
	params["future"] = object{"a": []int{1}}
	p.initialize(params)
	step := execution("x", "Fixtures::Echo", object{"value": 1}, nil)
	step["trace"] = object{"traceparent": "00-1-2-01"}
	if got := success(t, decode[outcome](t, p.call("step.execute", step))); got != "1" {
		t.Errorf("got %s", got)
	}
}

func refusesSecondInitialize(t T, lang language) {
	p := startReady(t, lang, nil)
	mustRefuse(t, p.call("initialize", initialization(lang.root(t), nil)), -32600)
	p.mustEcho()
}

func refusesBrokenApps(t T, lang language) {
	p := startHost(t, lang)
	params := initialization(lang.root(t), nil)
	params["config"].(object)["app_root"] = lang.root(t, "app")
	p.request("initialize", params)
	p.mustEnd()
	if got := p.exit(); got != 78 {
		t.Errorf("exit code %d, want 78", got)
	}
	if text := p.stderr.String(); !strings.Contains(text, "no such setting") || !strings.Contains(text, "environment.rb") {
		t.Errorf("stderr does not say what is wrong where: %q", text)
	}
}

func reportsLoadErrors(t T, lang language) {
	p := startHost(t, lang)
	got := p.initialize(initialization(lang.requireRoot(t, "broken"), nil))
	if len(got.Handlers) != 1 || got.Handlers[0].Name != "GoodHandler" {
		t.Errorf("serves %v, want GoodHandler only", got.Handlers)
	}
	if want, errors := brokenFiles[lang.name], summaries(got.LoadErrors); !slices.Equal(want, errors) {
		t.Errorf("load errors %q, want %q", errors, want)
	}
	answer := decode[outcome](t, p.call("step.execute", execution("x", "GoodHandler", object{}, nil)))
	if got := success(t, answer); got != `"first"` {
		t.Errorf("the first definition does not serve: %s", got)
	}
	for _, e := range got.LoadErrors {
		if !strings.Contains(p.stderr.String(), e.File+": "+e.Message) {
			t.Errorf("stderr does not name %s", e.File)
		}
		for _, frame := range e.Backtrace {
			if strings.Contains(frame, "tasker_host") {
				t.Errorf("%s: frame of the host: %s", e.File, frame)
			}
		}
	}
}

func acceptsTheOfferedConcurrency(t T, lang language) {
	for _, offered := range []int{1, 3} {
		p := startHost(t, lang)
		got := p.initialize(initialization(lang.root(t), object{"max_concurrency": offered}))
		if n := got.Capabilities.MaxConcurrency; n < 1 || n > offered {
			t.Errorf("max_concurrency %d, offered %d", n, offered)
		}
	}
}

func keepsLoadNoiseOutOfTheProtocol(t T, lang language) {
	p := startReady(t, lang, nil)
	p.closeInput()
	p.exit()
	for _, want := range []string{"printed while loading\n", "no newline", "printed by a child while loading\n"} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("stdout %q lacks %q", p.stdout.String(), want)
		}
	}
}

func refusesBadLimits(t T, lang language) {
	p := startHost(t, lang)
	answer := p.call("initialize", initialization(lang.root(t), object{"max_inline_bytes": -1}))
	mustRefuse(t, answer, -32602)
	if !strings.Contains(answer.Error.Message, "max_inline_bytes") {
		t.Errorf("message %q", answer.Error.Message)
	}
	p.initialize(initialization(lang.root(t), nil))
}

func servesNothingFromAMissingRoot(t T, lang language) {
	p := startHost(t, lang)
	got := p.initialize(initialization(t.TempDir()+"/absent", nil))
	if len(got.Handlers) != 0 || len(got.LoadErrors) != 0 {
		t.Errorf("got %+v", got)
	}
	mustRefuse(t, p.call("step.execute", execution("x", "String", object{}, nil)), -32003)
}
