package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFolderStateSees has changes of which no notification may come.
func TestFolderStateSees(t *testing.T) {
	t.Parallel()
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(t *testing.T, path, content string) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(content), 0o600))
	}
	link := func(t *testing.T, target, path string) {
		t.Helper()
		must(t, os.Symlink(target, path+".new"))
		must(t, os.Rename(path+".new", path))
	}
	for name, test := range map[string]struct {
		change func(t *testing.T, root string)
		seen   bool
	}{
		"a new file":          {func(t *testing.T, root string) { t.Helper(); write(t, root+"/app/sub/b.yaml", "b") }, true},
		"a file that is gone": {func(t *testing.T, root string) { t.Helper(); must(t, os.Remove(root+"/app/a.yaml")) }, true},
		"another file of the same size": {func(t *testing.T, root string) {
			t.Helper()
			write(t, root+"/other", "A")
			must(t, os.Rename(root+"/other", root+"/app/a.yaml"))
		}, true},
		"a link that leads elsewhere": {func(t *testing.T, root string) { t.Helper(); link(t, "..two", root+"/app/..data") }, true},
		"the folder's own link": {func(t *testing.T, root string) {
			t.Helper()
			write(t, root+"/second/a.yaml", "a")
			link(t, "second", root+"/current")
		}, true},
		"a hidden file": {func(t *testing.T, root string) { t.Helper(); write(t, root+"/app/.a.yaml.swp", "x") }, false},
		"bytecode":      {func(t *testing.T, root string) { t.Helper(); write(t, root+"/app/__pycache__/a.pyc", "x") }, false},
		"nothing":       {func(t *testing.T, _ string) { t.Helper() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			write(t, root+"/app/a.yaml", "a")
			write(t, root+"/app/..one/c.yaml", "1")
			write(t, root+"/app/..two/c.yaml", "2")
			must(t, os.Symlink("..one", root+"/app/..data"))
			must(t, os.Symlink("..data/c.yaml", root+"/app/c.yaml"))
			must(t, os.Symlink("app", root+"/current"))
			before := folderState(root + "/current")
			test.change(t, root)
			if after := folderState(root + "/current"); (after != before) != test.seen {
				t.Errorf("the state has changed: %t, want %t", after != before, test.seen)
			}
		})
	}
}
