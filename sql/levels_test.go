package sql_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// levelFunctions give the same answers.
var levelFunctions = []string{"tasker.dependency_levels", "calculate_dependency_levels"}

// stepLevel is a row of both functions.
type stepLevel struct {
	Step  int64
	Level int32
}

// levels returns what each function says of a task of the given number of steps and edges; both ends of an edge are
// numbers from 0.
func levels(ctx context.Context, tb rapid.TB, tx pgx.Tx, steps int, edges [][2]int64) (all [][]stepLevel) {
	rows := make([]randomStep, steps)
	for i := range rows {
		rows[i] = randomStep{ID: int64(7000000 + 3*i), Task: 2}
	}
	moved := make([][2]int64, len(edges))
	for i, edge := range edges {
		moved[i] = [2]int64{7000000 + 3*edge[0], 7000000 + 3*edge[1]}
	}
	insertDocument(ctx, tb, tx, insertStepsSQL, rows)
	insertDocument(ctx, tb, tx, insertEdgesSQL, moved)
	for _, function := range levelFunctions {
		rows, err := tx.Query(ctx, `SELECT (workflow_step_id - 7000000) / 3, dependency_level FROM `+function+`(2)`)
		if err != nil {
			tb.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stepLevel])
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, got)
	}
	return all
}

// TestDependencyLevelsOfRandomGraphs compares with levels that are raised until nothing changes.
func TestDependencyLevelsOfRandomGraphs(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	insertGraph(t, pool, 1, 1, 1) // for the names
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.IntRange(1, 40).Draw(rt, "steps")
		var edges [][2]int64
		for range rapid.IntRange(0, 80).Draw(rt, "edges") {
			from, to := rapid.Int64Range(0, int64(steps-1)).Draw(rt, "from"), rapid.Int64Range(0, int64(steps-1)).Draw(rt, "to")
			if from != to {
				edges = append(edges, [2]int64{max(from, to), min(from, to)}) // ids need not be in the order of the graph
			}
		}
		want := make([]stepLevel, steps)
		for i := range want {
			want[i].Step = int64(i)
		}
		for range steps {
			for _, edge := range edges {
				want[edge[1]].Level = max(want[edge[1]].Level, want[edge[0]].Level+1)
			}
		}
		slices.SortStableFunc(want, func(a, b stepLevel) int { return int(a.Level - b.Level) })
		inTransaction(t, pool, func(tx pgx.Tx) {
			for i, got := range levels(t.Context(), rt, tx, steps, edges) {
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("%s (-want +got):\n%s", levelFunctions[i], diff)
				}
			}
		})
	})
}

func TestDependencyLevelsOfOddGraphs(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	insertGraph(t, pool, 1, 1, 1)
	for name, test := range map[string]struct {
		steps int
		edges [][2]int64
		want  []stepLevel
	}{
		"no steps":                        {0, nil, nil},
		"an edge given twice":             {2, [][2]int64{{0, 1}, {0, 1}}, []stepLevel{{0, 0}, {1, 1}}},
		"a cycle, and a step behind it":   {4, [][2]int64{{0, 1}, {1, 2}, {2, 1}, {2, 3}}, []stepLevel{{0, 0}}},
		"a step that waits for itself":    {2, [][2]int64{{1, 1}}, []stepLevel{{0, 0}}},
		"a parent in another task":        {2, [][2]int64{{(100000 - 7000000) / 3, 1}}, []stepLevel{{0, 0}}},
		"a shortcut is not the long path": {3, [][2]int64{{0, 1}, {1, 2}, {0, 2}}, []stepLevel{{0, 0}, {1, 1}, {2, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTransaction(t, pool, func(tx pgx.Tx) {
				for i, got := range levels(t.Context(), t, tx, test.steps, test.edges) {
					if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("%s (-want +got):\n%s", levelFunctions[i], diff)
					}
				}
			})
		})
	}
}

// TestDependencyLevelsFollowEachEdgeOnce would not end otherwise: the graphs have 2^30 paths, and up to 5000 levels for
// each of 5000 steps.
func TestDependencyLevelsFollowEachEdgeOnce(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	insertGraph(t, pool, 1, 1, 1)
	var layers, shortcuts [][2]int64
	for i := int64(2); i < 60; i++ {
		layers = append(layers, [2]int64{i/2*2 - 2, i}, [2]int64{i/2*2 - 1, i})
	}
	for i := int64(1); i < 5000; i++ {
		shortcuts = append(shortcuts, [2]int64{i - 1, i}, [2]int64{max(i-2, 0), i})
	}
	for _, graph := range []struct {
		steps   int
		edges   [][2]int64
		highest int32
	}{{60, layers, 29}, {5000, shortcuts, 4999}} {
		inTransaction(t, pool, func(tx pgx.Tx) {
			if _, err := tx.Exec(t.Context(), "SET LOCAL statement_timeout = '5s'"); err != nil {
				t.Fatal(err)
			}
			for i, got := range levels(t.Context(), t, tx, graph.steps, graph.edges) {
				if len(got) != graph.steps || got[len(got)-1].Level != graph.highest {
					t.Errorf("%s of %d steps: %d rows up to %v, want level %d", levelFunctions[i], graph.steps, len(got), got[len(got)-1], graph.highest)
				}
			}
		})
	}
}
