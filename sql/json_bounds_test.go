package sql_test

import (
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

// SQL and Go each have the rule: one for what is inserted by whomever, one for what comes as text.
func TestSQLAndGoRefuseTheSameContexts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nested := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	for _, document := range []string{
		`{"a": 1}`, `{"a": 1e308}`, `{"a": 1e309}`, `{"a": -1e400}`, `{"a": 1.7976931348623157e308}`, `{"a": 1.7976931348623159e308}`,
		`{"a": 5e-324}`, `{"a": 2.4e-324}`, `{"a": 0e999}`, `{"a": 0.0}`, `{"a": 1e131071}`,
		`{"a": ` + strings.Repeat("9", 308) + `}`, `{"a": ` + strings.Repeat("9", 309) + `}`, `{"a": ` + strings.Repeat("9", 5000) + `}`,
		`{"a": 0.` + strings.Repeat("3", 399) + `}`, `{"a": 0.` + strings.Repeat("3", 400) + `}`, `{"a": -0.` + strings.Repeat("3", 399) + `}`,
		`{"a": ` + strings.Repeat("9", 200) + `.` + strings.Repeat("9", 200) + `}`,
		`{"a": ` + strings.Repeat("9", 200) + `.` + strings.Repeat("9", 201) + `}`,
		`{"a": ` + strings.Repeat("9", 250) + `e-450}`, `{"a": 1` + strings.Repeat("0", 300) + `e8}`, `{"a": 1` + strings.Repeat("0", 300) + `e9}`,
		`{"a": "` + strings.Repeat("9", 5000) + `"}`, `{"` + strings.Repeat("9", 500) + `": 1}`,
		`{"items": [0, "x", {"b": null}, {"price": 1e400}]}`, `{"two words": {"": [1e400]}, "c": 1}`, `{"\u00e9": 1e400}`,
		`{"a": ` + nested(63) + `}`, `{"a": ` + nested(64) + `}`, `{"a": [1, ` + nested(3000) + `]}`,
	} {
		var inSQL *string
		if err := b.pool.QueryRow(t.Context(), `SELECT tasker.json_fault($1::jsonb)`, document).Scan(&inSQL); err != nil {
			t.Fatalf("%.80s: %v", document, err)
		}
		var stored string
		if err := b.pool.QueryRow(t.Context(), `SELECT $1::jsonb::text`, document).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		said := func(err error) string {
			if err == nil {
				return ""
			}
			return err.Error()
		}
		want := ""
		if inSQL != nil {
			want = *inSQL
		}
		for what, err := range map[string]error{
			"as written": engine.CheckContext([]byte(document)), "as stored": engine.CheckContext([]byte(stored)),
			"from the database": engine.CheckReadable([]byte(stored)),
		} {
			if said(err) != want {
				t.Errorf("%.80s: SQL says %q, Go %q of it %s", document, want, said(err), what)
			}
		}
	}
}

// The bound is on what PostgreSQL makes of the text, so that nothing passes the one and fails the other.
func TestSQLAndGoCountTheSameBytesOfAContext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, document := range []string{
		`1`, `[1,2,[],{}]`, "{ \"a\" :\t1 , \n\r\"b\":[ true ,false,null]}", `"\u0041\u00e9\u20ac\ud83d\ude00é€😀"`,
		`"\"\\\/\b\f\n\r\t\u0008\u000c\u000a\u000d\u0009\u0022\u005c\u002f\u0001\u001f\u007f"`,
		`[1.50,-1.5e3,1e20,1E-20,-12.5e1,0.001e2,100e-2,0e5,0.00e1,12345678901234567890]`,
		`[1.7976931348623157e308,-5e-324,` + strings.Repeat("9", 300) + `.5]`,
	} {
		var size int
		if err := b.pool.QueryRow(t.Context(), `SELECT octet_length(jsonb_build_object('pad', '', 'v', $1::jsonb)::text)`, document).Scan(&size); err != nil {
			t.Fatal(err)
		}
		for more := range 2 {
			context := `{"pad": "` + strings.Repeat("x", engine.ContextBytesMax-size+more) + `", "v": ` + document + `}`
			inGo := engine.CheckContext([]byte(context))
			_, inSQL := b.pool.Exec(t.Context(), `SELECT tasker.check_context($1::jsonb)`, context)
			if (inGo == nil) != (more == 0) || (inSQL == nil) != (more == 0) {
				t.Errorf("%.80s with %d bytes more than fit: Go says %v, SQL %v", document, more, inGo, inSQL)
			}
		}
	}
}
