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
		"object":                     {`{"a": [1, -2.5e10, "x", true, null]}`, ""},
		"scalar":                     {`"text"`, ""},
		"integer beyond 2^53":        {`9007199254740993`, ""},
		"emoji as a surrogate pair":  {`"\ud83d\ude00"`, ""},
		"escaped backslash then u":   {`"\\u0000"`, ""},
		"deepest":                    {nested(64), ""},
		"brackets inside a string":   {`"` + strings.Repeat("[", 100) + `"`, ""},
		"digits inside a string":     {`"1e9999"`, ""},
		"largest exponent":           {`1e308`, ""},
		"too deep":                   {nested(65), "deeper than 64"},
		"U+0000":                     {`"a\u0000b"`, `\u0000`},
		"high surrogate alone":       {`"\ud83d x"`, "lone surrogate"},
		"high surrogate at the end":  {`"\ud83d"`, "lone surrogate"},
		"low surrogate alone":        {`"\ude00"`, "lone surrogate"},
		"exponent that would expand": {`1e131071`, "beyond"},
		"negative exponent":          {`1e-400`, "beyond"},
		"endless digits":             {strings.Repeat("9", 400), "400 digits"},
		"two values":                 {`{} {}`, "invalid JSON"},
		"nothing":                    {``, "invalid JSON"},
		"NaN":                        {`NaN`, "invalid JSON"},
		"half an object":             {`{"a":`, "invalid JSON"},
		"not UTF-8":                  {"\"\xff\"", "UTF-8"},
		"too large":                  {`"` + strings.Repeat("x", 1<<20) + `"`, "more than"},
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
	})
}
