package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

// Everything that comes in has a bound, and what is larger leaves nothing behind. SQL has the bounds of Go.
func TestWhatComesInHasABound(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	task := b.create("diamond")
	resolve := fmt.Sprintf(`SELECT tasker.resolve_step(%d, $1::text::jsonb)`, b.step(task, "top").StepID)
	cancel := fmt.Sprintf(`SELECT tasker.cancel_step(%d, `, b.step(task, "left").StepID)
	cancelOther := fmt.Sprintf(`SELECT tasker.cancel_step(%d, `, b.step(task, "right").StepID)
	array := func(bytes int) string { return `["` + strings.Repeat("x", bytes-len(`[""]`)) + `"]` }
	const create = `SELECT tasker.create_task('test', 'diamond', '1.0.0', '{}', `
	const template = `SELECT tasker.put_template('test', 'large', '1.0.0', '', 'd', false, `
	for name, row := range map[string]struct {
		statement string
		// arg makes the argument of the statement, of so many bytes or characters.
		arg  func(size int) string
		most int
		want string
	}{
		"tags":               {create + `tags => $1::text::jsonb)`, array, engine.TagsBytesMax, "tags has %d bytes, more than the %d allowed"},
		"bypass_steps":       {create + `bypass_steps => $1::text::jsonb)`, array, engine.TagsBytesMax, "bypass_steps has %d bytes, more than the %d allowed"},
		"initiator":          {create + `initiator => $1)`, text, engine.TextCharactersMax, "at most 128 characters"},
		"source_system":      {create + `source_system => $1)`, text, engine.TextCharactersMax, "at most 128 characters"},
		"reason":             {create + `reason => $1)`, text, engine.TextCharactersMax, "at most 128 characters"},
		"template":           {template + `$1::text::jsonb, '[]')`, array, 8 << 20, "has %d bytes as JSON, more than the %d allowed"},
		"template steps":     {template + `'{}', $1::text::jsonb)`, array, 8 << 20, "has %d bytes as JSON, more than the %d allowed"},
		"result":             {resolve, array, engine.ResultBytesMax, "result has %d bytes, more than the %d allowed"},
		"operation's reason": {cancel + `reason => $1)`, text, 1000, "reason has %d characters, more than the %d allowed"},
		"operation's by":     {cancelOther + `by => $1)`, text, 128, "by has %d characters, more than the %d allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := row.want
			if strings.Contains(want, "%d") {
				want = fmt.Sprintf(want, row.most+1, row.most)
			}
			if _, err := b.pool.Exec(t.Context(), row.statement, row.arg(row.most+1)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("one more than fits: error is %.300v, want %s", err, want)
			} else if !strings.Contains(err.Error(), "22023") {
				t.Errorf("error is %.300v, want SQLSTATE 22023", err)
			}
			// What fits is refused for its content at most: no step of the template has this name.
			if _, err := b.pool.Exec(t.Context(), row.statement, row.arg(row.most)); err != nil && strings.Contains(err.Error(), "allowed") {
				t.Errorf("what fits: error is %.300v", err)
			}
		})
	}
}

func text(characters int) string { return strings.Repeat("é", characters) }

// Rows of other programs may be larger than what this one takes, up to a bound.
func TestContextOfAnotherProgramHasABound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	document := `{"a": "` + strings.Repeat("x", engine.StoredBytesMax) + `"}`
	want := fmt.Sprintf("$ has %d bytes, more than the %d allowed", len(document), engine.StoredBytesMax)
	if got := queryAll[string](b, `SELECT tasker.json_fault($1::text::jsonb)`, document)[0]; got != want {
		t.Errorf("SQL says %s, want %s", got, want)
	}
	if err := engine.CheckReadable([]byte(document)); err == nil || err.Error() != want {
		t.Errorf("Go says %v, want %s", err, want)
	}
	if got := queryAll[*string](b, `SELECT tasker.json_fault($1::text::jsonb)`, `{"a": "`+strings.Repeat("x", engine.StoredBytesMax-100)+`"}`)[0]; got != nil {
		t.Errorf("what fits: SQL says %s", *got)
	}
}
