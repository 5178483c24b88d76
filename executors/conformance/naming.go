package conformance

import (
	"maps"
	"slices"
)

// The handlers of testdata/conventions and what each returns with the config {"k": 1}.
var conventions = map[string]map[string]string{ //nolint:gochecknoglobals // a table
	"ruby": {
		"Shop::ConfiguredHandler": `{"config":{"k":1}}`,
		"Shop::Generated":         `{"assigned":true}`,
		"Shop::PlainHandler":      `{"assigned":true}`,
	},
	"python": {
		"Any::Name":                   `"named"`,
		"shop.cart":                   `"module"`,
		"shop.cart.ConfiguredHandler": `{"config":{"k":1}}`,
		"shop.cart.PlainHandler":      `"inherited"`,
		"shop.cart.called":            `"called"`,
		"shop.cart.decorated":         `"decorated"`,
		"shop.support.Shared":         `"inherited"`,
	},
	"node": {
		"Any::Name":                      `"named"`,
		"Renamed::Handler":               `"renamed"`,
		"shop.alone":                     `"alone"`,
		"shop.cart":                      `"module"`,
		"shop.cart.ConfiguredHandler":    `{"config":{"k":1}}`,
		"shop.cart.PlainHandler":         `"inherited"`,
		"shop.cart.decorated":            `"decorated"`,
		"shop.exported_class.ChargeCard": `"charged"`,
		"shop.module":                    `"function"`,
		"shop.module.extra":              `"extra"`,
	},
}

// What the files of testdata/broken are reported as: file and class.
var brokenFiles = map[string][]string{ //nolint:gochecknoglobals // a table
	"ruby": {
		"b_again.rb Tasker::DuplicateHandler",
		"c_syntax.rb SyntaxError",
		"d_raises.rb KeyError",
		"e_exits.rb SystemExit",
	},
	"python": {
		"b_again.py Tasker::DuplicateHandler",
		"c_syntax.py SyntaxError",
		"d_raises.py KeyError",
		"e_exits.py SystemExit",
		"queue.py Tasker::NameTaken",
	},
	"node": {
		"b_again.js Tasker::DuplicateHandler",
		"c_syntax.js SyntaxError",
		"c_syntax_module.mjs SyntaxError",
		"d_raises.js RangeError",
		"e_exits.js SystemExit",
	},
}

func summaries(errors []loadError) []string {
	var all []string
	for _, e := range errors {
		all = append(all, e.File+" "+e.Class)
	}
	return all
}

func namingRules() []rule {
	return []rule{
		{name: "H20 handlers are named by the conventions and each name runs", check: followsTheConventions},
		{name: "H21 a name is never resolved beyond what was loaded", check: resolvesOnlyWhatWasLoaded},
	}
}

func followsTheConventions(t T, lang language) {
	p := startHost(t, lang)
	r := p.initialize(initialization(lang.requireRoot(t, "conventions"), nil))
	if len(r.LoadErrors) > 0 {
		t.Fatalf("load errors: %+v", r.LoadErrors)
	}
	got := map[string]string{}
	for _, h := range r.Handlers {
		params := execution("x-"+h.Name, h.Name, object{}, object{"k": 1})
		got[h.Name] = success(t, decode[outcome](t, p.call("step.execute", params)))
	}
	if want := conventions[lang.name]; !maps.Equal(want, got) {
		t.Errorf("names and results\n%v, want\n%v", got, want)
	}
}

func resolvesOnlyWhatWasLoaded(t T, lang language) {
	p := startReady(t, lang, nil)
	names := []string{
		"", "Object", "Kernel", "String", "File", "os.system", "__proto__", "constructor", "toString",
		"../../etc/passwd", "/etc/passwd", "Fixtures", "fixtures", "Fixtures::Echo ", "Fixtures::Echo\x00", "::Fixtures::Echo",
		"Tasker::StepHandler::Base",
	}
	for _, name := range names {
		answer := p.call("step.execute", execution("x", name, object{}, nil))
		if answer.Error == nil || !slices.Contains([]int{-32003, -32602}, answer.Error.Code) {
			t.Errorf("%q: %+v", name, answer)
		}
	}
	p.mustEcho()
}
