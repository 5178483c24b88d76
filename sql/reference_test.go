package sql

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/sql.md anew")

const referenceFile = "../docs/sql.md"

const referenceHead = `# SQL

What an app, a script or a person may call and read. All of it is in the schema ` + "`tasker`" + `, runs in the caller's own transaction, and takes
effect when that commits. Functions and columns that are not on this page may change with any version. The functions below are made from
their files in [sql/functions](../sql/functions).

## Creating tasks

` + "```sql" + `
SELECT tasker.create_task('ecommerce', 'process_order', '1.0.0', '{"cart_items": []}');
SELECT tasker.create_task('ecommerce', 'process_order', '1.0.0', '{"cart_items": []}', identity_key => 'order 4711');
SELECT * FROM tasker.create_tasks('ecommerce', 'process_order', '1.0.0', ARRAY['{"cart_items": []}', '{"cart_items": []}']::jsonb[]);
` + "```" + `

psql prints the lines of the function that refused after the error itself; ` + "`\\set SHOW_CONTEXT never`" + ` leaves them out.
`

const referenceLooking = `
## Looking

` + "```sql" + `
SELECT tasker.task_state(7);
SELECT name, current_state, readiness, attempts, due_at FROM tasker.step_readiness(7) ORDER BY workflow_step_id;
SELECT namespace, name, version, synced_at FROM tasker.templates;
SELECT name, version, heartbeat_at, handlers FROM tasker.workers;
` + "```" + `
`

const referenceOperating = `
## Changing by hand

Each of these takes the task's lock, records reason and by (the session's role unless given) in the transition, and does nothing when
it is called again. What the present state forbids is refused with object_not_in_prerequisite_state (55000) and changes nothing.
Workers hear of it when the caller's transaction commits.

` + "```sql" + `
SELECT tasker.cancel_task(7, reason => 'ordered twice', by => 'ann');
SELECT * FROM tasker.retry_task(7, attempts => 5);
SELECT tasker.resolve_step(12, '{"charge_id": "ch_1"}', 'charged by phone');
` + "```" + `
`

const referencePrivileges = `
## Privileges

A superuser, or the owner of the engine's tables, runs ` + "`tasker-worker migrate up`" + ` and then ` + "`tasker-worker migrate roles`" + `, which makes
the roles below. None logs in: make your own logins members of them. [security.md](security.md#roles) says what each is for.

` + "```sql" + `
CREATE ROLE worker LOGIN PASSWORD '…' IN ROLE tasker_worker;
CREATE ROLE app LOGIN PASSWORD '…' IN ROLE tasker_client;
CREATE ROLE ann LOGIN PASSWORD '…' IN ROLE tasker_operator;
CREATE ROLE reader LOGIN PASSWORD '…' IN ROLE tasker_read;
` + "```" + `

Nobody may call a function of schema ` + "`tasker`" + ` but its owner and whom it was granted to: ` + "`migrate up`" + ` takes EXECUTE from PUBLIC. The
owner of the engine's tables, and roles with USAGE on schema ` + "`tasker`" + ` and rights of their own on ` + "`public.tasker_tasks`" + `, are given it: they
gain nothing that these rights do not give them. ` + "`migrate up`" + ` says whom it gave it to. ` + "`tasker-worker run`" + ` says at its start which of
a worker's privileges are missing, and ` + "`tasker-worker doctor --role app`" + ` what any role has too much or too little.

This is all that the roles have, from [grants.tsv](../sql/roles/grants.tsv). ` + "`*`" + ` is all of the kind in that schema, in ` + "`public`" + ` of the
engine's only; ` + "`looking`" + ` are the functions that read and run with the caller's own rights.

`

// TestReferenceIsCurrent holds docs/sql.md against the functions' files and the privileges that are checked.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	want := referenceHead
	for _, name := range []string{"create_task", "create_tasks"} {
		want += describe(t, name)
	}
	want += referenceLooking
	for _, name := range []string{"my_tasks", "my_steps", "task_state", "step_readiness", "ready_steps", "ready_steps_batch", "dependency_levels"} {
		want += describe(t, name)
	}
	want += referenceOperating
	for _, name := range []string{"cancel_task", "retry_task", "cancel_step", "retry_step", "run_now", "resolve_step", "skip_step", "step_state"} {
		want += describe(t, name)
	}
	want += referencePrivileges + grantsTable(t)
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/sql.md is not made from sql/functions; run go test ./sql -run TestReferenceIsCurrent -update (-want +got):\n%s", diff)
	}
}

// describe is the signature of a function and the comment above it.
func describe(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("functions/*/" + name + ".sql")
	if err != nil || len(found) != 1 {
		t.Fatalf("%d files of the function %s: %v", len(found), name, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(data), "\nLANGUAGE ")
	comment, signature, _ := strings.Cut(head, "CREATE OR REPLACE FUNCTION ")
	contract := readContract(t, name, comment)
	return fmt.Sprintf("\n### tasker.%s\n\n```sql\n%s\n```\n%s\n- **Rows**: %s\n- **Locks**: %s\n- **Errors**: %s\n",
		name, signature, contract.meaning, contract.rows, contract.locks, contract.errors)
}

// contract is what the comment above a public function states.
type contract struct{ meaning, rows, locks, errors string }

// readContract reads the comment: "tasker.name(arguments): what it does", which may have a list with indented lines, and then a
// paragraph each of rows, locks and errors. What follows an empty line is for those who change the function.
func readContract(t *testing.T, name, comment string) contract {
	t.Helper()
	comment, _, _ = strings.Cut(comment, "\n--\n")
	parts, part, listed := map[string]string{}, "meaning", false
	for line := range strings.Lines(comment) {
		line = strings.TrimRight(strings.TrimPrefix(line, "--"), "\n")
		item := strings.HasPrefix(line, "   ")
		line = strings.TrimSpace(line)
		for _, next := range []string{"Rows", "Locks", "Errors"} {
			if text, ok := strings.CutPrefix(line, next+": "); ok {
				part, line = next, text
			}
		}
		switch {
		case item:
			word, meaning, _ := strings.Cut(line, " ")
			parts[part] += fmt.Sprintf("\n- %#q: %s", word, strings.TrimSpace(meaning))
		case listed:
			parts[part] += "\n\n" + line
		default:
			parts[part] = strings.TrimSpace(parts[part] + " " + line)
		}
		listed = item
	}
	_, meaning, _ := strings.Cut(parts["meaning"], "): ")
	if !strings.HasPrefix(meaning, "tasker.") {
		meaning = strings.ToUpper(meaning[:1]) + meaning[1:]
	}
	all := contract{"\n" + meaning + "\n", parts["Rows"], parts["Locks"], parts["Errors"]}
	if all.rows == "" || all.locks == "" || all.errors == "" {
		t.Errorf("the comment above tasker.%s does not state its rows, locks and errors: %+v", name, all)
	}
	all.meaning = strings.ReplaceAll(wrap(all.meaning), "\n\n\n", "\n\n")
	all.rows, all.locks, all.errors = wrapItem(all.rows), wrapItem(all.locks), wrapItem(all.errors)
	return all
}

// wrap breaks paragraphs into lines of at most 100 columns.
func wrap(text string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		out = append(out, strings.Join(breakAt(line, 100), "\n"))
	}
	return strings.Join(out, "\n")
}

// wrapItem does so for an item of a list.
func wrapItem(text string) string { return strings.Join(breakAt(text, 86), "\n  ") }

func breakAt(line string, columns int) (lines []string) {
	current := ""
	for word := range strings.FieldsSeq(line) {
		if current != "" && len(current)+1+len(word) > columns {
			lines, current = append(lines, current), ""
		}
		current = strings.TrimSpace(current + " " + word)
	}
	return append(lines, current)
}

// grantsTable is roles/grants.tsv as Markdown.
func grantsTable(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("roles/grants.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		text.WriteString("| " + strings.ReplaceAll(line, "\t", " | ") + " |\n")
		if i == 0 {
			text.WriteString("|---|---|---|---|\n")
		}
	}
	return text.String()
}
