package sql

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tasker-systems/tasker-worker/templates"
)

// TemplateConflictError is returned by [Store.SyncTemplates] when a template differs from the one of the same version
// in the database.
type TemplateConflictError struct {
	Namespace, Name, Version string
	// File is where the new template was read.
	File string
	// Differences say what changed, one line each, from the database's to the file's.
	Differences []string
	// Open says that it was not replaced because a task of it is open.
	Open bool
}

func (e *TemplateConflictError) Error() string {
	hint := "give the change a new version, or run `tasker-worker template sync --replace`"
	if e.Open {
		hint = "a task of it is open: let it end, give the change a new version, or use --replace"
	}
	return fmt.Sprintf("%s: template %s/%s@%s differs from the one in the database: %s (%s)",
		e.File, e.Namespace, e.Name, e.Version, strings.Join(e.Differences, "; "), hint)
}

// ReplaceRule says when a template may take the place of one of the same version that differs.
type ReplaceRule int

const (
	// ReplaceNever keeps what is in the database.
	ReplaceNever ReplaceRule = iota
	// ReplaceUnlessOpen replaces what no open task was made from.
	ReplaceUnlessOpen
	// ReplaceAlways replaces.
	ReplaceAlways
)

// SyncReport counts what a sync did.
type SyncReport struct {
	Added, Replaced, Unchanged int
	// Restored says, one line for each template, what in the database was not what had been synced, and is again.
	Restored []string
}

// syncLock is the advisory lock of a sync: two workers that start together take turns.
const syncLock = 0x7461736b_73796e63

// SyncTemplates writes templates to the database, all in one transaction. A template that is there with the same content
// is left alone. With another content it is replaced when replace is set; otherwise nothing at all is written and the
// error joins a [TemplateConflictError] for each.
func (s *Store) SyncTemplates(ctx context.Context, all []*templates.Template, replace bool) (SyncReport, error) {
	rule := ReplaceNever
	if replace {
		rule = ReplaceAlways
	}
	report, refused, err := s.syncTemplates(ctx, all, rule, true)
	return report, errors.Join(append(refused, err)...)
}

// SyncPossibleTemplates writes the templates that can be written. refused has an error for each of the others, a
// [TemplateConflictError] where another content may not be replaced; err is why nothing was written at all.
func (s *Store) SyncPossibleTemplates(ctx context.Context, all []*templates.Template, rule ReplaceRule) (report SyncReport, refused []error, err error) {
	return s.syncTemplates(ctx, all, rule, false)
}

// errNothingWritten ends the transaction of a sync of which all had to be written.
var errNothingWritten = errors.New("nothing is written")

func (s *Store) syncTemplates(ctx context.Context, all []*templates.Template, rule ReplaceRule, whole bool) (report SyncReport, refused []error, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		report, refused = SyncReport{}, nil
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(syncLock)); err != nil {
			return err
		}
		for _, t := range all {
			fault, err := syncTemplateAlone(ctx, tx, t, rule, &report)
			if err != nil {
				return err
			}
			if fault != nil {
				refused = append(refused, fault)
			}
		}
		if whole && len(refused) > 0 {
			return errNothingWritten
		}
		return nil
	})
	if errors.Is(err, errNothingWritten) {
		err = nil
	}
	if err == nil && report.Added+report.Replaced+len(report.Restored) > 0 {
		// So that sessions look templates up by their indexes, however small the table was when they planned.
		_, err = s.pool.Exec(ctx, `ANALYZE tasker.template_steps`)
	}
	return report, refused, err
}

// syncTemplateAlone writes one template. What the database says against it undoes that template alone, and is refused; err is a
// failure of the whole.
func syncTemplateAlone(ctx context.Context, tx pgx.Tx, t *templates.Template, rule ReplaceRule, report *SyncReport) (refused, err error) {
	before := *report
	err = pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error { return syncTemplate(ctx, savepoint, t, rule, report) })
	if err == nil {
		return nil, nil
	}
	*report = before
	if conflict, ok := errors.AsType[*TemplateConflictError](err); ok {
		return conflict, nil
	}
	err = fmt.Errorf("writing template %s/%s@%s: %w", t.Namespace, t.Name, t.Version, err)
	if said, ok := errors.AsType[*pgconn.PgError](err); ok && isAboutContent(said) {
		return fmt.Errorf("%s: %w", t.File, err), nil
	}
	return nil, err
}

// isAboutContent says whether the database refused what a statement held: data exceptions, constraints, what a function
// raised, and limits of the program. Another template may still be written.
func isAboutContent(e *pgconn.PgError) bool {
	return slices.Contains([]string{"22", "23", "54", "P0"}, e.Code[:min(2, len(e.Code))])
}

func syncTemplate(ctx context.Context, tx pgx.Tx, t *templates.Template, rule ReplaceRule, report *SyncReport) error {
	stored, err := readStored(ctx, tx, t)
	if errors.Is(err, pgx.ErrNoRows) {
		report.Added++
		return putTemplate(ctx, tx, t)
	}
	if err != nil {
		return err
	}
	if stored.digest == t.Digest() {
		return restoreTemplate(ctx, tx, t, stored, report)
	}
	open := false
	if rule == ReplaceUnlessOpen {
		if open, err = hasOpenTask(ctx, tx, stored.namedTask); err != nil {
			return err
		}
	}
	if rule == ReplaceNever || open {
		return templateConflict(t, stored.content, open)
	}
	report.Replaced++
	return putTemplate(ctx, tx, t)
}

// hasOpenTask says whether a task of a template may still run steps.
func hasOpenTask(ctx context.Context, q Querier, namedTask int32) (open bool, err error) {
	err = q.QueryRow(ctx, `
SELECT EXISTS (
    SELECT FROM public.tasker_tasks k
    WHERE k.named_task_id = $1 AND coalesce((
        SELECT t.to_state FROM public.tasker_task_transitions t WHERE t.task_id = k.task_id AND t.most_recent), 'pending') IN ('pending', 'in_progress'))`,
		namedTask).Scan(&open)
	return open, err
}

func templateConflict(t *templates.Template, content json.RawMessage, open bool) error {
	conflict := &TemplateConflictError{Namespace: t.Namespace, Name: t.Name, Version: t.Version, File: t.File, Open: open}
	old, err := templates.FromContent(content)
	if err != nil {
		conflict.Differences = []string{err.Error()}
		return conflict
	}
	conflict.Differences = old.Diff(t)
	return conflict
}

type templateStep struct {
	Name            string          `json:"name"`
	Description     string          `json:"description"`
	DependentSystem string          `json:"dependent_system"`
	Parents         []int           `json:"parents"`
	Handler         string          `json:"handler"`
	Config          json.RawMessage `json:"config"`
	TimeoutMs       int64           `json:"timeout_ms"`
	Queue           string          `json:"queue"`
	Priority        int             `json:"priority"`
	Retryable       bool            `json:"retryable"`
	RetryLimit      int             `json:"retry_limit"`
	Skippable       bool            `json:"skippable"`
	// Retry is the retry policy. Without one it is no member at all, so that the column is NULL.
	Retry *templates.RetryPolicy `json:"retry,omitempty"`
}

// stepsOf are the steps as tasker.put_template takes them.
func stepsOf(t *templates.Template) []templateStep {
	position := make(map[string]int, len(t.Steps))
	for i, step := range t.Steps {
		position[step.Name] = i + 1
	}
	steps := make([]templateStep, len(t.Steps))
	for i, step := range t.Steps {
		parents := make([]int, len(step.DependsOn))
		for j, parent := range step.DependsOn {
			parents[j] = position[parent]
		}
		steps[i] = templateStep{
			Name: step.Name, Description: step.Description, DependentSystem: step.DependentSystem, Parents: parents,
			Handler: step.Handler, Config: step.Config, TimeoutMs: step.Timeout.Milliseconds(), Queue: step.Queue, Priority: cmp.Or(t.Priority, templates.PriorityDefault),
			Retryable: step.Retryable, RetryLimit: step.RetryLimit, Skippable: step.Skippable, Retry: step.Retry,
		}
	}
	return steps
}

func putTemplate(ctx context.Context, tx pgx.Tx, t *templates.Template) error {
	_, err := tx.Exec(ctx, `SELECT tasker.put_template($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.Namespace, t.Name, t.Version, t.Description, t.Digest(), len(t.Schema) > 0, t.Content(), stepsOf(t))
	return err
}

// ErrUnknownTemplate is returned when no such template has been synced.
var ErrUnknownTemplate = errors.New("no such template has been synced to this database")

// Template reads a template as it was last synced.
func (s *Store) Template(ctx context.Context, q Querier, namespace, name, version string) (*templates.Template, error) {
	return template(ctx, q, `SELECT content FROM tasker.templates WHERE namespace = $1 AND name = $2 AND version = $3`,
		namespace, name, version)
}

// TemplateByID reads a template as it was last synced, by the id of its named task.
func (s *Store) TemplateByID(ctx context.Context, namedTask int32) (*templates.Template, error) {
	return template(ctx, s.pool, `SELECT content FROM tasker.templates WHERE named_task_id = $1`, namedTask)
}

func template(ctx context.Context, q Querier, query string, args ...any) (*templates.Template, error) {
	var content json.RawMessage
	err := q.QueryRow(ctx, query, args...).Scan(&content)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrUnknownTemplate
	}
	if err != nil {
		return nil, err
	}
	return templates.FromContent(content)
}

// SyncedTemplate is a template in the database.
type SyncedTemplate struct {
	Namespace, Name, Version string
	Steps                    int
	SyncedAt                 time.Time
}

// SyncedTemplates lists the templates in the database.
func (s *Store) SyncedTemplates(ctx context.Context) ([]SyncedTemplate, error) {
	rows, err := s.pool.Query(ctx, `
SELECT t.namespace, t.name, t.version, t.synced_at,
       (SELECT count(*) FROM tasker.template_steps ts WHERE ts.named_task_id = t.named_task_id) AS steps
FROM tasker.templates t ORDER BY t.namespace, t.name, t.version`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[SyncedTemplate])
}
