package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// indented returns the indented blocks of a page, without the indentation.
func indented(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line, is := strings.CutPrefix(line, "    ")
		switch {
		case is && inside:
			blocks[len(blocks)-1] += line
		case is:
			blocks = append(blocks, line)
		case strings.TrimSpace(line) == "" && inside:
			blocks[len(blocks)-1] += "\n"
			continue
		}
		inside = is
	}
	return blocks
}

var fileBlock = regexp.MustCompile(`(?m)^# (tasker/\S+\.(?:rb|py|yaml))\n`)

// TestReadmeRunsAsItStands follows README: it writes the files, runs the commands in their order, and creates the task.
func TestReadmeRunsAsItStands(t *testing.T) {
	t.Parallel()
	pool := sqltest.NewEmpty(t)
	w := newWorld(t, "DATABASE_URL="+sqltest.URL(t, pool))
	w.onPath(t)
	var ran []string
	for _, block := range indented(t, "../../README.md") {
		switch {
		case fileBlock.MatchString(block):
			w.writeBlock(t, block)
		case strings.HasPrefix(block, "SELECT "):
			var id int64
			if err := pool.QueryRow(t.Context(), block).Scan(&id); err != nil {
				t.Fatalf("%s: %v", block, err)
			}
			if task, err := client.New(pool).Wait(t.Context(), id); err != nil || task.State != engine.Complete || string(task.Steps[1].Results) != `{"charged": 12}` {
				t.Fatalf("README's task: %+v (%v), want it complete with 12 charged", task, err)
			}
		default:
			ran = append(ran, w.runBlock(t, block)...)
		}
	}
	for _, command := range []string{"template validate", "migrate up", "run --watch", "task show 1", "task watch 1", "task logs 1 --follow"} {
		if !slices.Contains(ran, command) {
			t.Errorf("README has no %q; it ran %q", command, ran)
		}
	}
}

// writeBlock writes the files of a block, each of which begins with its name.
func (w *world) writeBlock(t *testing.T, block string) {
	t.Helper()
	places := fileBlock.FindAllStringSubmatchIndex(block, -1)
	for i, place := range places {
		end := len(block)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		w.write(t, block[place[2]:place[3]], block[place[1]:end])
	}
}

// runBlock runs the commands of a block that are the program's, and keeps what it exports. It returns the command lines.
func (w *world) runBlock(t *testing.T, block string) (ran []string) {
	t.Helper()
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "  #")
		line = strings.TrimSpace(line)
		if exports, ok := strings.CutPrefix(line, "export "); ok && !strings.HasPrefix(exports, "DATABASE_URL=") {
			w.environ = append(w.environ, strings.Fields(exports)...)
			continue
		}
		command, ok := strings.CutPrefix(line, "tasker-worker ")
		if !ok {
			continue
		}
		ran = append(ran, command)
		if strings.HasPrefix(command, "run ") {
			worker := w.start(t, strings.Fields(command)...)
			worker.says(t, "worker started")
			continue
		}
		w.shell(t, line)
	}
	return ran
}
