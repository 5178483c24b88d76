package sql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// IndexFigures are what is known of an index.
type IndexFigures struct {
	Table string `json:"table"`
	// Bytes is its size.
	Bytes int64 `json:"bytes"`
	// Scans is how often it was read since Since.
	Scans int64 `json:"scans"`
	// Since is when the statistics of this database began; nil when they were never reset.
	Since *time.Time `json:"since"`
	// Cost is what it adds to each write; nil when it was not measured.
	Cost *WriteCost `json:"cost"`
}

// tableIndex is an index of one of the hot tables.
type tableIndex struct {
	Table, Name string
	// Keys are its columns with their order and operator class.
	Keys []string
	// Included are further columns that it only carries.
	Included []string
	// Predicate is the condition of a partial index.
	Predicate string
	// Definition is all that follows ON in the statement that makes it.
	Definition string
	Method     string
	Unique     bool
	// Bound is whether a constraint, the replica identity or CLUSTER needs it.
	Bound bool
	Bytes int64
	Scans int64
	Since *time.Time

	// kind and because say why it is superfluous.
	kind, because string
	cost          *WriteCost
}

const tableIndexesSQL = `
SELECT format('%I.%I', n.nspname, t.relname), c.relname,
    ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true) || ' ' || x.indoption[k - 1] || ' ' || x.indclass[k - 1] || ' ' || x.indcollation[k - 1]
          FROM generate_series(1, x.indnkeyatts) AS k),
    ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true) FROM generate_series(x.indnkeyatts + 1, x.indnatts) AS k),
    coalesce(pg_get_expr(x.indpred, x.indrelid), ''), regexp_replace(pg_get_indexdef(x.indexrelid), '^.*? (USING .*)$', '\1'),
    am.amname, x.indisunique, x.indisreplident OR x.indisclustered OR EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = x.indexrelid),
    pg_relation_size(x.indexrelid), coalesce(s.idx_scan, 0), d.stats_reset
FROM pg_index x
JOIN pg_class c ON c.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = x.indexrelid
LEFT JOIN pg_stat_database d ON d.datname = current_database()
WHERE x.indrelid = ANY ($1::text[]::regclass[]) AND x.indisvalid
ORDER BY array_position($1, n.nspname || '.' || t.relname), c.relname`

// lookAtIndexes returns the indexes that our statements miss on the hot tables, and those that are superfluous: first
// the ones that others make useless, then the ones that only the application may need.
func lookAtIndexes(ctx context.Context, pool *pgxpool.Pool) (missing []Finding, superfluous []*tableIndex, err error) {
	all, err := readIndexes(ctx, pool)
	if err != nil {
		return nil, nil, err
	}
	needs, err := neededIndexes()
	if err != nil {
		return nil, nil, err
	}
	var kept []*tableIndex
	for _, need := range needs {
		serving := need.servedBy(all)
		if len(serving) == 0 {
			missing = append(missing, need.finding())
			serving = need.insteadOf(all)
		}
		kept = append(kept, serving...)
	}
	return missing, judgeIndexes(all, kept), nil
}

// readIndexes reads the indexes of the hot tables.
func readIndexes(ctx context.Context, pool *pgxpool.Pool) ([]*tableIndex, error) {
	rows, err := pool.Query(ctx, tableIndexesSQL, hotTables)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*tableIndex, error) {
		x := &tableIndex{}
		return x, row.Scan(&x.Table, &x.Name, &x.Keys, &x.Included, &x.Predicate, &x.Definition, &x.Method, &x.Unique, &x.Bound,
			&x.Bytes, &x.Scans, &x.Since)
	})
}

// judgeIndexes never judges an index that enforces something or is to be kept. Of the others, an index is redundant only
// through one that stays.
func judgeIndexes(all, keep []*tableIndex) []*tableIndex {
	var kept, judged []*tableIndex
	rest := slices.Clone(all)
	// The widest comes first, so that what it covers is judged after it.
	slices.SortStableFunc(rest, func(a, b *tableIndex) int { return len(b.Keys) - len(a.Keys) })
	for _, x := range rest {
		if x.Unique || x.Bound || slices.Contains(keep, x) {
			kept = append(kept, x)
		}
	}
	for _, x := range rest {
		if slices.Contains(kept, x) {
			continue
		}
		if x.kind, x.because = x.compare(kept); x.kind != FindingRedundantIndex {
			kept = append(kept, x)
		}
	}
	for _, kind := range []string{FindingRedundantIndex, FindingOptionalIndex} {
		for _, x := range all {
			if x.kind == kind {
				judged = append(judged, x)
			}
		}
	}
	return judged
}

// compare says what an index is, compared with those that are kept.
func (x *tableIndex) compare(kept []*tableIndex) (kind, because string) {
	if state := x.impossibleState(); state != "" {
		return FindingRedundantIndex, fmt.Sprintf("it holds only rows in the state %s, which does not exist", state)
	}
	for _, k := range kept {
		if because := x.coveredBy(k); because != "" {
			return FindingRedundantIndex, because
		}
	}
	switch {
	case x.Method == "gin":
		return FindingOptionalIndex, "only the application's own searches within JSON use it"
	case x.Predicate != "":
		return FindingOptionalIndex, "it holds a part of the rows, for queries of the application that ask for just that part"
	default:
		return FindingOptionalIndex, "no statement of the worker needs it; reports of the application may"
	}
}

// coveredBy says why k makes x useless, empty when it does not.
func (x *tableIndex) coveredBy(k *tableIndex) string {
	if k.Table != x.Table || k.Method != "btree" || x.Method != "btree" || k.Predicate != x.Predicate {
		return ""
	}
	carried := slices.Concat(k.Keys, k.Included)
	for _, column := range x.Included {
		if !slices.ContainsFunc(carried, func(c string) bool { return c == column || strings.HasPrefix(c, column+" ") }) {
			return ""
		}
	}
	switch {
	case slices.Equal(k.Keys, x.Keys):
		return fmt.Sprintf("%s is the same", k.Name)
	case startsWith(k.Keys, x.Keys):
		return fmt.Sprintf("%s begins with the same columns", k.Name)
	case k.Unique && startsWith(x.Keys, k.Keys):
		return fmt.Sprintf("%s is unique, so that its columns find the one row", k.Name)
	default:
		return ""
	}
}

func startsWith(all, first []string) bool {
	return len(first) <= len(all) && slices.Equal(all[:len(first)], first)
}

var stateInPredicate = regexp.MustCompile(`to_state\)?(?:::text)? = '(\w+)'`)

// transitionStates are all the states that a task or a step can be in.
var transitionStates = []string{"pending", "in_progress", "complete", "error", "cancelled", "resolved_manually"}

// impossibleState is the one state that the index is about, if there is no such state.
func (x *tableIndex) impossibleState() string {
	match := stateInPredicate.FindStringSubmatch(x.Predicate)
	if match == nil || strings.Contains(x.Predicate, " OR ") || slices.Contains(transitionStates, match[1]) {
		return ""
	}
	return match[1]
}

func (x *tableIndex) finding() Finding {
	name := pgx.Identifier{strings.Split(x.Table, ".")[0], x.Name}.Sanitize()
	if !strings.ContainsAny(x.Name, `" `) && strings.ToLower(x.Name) == x.Name {
		name = strings.Split(x.Table, ".")[0] + "." + x.Name
	}
	found := Finding{
		Kind: x.kind, Object: name, Statements: []string{"DROP INDEX CONCURRENTLY " + name + ";"},
		Index: &IndexFigures{Table: x.Table, Bytes: x.Bytes, Scans: x.Scans, Since: x.Since, Cost: x.cost},
	}
	columns := strings.Join(columnNames(x.Keys), ", ")
	if x.kind == FindingRedundantIndex {
		found.What = fmt.Sprintf("Index %s on %s (%s) is redundant: %s.", name, x.Table, columns, x.because)
		found.Do = "Drop it; nothing reads slower without it."
	} else {
		found.What = fmt.Sprintf("Index %s on %s (%s) is optional: %s.", name, x.Table, columns, x.because)
		found.Do = "Drop it if nothing of yours reads it."
	}
	found.Costs = x.costs()
	return found
}

// columnNames leaves out order and operator class.
func columnNames(keys []string) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = strings.Join(strings.Fields(key)[:len(strings.Fields(key))-3], " ")
	}
	return names
}

func (x *tableIndex) costs() string {
	text := ""
	if x.cost != nil {
		text = x.cost.String() + "; "
	}
	since := "since the statistics began"
	if x.Since != nil {
		since = "since " + x.Since.UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf("%s%s on disk; read %s %s.", text, byteSize(x.Bytes), times(x.Scans), since)
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// byteSize prints a size as people compare them.
func byteSize(bytes int64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%d GB", bytes>>30)
	case bytes >= 10<<20:
		return fmt.Sprintf("%d MB", bytes>>20)
	default:
		return fmt.Sprintf("%d kB", bytes>>10)
	}
}
