package bench

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

// TestWorkloadsAreRunnable checks that every template is valid.
func TestWorkloadsAreRunnable(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, w := range Workloads {
		if names[w.Name] {
			t.Errorf("two workloads are called %s", w.Name)
		}
		names[w.Name] = true
		if w.run == nil && len(w.Shapes) == 0 {
			t.Errorf("%s has no tasks", w.Name)
		}
		for _, shape := range w.Shapes {
			template := shape.Template("bench.noop")
			again, err := templates.FromContent(template.Content())
			if err != nil {
				t.Errorf("%s of %s: %v", shape.Name, w.Name, err)
				continue
			}
			if diff := cmp.Diff(template.Steps, again.Steps); diff != "" {
				t.Errorf("%s of %s changes when it is stored:\n%s", shape.Name, w.Name, diff)
			}
		}
	}
}

func TestLoadHasItsDocumentedProportions(t *testing.T) {
	t.Parallel()
	shapes := loadShapes()
	if len(shapes) != 20 {
		t.Fatalf("%d shapes, want 20", len(shapes))
	}
	sizes := make([]int, len(shapes))
	for i, s := range shapes {
		sizes[i] = s.Size()
	}
	slices.Sort(sizes)
	if sizes[0] != 3 || sizes[18] > 12 || sizes[19] != 20 {
		t.Errorf("sizes %v, want 3 to 12 and one of 20", sizes)
	}
}

func TestLayers(t *testing.T) {
	t.Parallel()
	want := [][]string{{"root"}, {"left", "right"}, {"left_1", "left_2", "right_1", "right_2"}, {"sink"}}
	tree := Tree(2)
	if diff := cmp.Diff(want, tree.Layers()); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
}

// TestEngineIndexesAreThoseOfTheSchema compares the copy of the list with the one of the package sql.
func TestEngineIndexesAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	original, err := os.ReadFile("../sql/baseline/schema/indexes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if string(original) != engineIndexes {
		t.Error("bench/indexes.tsv differs from sql/baseline/schema/indexes.tsv: copy that one here")
	}
}

func TestIndexStatement(t *testing.T) {
	t.Parallel()
	got, ok := indexStatement([]string{"tasker_tasks", "t_idx", "t", "btree", "a,b", "c", "(d IS NULL)"})
	const want = `CREATE UNIQUE INDEX IF NOT EXISTS "t_idx" ON public."tasker_tasks" USING btree (a,b) INCLUDE (c) WHERE (d IS NULL)`
	if !ok || got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
