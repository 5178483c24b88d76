package sql

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/templates"
)

// Kinds of findings.
const (
	// FindingAbandonedSteps is steps that are in progress although no worker holds them.
	FindingAbandonedSteps = "abandoned_steps"
	// FindingChangedTemplate is a template that the database has otherwise than the files say.
	FindingChangedTemplate = "changed_template"
	// FindingDeadRows is a table that autovacuum does not keep up with.
	FindingDeadRows = "dead_rows"
	// FindingExposedFile is a file or folder of the worker that others can write, or a secret that they can read.
	FindingExposedFile = "exposed_file"
	// FindingFillFactor is a table whose pages leave updates no room.
	FindingFillFactor = "fill_factor"
	// FindingMissingIndex is an index that is not there and that statements of the worker need.
	FindingMissingIndex = "missing_index"
	// FindingNoWorker is open tasks without a worker.
	FindingNoWorker = "no_worker"
	// FindingOptionalIndex is an index that only the application's own queries may need.
	FindingOptionalIndex = "optional_index"
	// FindingPlaintext is a connection to another machine without TLS.
	FindingPlaintext = "plaintext_connection"
	// FindingRedundantIndex is an index that others make useless.
	FindingRedundantIndex = "redundant_index"
	// FindingRepairedFlags is steps whose flags another writer had left otherwise than their transitions say.
	FindingRepairedFlags = "repaired_flags"
	// FindingRoleExcess is a role that has more privileges than it needs, and FindingRoleLack one that has fewer.
	FindingRoleExcess = "role_excess"
	FindingRoleLack   = "role_lack"
	// FindingSetting is a setting of the server that is dangerous or slow for this work.
	FindingSetting = "setting"
	// FindingSilentWorker is a worker whose lease ran out and that was not reaped.
	FindingSilentWorker = "silent_worker"
	// FindingUnserved is open tasks with steps whose handler no live worker serves, and FindingUnworked those whose queue none of
	// them works.
	FindingUnserved = "unserved_handler"
	FindingUnworked = "unworked_queue"
	// FindingUnknownTemplate is open tasks whose template no worker has synced.
	FindingUnknownTemplate = "unknown_template"
)

// Finding is one thing that is slow or wrong in a database.
type Finding struct {
	// Kind is one of the constants.
	Kind string `json:"kind"`
	// Object is what it is about, as SQL names it; empty when that is no object of the database.
	Object string `json:"object"`
	// What is wrong, what it Costs, and what to Do about it, each a sentence or two.
	What  string `json:"what"`
	Costs string `json:"costs"`
	Do    string `json:"do"`
	// Statements are the SQL for it, if that is what has to be done.
	Statements []string `json:"statements"`
	// Index has the figures of a finding about an index.
	Index *IndexFigures `json:"index,omitempty"`
}

// DiagnoseOptions say how closely to look.
type DiagnoseOptions struct {
	// Rows is how many rows each index is measured with. Default: none is measured.
	Rows int
	// Templates are those of the files, to be compared with the database's.
	Templates []*templates.Template
}

// Diagnosis is all that [Diagnose] has to say.
type Diagnosis struct {
	Findings []Finding `json:"findings"`
	// Totals are of the findings about indexes, when those were measured.
	Totals []IndexTotal `json:"index_totals"`
	// LeftOut says which looks were not taken, and why.
	LeftOut []string `json:"left_out"`
}

// check is one look at the database.
type check struct {
	name string
	run  func(context.Context, *pgxpool.Pool) ([]Finding, error)
}

// Diagnose looks for what is slow or wrong. It changes nothing: indexes are measured on empty copies of their tables, in
// a transaction that is rolled back. A look that the role may not take is left out, and the diagnosis says so.
func Diagnose(ctx context.Context, pool *pgxpool.Pool, opts DiagnoseOptions) (Diagnosis, error) {
	d := Diagnosis{Findings: []Finding{}, Totals: []IndexTotal{}, LeftOut: []string{}}
	for _, c := range []check{
		{"transport", plaintextConnection},
		{"workers", silentWorkers},
		{"abandoned steps", abandonedSteps},
		{"repaired steps", repairedSteps},
		{"waiting tasks", waitingTasks},
		{"handlers that nobody serves", unservedSteps},
		{"templates", changedTemplates(opts.Templates)},
		{"settings", dangerousSettings},
		{"vacuum", deadRows},
		{"fill factor", fillFactor},
	} {
		found, err := c.run(ctx, pool)
		if err = d.leaveOut(c.name, err); err != nil {
			return d, err
		}
		d.Findings = append(d.Findings, found...)
	}
	missing, indexes, err := lookAtIndexes(ctx, pool)
	if err = d.leaveOut("indexes", err); err != nil {
		return d, err
	}
	d.Findings = append(d.Findings, missing...)
	if opts.Rows > 0 && len(indexes) > 0 {
		d.Totals, err = measureIndexes(ctx, pool, indexes, opts.Rows)
		if err = d.leaveOut("the cost of indexes", err); err != nil {
			return d, err
		}
	}
	for _, index := range indexes {
		d.Findings = append(d.Findings, index.finding())
	}
	return d, nil
}

// leaveOut notes what the database refuses to do. Other errors end the diagnosis.
func (d *Diagnosis) leaveOut(name string, err error) error {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && leftOut(refusal.Code) {
		d.LeftOut = append(d.LeftOut, fmt.Sprintf("%s: %s (SQLSTATE %s)", name, refusal.Message, refusal.Code))
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at %s: %w", name, err)
	}
	return nil
}

// leftOut says which refusals are about the role or this database, and not about the connection: missing rights, a
// server that only reads, a table with columns of the application's own, a lock of another session, a syntax that the
// server is too old for.
func leftOut(code string) bool {
	switch code[:2] {
	case "22", "23", "25", "42", "55", "57":
		return code != adminShutdown && code != crashShutdown
	default:
		return false
	}
}

// SQLSTATEs of a server that goes away.
const (
	adminShutdown = "57P01"
	crashShutdown = "57P02"
)
