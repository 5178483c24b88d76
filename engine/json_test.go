package engine_test

import (
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	for name, row := range map[string]struct {
		document string
		fault    string // empty: acceptable
	}{
		"object":                      {`{"a": [1, -2.5e10, "x", true, null]}`, ""},
		"scalar":                      {`"text"`, ""},
		"integer beyond 2^53":         {`9007199254740993`, ""},
		"emoji as a surrogate pair":   {`"\ud83d\ude00"`, ""},
		"escaped backslash then u":    {`"\\u0000"`, ""},
		"deepest":                     {nested(64), ""},
		"brackets inside a string":    {`"` + strings.Repeat("[", 100) + `"`, ""},
		"digits inside a string":      {`"1e9999"`, ""},
		"largest exponent":            {`1e308`, ""},
		"too deep":                    {nested(65), "deeper than 64"},
		"U+0000":                      {`"a\u0000b"`, `\u0000`},
		"high surrogate alone":        {`"\ud83d x"`, "lone surrogate"},
		"high surrogate at the end":   {`"\ud83d"`, "lone surrogate"},
		"low surrogate alone":         {`"\ude00"`, "lone surrogate"},
		"largest double":              {`1.7976931348623157e308`, ""},
		"largest double, written out": {`-17976931348623157` + strings.Repeat("0", 292), ""},
		"smallest double":             {`5e-324`, ""},
		"zero with any exponent":      {`0e999`, ""},
		"most digits":                 {`0.` + strings.Repeat("3", 399), ""},
		"beyond a double":             {`2e308`, "$ is a number beyond"},
		"exponent that would expand":  {`1e131071`, "beyond"},
		"exponent beyond integers":    {`1e99999999999999999999`, "beyond"},
		"exponent below integers":     {`1e-99999999999999999999`, "closer to zero"},
		"zero beyond numeric":         {`0e-99999`, "a zero with an exponent"},
		"negative exponent":           {`1e-400`, "closer to zero"},
		"endless digits":              {strings.Repeat("9", 5000), "beyond"},
		"endless decimals":            {`0.` + strings.Repeat("3", 400), "401 digits, more than the 400"},
		"exponent that adds decimals": {strings.Repeat("9", 250) + `e-450`, "451 digits"},
		"path": {
			`{"a": "x:,{", "items": [0, {}, [1], {"b": 1, "price": 1e400}]}`, "$.items[3].price is a number",
		},
		"path with a quoted key": {`{"two words": [{"": 1e400}]}`, `$["two words"][0][""] is a number`},
		"key with U+0000":        {`{"a": {"b": 1, "\u0000": 2}}`, `a key of $.a holds the character \u0000`},
		"two values":             {`{} {}`, "invalid JSON"},
		"nothing":                {``, "invalid JSON"},
		"NaN":                    {`NaN`, "invalid JSON"},
		"half an object":         {`{"a":`, "invalid JSON"},
		"not UTF-8":              {"\"\xff\"", "UTF-8"},
		"too large":              {`"` + strings.Repeat("x", 1<<20) + `"`, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := engine.CheckJSON([]byte(row.document), engine.ResultBytesMax)
			switch {
			case row.fault == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.fault != "" && (err == nil || !strings.Contains(err.Error(), row.fault)):
				t.Errorf("got %v, want an error with %q", err, row.fault)
			}
		})
	}
}

func FuzzCheckJSON(f *testing.F) {
	f.Add([]byte(`{"a": ["\ud83d\ude00", 1e5, {}]}`))
	f.Add([]byte(`"\ud83d`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = engine.CheckJSON(data, engine.ResultBytesMax) // must not panic
		if engine.CheckContext(data) == nil {
			_ = engine.CheckUniqueKeys(data)
		}
	})
}

func TestCheckContext(t *testing.T) {
	t.Parallel()
	text := func(n int) string { return `{"t": "` + strings.Repeat("x", n-len(`{"t": ""}`)) + `"}` }
	for name, row := range map[string]struct {
		document string
		fault    string // empty: acceptable
	}{
		"largest": {text(engine.ContextBytesMax), ""},
		"one byte more": {
			text(engine.ContextBytesMax + 1), "JSON has 262145 bytes, more than the 262144 allowed",
		},
		"blanks that jsonb leaves out":  {`{"t": ` + strings.Repeat(" ", engine.ContextBytesMax) + `1}`, ""},
		"escapes that jsonb leaves out": {`{"t": "` + strings.Repeat(`\u0041\/`, 40_000) + `"}`, ""},
		"blanks that jsonb adds":        {`[` + strings.Repeat("1,", 130_000) + `1]`, "390003 bytes"},
		"numbers that jsonb writes out": {`[` + strings.Repeat("1e308,", 1000) + `1]`, "311003 bytes"},
		"the same key again":            {`{"a": 1, "a": 2}`, ""},
		"what CheckJSON refuses":        {`{"a": 1e400}`, "$.a is a number beyond"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := engine.CheckContext([]byte(row.document))
			switch {
			case row.fault == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.fault != "" && (err == nil || !strings.Contains(err.Error(), row.fault)):
				t.Errorf("got %v, want an error with %q", err, row.fault)
			}
		})
	}
}

func TestCheckUniqueKeys(t *testing.T) {
	t.Parallel()
	for document, fault := range map[string]string{
		`{"a": {"a": [{"a": 1}, {"a": 2}]}, "b": {"a": 1}, "c": "a"}`: "",
		`["a", "a", {"a": "a"}]`:                        "",
		`{"a": 1, "b": [1, {"x": 1, "y": {}, "x": 2}]}`: `a key of $.b[1] is there twice: "x"`,
		`{"a": 1, "\u0061": 2}`:                         `a key of $ is there twice`,
		`{"a": [{"b": 1}], "a": 2}`:                     `a key of $ is there twice: "a"`,
	} {
		err := engine.CheckUniqueKeys([]byte(document))
		if fault == "" && err != nil || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
			t.Errorf("%s: got %v, want %q", document, err, fault)
		}
	}
}
