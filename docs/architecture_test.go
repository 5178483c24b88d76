// Package docs holds the pages for users; its tests hold what the pages say of the code against the code.
package docs

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tasker-systems/tasker-worker/"

// house is the drawing of architecture.md: the folders of each line, the highest line first.
type house [][]string

// read reads the first drawing of the page. Its folders end where two words stand together: there the text begins.
func readHouse(t *testing.T) house {
	t.Helper()
	page, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```\n")
	drawing, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatal("architecture.md has no drawing")
	}
	var lines house
	for line := range strings.Lines(drawing) {
		folders := strings.Fields(regexp.MustCompile(` {4,}.*`).ReplaceAllString(line, ""))
		lines = append(lines, folders)
	}
	return lines
}

// room returns the folder of the drawing in which a package lies, and its line.
func (h house) room(pkg string) (folder string, line int) {
	for n, folders := range h {
		for _, f := range folders {
			if (pkg == f || strings.HasPrefix(pkg, f+"/")) && len(f) > len(folder) {
				folder, line = f, n
			}
		}
	}
	return folder, line
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for decoder := json.NewDecoder(bufio.NewReader(strings.NewReader(string(out)))); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// notDrawn are folders of tools and pages, which nothing of the product imports.
var notDrawn = []string{"docs", "script"}

func TestDrawingOfTheHouseIsTrue(t *testing.T) {
	t.Parallel()
	drawn := readHouse(t)
	for _, folder := range slices.Concat(drawn...) {
		if info, err := os.Stat("../" + folder); err != nil || !info.IsDir() {
			t.Errorf("the drawing names %s, which is no folder", folder)
		}
	}
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if top, _, _ := strings.Cut(name, "/"); slices.Contains(notDrawn, top) {
			continue
		}
		from, line := drawn.room(name)
		if from == "" {
			t.Errorf("the drawing has no room for %s", name)
		}
		for _, imported := range p.Imports {
			other, isOurs := strings.CutPrefix(imported, module)
			if to, below := drawn.room(other); isOurs && to != from && below <= line {
				t.Errorf("%s imports %s, which the drawing does not put below it", name, other)
			}
		}
	}
}
