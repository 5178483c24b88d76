package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/templates"
)

// storedTemplate is a template as the database has it.
type storedTemplate struct {
	namedTask int32
	digest    string
	hasSchema bool
	content   json.RawMessage
}

func readStored(ctx context.Context, q Querier, t *templates.Template) (s storedTemplate, err error) {
	err = q.QueryRow(ctx, `
SELECT named_task_id, digest, has_schema, content FROM tasker.templates WHERE namespace = $1 AND name = $2 AND version = $3`,
		t.Namespace, t.Name, t.Version).Scan(&s.namedTask, &s.digest, &s.hasSchema, &s.content)
	return s, err
}

// restoreTemplate sees that a template whose digest is that of the file is in the database with all its rows: the digest says what
// was synced, but the rows are what workers run, and another program may have written them since. There is no rule against it, for
// the file meant no other content.
func restoreTemplate(ctx context.Context, tx pgx.Tx, t *templates.Template, stored storedTemplate, report *SyncReport) error {
	differences, err := differencesOf(ctx, tx, t, stored)
	if err != nil {
		return err
	}
	if len(differences) == 0 {
		report.Unchanged++
		return nil
	}
	report.Restored = append(report.Restored, t.Ref()+": "+strings.Join(differences, "; "))
	return putTemplate(ctx, tx, t)
}

// differencesOf says how a template in the database differs from what a sync of t would write, nothing when it does not.
func differencesOf(ctx context.Context, q Querier, t *templates.Template, stored storedTemplate) ([]string, error) {
	var differences []string
	old, err := templates.FromContent(stored.content)
	switch {
	case err != nil:
		differences = append(differences, err.Error())
	case old.Digest() != t.Digest():
		differences = append(differences, old.Diff(t)...)
	}
	if stored.hasSchema != (len(t.Schema) > 0) {
		differences = append(differences, fmt.Sprintf("has_schema: %t -> %t", stored.hasSchema, len(t.Schema) > 0))
	}
	rows, err := q.Query(ctx, differingStepsSQL, stored.namedTask, stepsOf(t))
	if err != nil {
		return nil, err
	}
	steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return append(differences, steps...), err
}

// differingStepsSQL compares the rows that tasker.put_template_steps has written with those that it would write.
const differingStepsSQL = `
WITH meant AS (
    SELECT e.position, s.name, s.dependent_system, s.parents, s.handler, s.config, s.timeout_ms, s.queue, s.priority, s.retryable, s.retry_limit, s.skippable, s.retry
    FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e (step, position)
    CROSS JOIN LATERAL jsonb_to_record(e.step) AS s (name text, dependent_system text, parents integer[], handler text, config jsonb,
        timeout_ms bigint, queue text, priority smallint, retryable boolean, retry_limit integer, skippable boolean, retry jsonb)
), stored AS (
    SELECT ts.position, ts.name, ts.parents, ts.handler, ts.config, ts.timeout_ms, ts.queue, ts.priority, ts.retryable, ts.retry_limit, ts.skippable, ts.retry,
        n.name::text AS step, d.name::text AS dependent_system
    FROM tasker.template_steps ts
    LEFT JOIN public.tasker_named_steps n ON n.named_step_id = ts.named_step_id
    LEFT JOIN public.tasker_dependent_systems d ON d.dependent_system_id = n.dependent_system_id
    WHERE ts.named_task_id = $1
), compared AS (
    SELECT coalesce(s.position, m.position) AS position, coalesce(s.name, m.name) AS name, s.position IS NULL AS missing, m.position IS NULL AS foreign_row,
        array_remove(ARRAY[
            CASE WHEN (s.name, s.step, s.dependent_system) IS DISTINCT FROM (m.name, m.name, m.dependent_system) THEN
                format('name, named step, system: %s, %s, %s -> %s, %s', left(s.name, 128), s.step, s.dependent_system, m.name, m.dependent_system) END,
            CASE WHEN s.parents IS DISTINCT FROM m.parents THEN format('parents: %s -> %s', s.parents, m.parents) END,
            CASE WHEN s.handler IS DISTINCT FROM m.handler THEN format('handler: %s -> %s', left(s.handler, 100), m.handler) END,
            CASE WHEN s.config IS DISTINCT FROM m.config THEN format('config: %s -> %s', left(s.config::text, 200), left(m.config::text, 200)) END,
            CASE WHEN (s.timeout_ms, s.queue, s.priority) IS DISTINCT FROM (m.timeout_ms, m.queue, m.priority) THEN format('timeout_ms, queue, priority: %s, %s, %s -> %s, %s, %s',
                s.timeout_ms, left(s.queue, 100), s.priority, m.timeout_ms, m.queue, m.priority) END,
            CASE WHEN s.retry IS DISTINCT FROM m.retry THEN format('retry: %s -> %s', left(s.retry::text, 200), m.retry) END,
            CASE WHEN (s.retryable, s.retry_limit, s.skippable) IS DISTINCT FROM (m.retryable, m.retry_limit, m.skippable) THEN
                format('retryable, retry_limit, skippable: %s, %s, %s -> %s, %s, %s', s.retryable, s.retry_limit, s.skippable, m.retryable, m.retry_limit, m.skippable) END
        ], NULL) AS found
    FROM stored s FULL JOIN meant m ON m.position = s.position
)
SELECT 'step ' || left(c.name, 128) || ': ' || CASE WHEN c.missing THEN 'its row is missing' WHEN c.foreign_row THEN 'the file has no such step'
    ELSE array_to_string(c.found, ', ') END
FROM compared c WHERE c.missing OR c.foreign_row OR c.found <> '{}' ORDER BY c.position`
