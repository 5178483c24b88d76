package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

type doctorCommand struct {
	As               string        `help:"With --role: which of tasker_worker, tasker_client, tasker_operator and tasker_read it is to be; those that it is a member of otherwise."`
	FailOnFindings   bool          `help:"Exit with 1 when there are findings."`
	JSON             bool          `help:"Print JSON."                          name:"json"`
	OlderThan        time.Duration `default:"10m"                               help:"With --release-abandoned: how long a step must have been in progress without a worker."`
	ReleaseAbandoned bool          `help:"Take back steps that are in progress without a worker, as dead processes of the Rails engine leave them, and look at nothing else."`
	Role             string        `help:"Say what a role of the database has too much or too little, and look at nothing else."`
	Rows             int           `default:"500"                               help:"Rows to measure each index with; 0 measures none."`
}

// Help implements kong's extension.
func (doctorCommand) Help() string {
	return `Looks for what is slow or wrong in the database, and says what it costs and what to do. It changes nothing: what
an index costs is measured on empty copies of the tables, in a transaction that is rolled back. That takes some
seconds, and the right to create a schema. For example:

    tasker-worker doctor
    tasker-worker doctor --json | jq -r '.findings[] | select(.kind == "redundant_index") | .statements[]'

With --release-abandoned it does change something: steps that are in progress without a worker for longer than --older-than are
tried again, and the attempt counts. Be sure that the Rails processes that ran them are gone.

With --role it says what a role may do beyond what it needs, and what it lacks: 'doctor --role app --as tasker_client'.

Exits with 0 whatever is found, unless --fail-on-findings is given.`
}

// Run prints the findings.
func (cmd doctorCommand) Run(ctx context.Context, s streams) error {
	return withDatabase(ctx, func(c config, pool *pgxpool.Pool) error {
		if cmd.ReleaseAbandoned {
			return cmd.release(ctx, s, sql.NewStore(pool))
		}
		diagnosis, err := cmd.diagnose(ctx, c, pool)
		if err != nil {
			return err
		}
		if cmd.JSON {
			err = printJSON(s.out, diagnosis)
		} else {
			err = printDiagnosis(s.out, diagnosis)
		}
		if err == nil && cmd.FailOnFindings && len(diagnosis.Findings) > 0 {
			return exitError(exitFailure)
		}
		return err
	})
}

func (cmd doctorCommand) diagnose(ctx context.Context, c config, pool *pgxpool.Pool) (sql.Diagnosis, error) {
	if cmd.Role != "" {
		return sql.DiagnoseRole(ctx, pool, cmd.Role, sql.Role(cmd.As))
	}
	diagnosis, err := sql.Diagnose(ctx, pool, sql.DiagnoseOptions{Rows: cmd.Rows, Templates: ownTemplates(c)})
	var files []sql.Finding
	for _, file := range exposedFiles(c) {
		files = append(files, file.finding())
	}
	diagnosis.Findings = append(files, diagnosis.Findings...)
	return diagnosis, err
}

// ownTemplates are the templates of the folder that can be read; none where there is no folder, as on another machine than a
// worker's.
func ownTemplates(c config) []*templates.Template {
	all, err := loadServable(c)
	if err != nil {
		return nil
	}
	return all.Templates
}

// release takes back what no worker holds, and says what that was.
func (cmd doctorCommand) release(ctx context.Context, s streams, store *sql.Store) error {
	if cmd.OlderThan < 0 {
		return setupError{fmt.Errorf("--older-than is %s; it must not be negative", cmd.OlderThan)}
	}
	released, err := store.ReleaseAbandoned(ctx, cmd.OlderThan)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return printJSON(s.out, map[string]any{"released": orEmpty(released)})
	}
	for _, step := range released {
		fmt.Fprintf(s.out, "task %d: step %s, in progress since %s UTC, was taken back\n",
			step.TaskID, printable(step.Name), step.Since.UTC().Format(time.DateTime))
	}
	_, err = fmt.Fprintln(s.out, plural(len(released), "step")+" taken back")
	return err
}

// printDiagnosis prints a paragraph for each finding.
func printDiagnosis(w io.Writer, d sql.Diagnosis) error {
	var text strings.Builder
	for _, finding := range d.Findings {
		fmt.Fprintf(&text, "%s\n  costs  %s\n  do     %s\n", printable(finding.What), printable(finding.Costs), printable(finding.Do))
		for _, statement := range finding.Statements {
			fmt.Fprintf(&text, "         %s\n", printable(statement))
		}
		text.WriteString("\n")
	}
	for _, total := range d.Totals {
		if line := totalLine(total); line != "" {
			text.WriteString(line + "\n")
		}
	}
	for _, reason := range d.LeftOut {
		fmt.Fprintf(&text, "left out: %s\n", printable(reason))
	}
	if len(d.Findings) == 0 {
		text.WriteString("no findings\n")
	} else {
		text.WriteString(plural(len(d.Findings), "finding") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// totalLine says what dropping the indexes saves; nothing when there are none.
func totalLine(total sql.IndexTotal) string {
	if total.Indexes == 0 {
		return ""
	}
	costs := make([]string, len(total.Costs))
	for i, cost := range total.Costs {
		costs[i] = cost.String()
	}
	which := map[string]string{
		sql.FindingRedundantIndex: "every redundant index", sql.FindingOptionalIndex: "every redundant and every optional index",
	}[total.Kind]
	return fmt.Sprintf("dropping %s (%d) saves %d MB on disk; %s", which, total.Indexes, total.Bytes>>20, strings.Join(costs, "; "))
}
