package sql

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

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
}

func (e *TemplateConflictError) Error() string {
	return fmt.Sprintf("%s: template %s/%s@%s differs from the one in the database: %s (give the change a new version, or run `tasker-worker template sync --replace`)",
		e.File, e.Namespace, e.Name, e.Version, strings.Join(e.Differences, "; "))
}

// SyncReport counts what a sync did.
type SyncReport struct {
	Added, Replaced, Unchanged int
}

// syncLock is the advisory lock of a sync: two workers that start together take turns.
const syncLock = 0x7461736b_73796e63

// SyncTemplates writes templates to the database, all in one transaction. A template that is there with the same content
// is left alone. With another content it is replaced when replace is set; otherwise nothing at all is written and the
// error joins a [TemplateConflictError] for each.
func (s *Store) SyncTemplates(ctx context.Context, all []*templates.Template, replace bool) (SyncReport, error) {
	var report SyncReport
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		report = SyncReport{}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(syncLock)); err != nil {
			return err
		}
		var conflicts []error
		for _, t := range all {
			err := syncTemplate(ctx, tx, t, replace, &report)
			if conflict, ok := errors.AsType[*TemplateConflictError](err); ok {
				conflicts = append(conflicts, conflict)
			} else if err != nil {
				return fmt.Errorf("writing template %s/%s@%s: %w", t.Namespace, t.Name, t.Version, err)
			}
		}
		return errors.Join(conflicts...)
	})
	if err == nil && report.Added+report.Replaced > 0 {
		// So that sessions look templates up by their indexes, however small the table was when they planned.
		_, err = s.pool.Exec(ctx, `ANALYZE tasker.template_steps`)
	}
	return report, err
}

func syncTemplate(ctx context.Context, tx pgx.Tx, t *templates.Template, replace bool, report *SyncReport) error {
	var digest string
	var content json.RawMessage
	err := tx.QueryRow(ctx, `SELECT digest, content FROM tasker.templates WHERE namespace = $1 AND name = $2 AND version = $3`,
		t.Namespace, t.Name, t.Version).Scan(&digest, &content)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		report.Added++
	case err != nil:
		return err
	case digest == t.Digest():
		report.Unchanged++
		return nil
	case !replace:
		return templateConflict(t, content)
	default:
		report.Replaced++
	}
	return putTemplate(ctx, tx, t)
}

func templateConflict(t *templates.Template, content json.RawMessage) error {
	conflict := &TemplateConflictError{Namespace: t.Namespace, Name: t.Name, Version: t.Version, File: t.File}
	old, err := templates.FromContent(content)
	if err != nil {
		return fmt.Errorf("reading the stored template: %w", err)
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
}

func putTemplate(ctx context.Context, tx pgx.Tx, t *templates.Template) error {
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
			Retryable: step.Retryable, RetryLimit: step.RetryLimit, Skippable: step.Skippable,
		}
	}
	_, err := tx.Exec(ctx, `SELECT tasker.put_template($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.Namespace, t.Name, t.Version, t.Description, t.Digest(), len(t.Schema) > 0, t.Content(), steps)
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
