package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// WriteCost is what an index adds to the writes of one step, task or edge, over its whole life.
type WriteCost struct {
	// Of is step, task or edge.
	Of string `json:"of"`
	// WAL is in bytes.
	WAL int64 `json:"wal_bytes"`
	// Time is of the database's processor; the machine's other work blurs it.
	Time time.Duration `json:"nanoseconds"`
}

// String is a part of a sentence.
func (c WriteCost) String() string {
	took := "no time that could be measured"
	if us := float64(c.Time) / float64(time.Microsecond); us >= 0.1 {
		took = fmt.Sprintf("%.1f µs", us)
	}
	return fmt.Sprintf("%d bytes of WAL and %s for each %s", c.WAL, took, c.Of)
}

// lives are the writes that a row of each table sees, as the worker makes them. $1 is the number of rows.
var lives = map[string]struct {
	of         string
	statements []string
}{
	"public.tasker_tasks": {"task", []string{
		`INSERT INTO %s (task_id, named_task_id, requested_at, tags, context, identity_hash, created_at, updated_at)
			SELECT i, 1 + i %% 7, now(), '["order"]', jsonb_build_object('order', i, 'customer', i %% 100), md5(i::text), now(), now() FROM generate_series(1, $1) AS i`,
		`UPDATE %s SET complete = true, updated_at = now() WHERE task_id <= $1`,
	}},
	"public.tasker_task_transitions": {"task", []string{
		`INSERT INTO %s (id, to_state, from_state, metadata, sort_key, most_recent, task_id, created_at, updated_at)
			SELECT i, 'in_progress', 'pending', '{}', 10, true, i, now(), now() FROM generate_series(1, $1) AS i`,
		`UPDATE %s SET most_recent = false, updated_at = now() WHERE id <= $1`,
		`INSERT INTO %s (id, to_state, from_state, metadata, sort_key, most_recent, task_id, created_at, updated_at)
			SELECT $1 + i, 'complete', 'in_progress', '{}', 20, true, i, now(), now() FROM generate_series(1, $1) AS i`,
	}},
	"public.tasker_workflow_steps": {"step", []string{
		`INSERT INTO %s (workflow_step_id, task_id, named_step_id, attempts, inputs, results, created_at, updated_at)
			SELECT i, i / 10, 1 + i %% 10, 0, '{"order": 1}', '{}', now(), now() FROM generate_series(1, $1) AS i`,
		`UPDATE %s SET attempts = 1, in_process = true, last_attempted_at = now(), updated_at = now() WHERE workflow_step_id <= $1`,
		`UPDATE %s SET results = '{"charged": true}', processed = true, in_process = false, processed_at = now(), last_attempted_at = now(), updated_at = now()
			WHERE workflow_step_id <= $1`,
	}},
	"public.tasker_workflow_step_edges": {"edge", []string{
		`INSERT INTO %s (id, from_step_id, to_step_id, name, created_at, updated_at)
			SELECT i, i, i + 1, 'provides', now(), now() FROM generate_series(1, $1) AS i`,
	}},
	"public.tasker_workflow_step_transitions": {"step", []string{
		`INSERT INTO %s (id, to_state, from_state, metadata, sort_key, most_recent, workflow_step_id, created_at, updated_at)
			SELECT i, 'in_progress', 'pending', '{"attempt_number": 1}', 10, true, i, now(), now() FROM generate_series(1, $1) AS i`,
		`UPDATE %s SET most_recent = false, updated_at = now() WHERE id <= $1`,
		`INSERT INTO %s (id, to_state, from_state, metadata, sort_key, most_recent, workflow_step_id, created_at, updated_at)
			SELECT $1 + i, 'complete', 'in_progress', '{"token": 1}', 20, true, i, now(), now() FROM generate_series(1, $1) AS i`,
	}},
}

// measureRounds is how often each table is written with and without each index. The least that a statement took counts.
const measureRounds = 5

// IndexTotal is what all indexes of one kind cost together, which may be more than the sum: only when none of them holds
// a column that a step changes can the step's updates stay on their page.
type IndexTotal struct {
	// Kind is that of the findings; with FindingOptionalIndex the redundant ones are included.
	Kind    string      `json:"kind"`
	Indexes int         `json:"indexes"`
	Bytes   int64       `json:"bytes"`
	Costs   []WriteCost `json:"costs"`
}

// measureIndexes measures what each index costs. In a schema of its own it makes a copy of each table without rows but
// with all indexes, and writes rows as a step would: with all indexes, and with all but those in question. Everything is
// rolled back. WAL is counted for each statement, so that the work of others does not matter.
func measureIndexes(ctx context.Context, pool *pgxpool.Pool, indexes []*tableIndex, rows int) ([]IndexTotal, error) {
	all, err := readIndexes(ctx, pool)
	if err != nil {
		return nil, err
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	const schema = "tasker_doctor"
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '2s'; CREATE SCHEMA "+schema); err != nil {
		return nil, err
	}
	redundant := slices.DeleteFunc(slices.Clone(indexes), func(x *tableIndex) bool { return x.kind != FindingRedundantIndex })
	totals := []IndexTotal{newTotal(FindingRedundantIndex, redundant), newTotal(FindingOptionalIndex, indexes)}
	for _, table := range hotTables {
		onTable := func(of []*tableIndex) []*tableIndex {
			return slices.DeleteFunc(slices.Clone(of), func(x *tableIndex) bool { return x.Table != table })
		}
		groups := [][]*tableIndex{nil, onTable(redundant), onTable(indexes)}
		for _, x := range groups[2] {
			groups = append(groups, []*tableIndex{x})
		}
		scratch := scratchTable{tx: tx, table: table, name: schema + "." + strings.TrimPrefix(table, "public."), rows: rows}
		costs, err := scratch.measure(ctx, onTable(all), groups)
		if err != nil {
			return nil, err
		}
		totals[0].add(costs[1])
		totals[1].add(costs[2])
		for i, x := range groups[2] {
			x.cost = &costs[3+i]
		}
	}
	return totals, nil
}

func newTotal(kind string, indexes []*tableIndex) IndexTotal {
	total := IndexTotal{Kind: kind, Indexes: len(indexes)}
	for _, x := range indexes {
		total.Bytes += x.Bytes
	}
	return total
}

// add adds the cost on a further table.
func (t *IndexTotal) add(cost WriteCost) {
	i := slices.IndexFunc(t.Costs, func(c WriteCost) bool { return c.Of == cost.Of })
	if i < 0 {
		t.Costs = append(t.Costs, cost)
		return
	}
	t.Costs[i].WAL += cost.WAL
	t.Costs[i].Time += cost.Time
}

// scratchTable is the copy of a table.
type scratchTable struct {
	tx          pgx.Tx
	table, name string
	rows        int
}

// measure returns what the indexes of each group cost.
func (s scratchTable) measure(ctx context.Context, all []*tableIndex, groups [][]*tableIndex) ([]WriteCost, error) {
	if err := s.create(ctx, all); err != nil {
		return nil, err
	}
	least := make([][]WriteCost, len(groups)) // for each statement
	for range measureRounds {
		for i, group := range groups {
			costs, err := s.live(ctx, group)
			if err != nil {
				return nil, err
			}
			least[i] = leastOf(least[i], costs)
		}
	}
	with := sum(least[0])
	costs := make([]WriteCost, len(groups))
	for i := range groups {
		without := sum(least[i])
		costs[i] = WriteCost{
			Of:   lives[s.table].of,
			WAL:  max(0, with.WAL-without.WAL) / int64(s.rows),
			Time: max(0, with.Time-without.Time) / time.Duration(s.rows),
		}
	}
	return costs, nil
}

// create makes the table, filled as the original is, and its indexes under their own names.
func (s scratchTable) create(ctx context.Context, all []*tableIndex) error {
	var options string
	const query = `SELECT coalesce('WITH (' || array_to_string(reloptions, ', ') || ')', '') FROM pg_class WHERE oid = $1::text::regclass`
	if err := s.tx.QueryRow(ctx, query, s.table).Scan(&options); err != nil {
		return err
	}
	statements := []string{fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED) %s", s.name, s.table, options)}
	for _, x := range all {
		unique := map[bool]string{true: "UNIQUE ", false: ""}[x.Unique]
		statements = append(statements, fmt.Sprintf("CREATE %sINDEX %s ON %s %s", unique, pgx.Identifier{x.Name}.Sanitize(), s.name, x.Definition))
	}
	for _, statement := range statements {
		if _, err := s.tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// leastOf returns the lesser costs of each statement.
func leastOf(a, b []WriteCost) []WriteCost {
	for i := range a {
		b[i].WAL, b[i].Time = min(a[i].WAL, b[i].WAL), min(a[i].Time, b[i].Time)
	}
	return b
}

func sum(costs []WriteCost) (total WriteCost) {
	for _, cost := range costs {
		total.WAL += cost.WAL
		total.Time += cost.Time
	}
	return total
}

// live writes the rows into the empty table, without some of its indexes, and undoes it. It returns the cost of each
// statement.
func (s scratchTable) live(ctx context.Context, without []*tableIndex) ([]WriteCost, error) {
	nested, err := s.tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = nested.Rollback(context.WithoutCancel(ctx)) }()
	schema, _, _ := strings.Cut(s.name, ".")
	statements := []string{"TRUNCATE " + s.name} // what was undone before is still on the pages
	for _, x := range without {
		statements = append(statements, "DROP INDEX "+pgx.Identifier{schema, x.Name}.Sanitize())
	}
	if _, err := nested.Exec(ctx, strings.Join(statements, "; ")); err != nil {
		return nil, err
	}
	var costs []WriteCost
	for _, statement := range lives[s.table].statements {
		cost, err := explainCost(ctx, nested, fmt.Sprintf(statement, s.name), s.rows)
		if err != nil {
			return nil, err
		}
		costs = append(costs, cost)
	}
	return costs, nil
}

// explainCost runs a statement and returns what it cost.
func explainCost(ctx context.Context, tx pgx.Tx, statement string, rows int) (WriteCost, error) {
	var plans []struct {
		Milliseconds float64 `json:"Execution Time"`
		Plan         struct {
			WAL int64 `json:"WAL Bytes"`
		} `json:"Plan"`
	}
	statement = strings.ReplaceAll(statement, "$1", fmt.Sprint(rows)) // EXPLAIN takes no parameters of this kind
	if err := tx.QueryRow(ctx, "EXPLAIN (ANALYZE, WAL, TIMING OFF, FORMAT JSON) "+statement).Scan(&plans); err != nil {
		return WriteCost{}, err
	}
	return WriteCost{WAL: plans[0].Plan.WAL, Time: time.Duration(plans[0].Milliseconds * float64(time.Millisecond))}, nil
}
