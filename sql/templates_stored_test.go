package sql_test

import (
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

func TestRowsThatAreNotWhatWasSyncedAreWrittenAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	template, _, err := templates.Parse("test.yaml", []byte(diamondYAML), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := []*templates.Template{template}
	for statement, want := range map[string]string{
		`UPDATE tasker.template_steps SET handler = 'command:sh' WHERE name = 'top'`:                                                            "step top: handler: command:sh -> H",
		`UPDATE tasker.template_steps SET config = '{"command": ["sh"]}' WHERE name = 'left'`:                                                   `step left: config: {"command": ["sh"]} -> `,
		`UPDATE tasker.template_steps SET config = '{"weight": 2}' WHERE name = 'right'`:                                                        "step right: config: ",
		`UPDATE tasker.template_steps SET parents = '{}' WHERE name = 'bottom'`:                                                                 "step bottom: parents: {} -> {2,3}",
		`UPDATE tasker.template_steps SET timeout_ms = 0 WHERE name = 'right'`:                                                                  "step right: timeout_ms, queue, priority: 0, ",
		`UPDATE tasker.template_steps SET queue = 'mine' WHERE name = 'right'`:                                                                  "5000, mine, 2 -> 5000, default, 2",
		`UPDATE tasker.template_steps SET retry_limit = 1000000 WHERE name = 'left'`:                                                            "t, 1000000, f -> t, 2, f",
		`UPDATE tasker.template_steps SET name = 'other' WHERE name = 'left'`:                                                                   "step other: name, named step, system: other, left, unknown -> left, unknown",
		`DELETE FROM tasker.template_steps WHERE name = 'bottom'`:                                                                               "step bottom: its row is missing",
		`UPDATE tasker.template_steps SET position = 9 WHERE name = 'bottom'`:                                                                   "step bottom: the file has no such step",
		`UPDATE tasker.templates SET has_schema = true`:                                                                                         "has_schema: true -> false",
		`UPDATE tasker.templates SET content = jsonb_set(content, '{queue}', '"mine"')`:                                                         `queue: "mine" -> "default"`,
		`UPDATE tasker.templates SET content = '[]'`:                                                                                            "reading a stored template",
		`UPDATE tasker.template_steps SET named_step_id = (SELECT max(named_step_id) + 1 FROM public.tasker_named_steps) WHERE name = 'bottom'`: "step bottom: name, named step, system: bottom, , ",
	} {
		b.exec(statement)
		report, refused, err := b.store.SyncPossibleTemplates(t.Context(), all, sql.ReplaceNever)
		if err != nil || refused != nil || len(report.Restored) != 1 || !strings.Contains(report.Restored[0], want) {
			t.Errorf("%s: %+v (%v, %v), want %q", statement, report, refused, err, want)
			continue
		}
		if report, err = b.store.SyncTemplates(t.Context(), all, false); err != nil || report.Unchanged != 1 {
			t.Errorf("%s: a second sync comes to %+v (%v)", statement, report, err)
		}
	}
}

// A stored template that nobody can read keeps no worker from its start, and one under another name comes back.
func TestStoredTemplateThatIsBrokenIsOneConflict(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	template, _, err := templates.Parse("test.yaml", []byte(diamondYAML), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := []*templates.Template{template}
	b.exec(`UPDATE tasker.templates SET content = '[]', digest = 'x'`)
	_, refused, err := b.store.SyncPossibleTemplates(t.Context(), all, sql.ReplaceNever)
	if err != nil || len(refused) != 1 || !strings.Contains(refused[0].Error(), "reading a stored template") {
		t.Errorf("syncing over what cannot be read: %v, %v", refused, err)
	}
	b.exec(`UPDATE tasker.templates SET name = 'renamed'`)
	for _, want := range []sql.SyncReport{{Added: 1}, {Unchanged: 1}} {
		report, err := b.store.SyncTemplates(t.Context(), all, false)
		if err != nil || report.Added != want.Added || report.Unchanged != want.Unchanged {
			t.Errorf("syncing what was renamed: %+v, %v; want %+v", report, err, want)
		}
	}
}
