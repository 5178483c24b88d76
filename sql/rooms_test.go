package sql

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// functionFile is one function of sql/functions: the folder it is in, and the functions of ours that it calls.
type functionFile struct {
	room  string
	calls []string
}

var ourCalls = regexp.MustCompile(`tasker\.([a-z_0-9]+)\s*\(`)

func functionFiles(t *testing.T) map[string]functionFile {
	t.Helper()
	found, err := filepath.Glob("functions/*/*.sql")
	if err != nil || len(found) == 0 {
		t.Fatalf("%d files: %v", len(found), err)
	}
	texts, all := map[string]string{}, map[string]functionFile{}
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		_, texts[name], _ = strings.Cut(string(text), "CREATE OR REPLACE")
		all[name] = functionFile{room: filepath.Base(filepath.Dir(file))}
	}
	for name, f := range all {
		for _, m := range ourCalls.FindAllStringSubmatch(texts[name], -1) {
			if _, known := all[m[1]]; known && m[1] != name {
				f.calls = append(f.calls, m[1])
			}
		}
		slices.Sort(f.calls)
		f.calls = slices.Compact(f.calls)
		all[name] = f
	}
	return all
}

// drawRoom draws who calls whom in a folder of sql/functions, and names the functions of other folders that call it, and
// the folders that it calls into.
func drawRoom(all map[string]functionFile, room string) string {
	inside := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return all[name].room != room })
	}
	called, others := map[string]bool{}, map[string]bool{}
	for _, f := range all {
		for _, name := range f.calls {
			if f.room == room {
				called[name] = true
				others[all[name].room] = true
			}
		}
	}
	delete(others, room)
	var lines strings.Builder
	drawn := map[string]bool{}
	var draw func(name, indent string)
	draw = func(name, indent string) {
		calls := inside(all[name].calls)
		if drawn[name] && len(calls) > 0 {
			lines.WriteString(indent + name + " …\n")
			return
		}
		lines.WriteString(indent + name + "\n")
		drawn[name] = true
		for _, one := range calls {
			draw(one, indent+"  ")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].room == room && !called[name] {
			draw(name, "    ")
		}
	}
	lines.WriteString(callers(all, room))
	if len(others) == 0 {
		return lines.String() + "\nIt calls no other room.\n"
	}
	return lines.String() + "\nIt calls into: " + strings.Join(slices.Sorted(maps.Keys(others)), ", ") + ".\n"
}

// callers lists the functions of a folder that other folders call, each with who calls it.
func callers(all map[string]functionFile, room string) string {
	by := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, called := range all[name].calls {
			if all[called].room == room && all[name].room != room {
				by[called] = append(by[called], all[name].room+"/"+name)
			}
		}
	}
	var lines strings.Builder
	for i, called := range slices.Sorted(maps.Keys(by)) {
		if i == 0 {
			lines.WriteString("\nCalled from other rooms:\n\n")
		}
		shown := by[called]
		if rest := len(shown) - 5; rest > 0 {
			shown = append(slices.Clone(shown[:5]), fmt.Sprintf("and %d more", rest))
		}
		lines.WriteString("- " + called + ": " + strings.Join(shown, ", ") + "\n")
	}
	return lines.String()
}

const roomDrawingHead = "A function stands above those of this room that it calls:\n\n"

func TestRoomsOfFunctionsAreDrawn(t *testing.T) {
	t.Parallel()
	all := functionFiles(t)
	rooms := map[string]bool{}
	for _, f := range all {
		rooms[f.room] = true
	}
	for room := range rooms {
		file := filepath.Join("functions", room, "README.md")
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, got, found := strings.Cut(string(page), roomDrawingHead)
		if !found {
			t.Fatalf("%s has no line %q", file, roomDrawingHead)
		}
		want := drawRoom(all, room)
		if *update {
			if err := os.WriteFile(file, []byte(head+roomDrawingHead+want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is not true; run go test ./sql -run TestRoomsOfFunctionsAreDrawn -update (-want +got):\n%s", file, diff)
		}
	}
}
