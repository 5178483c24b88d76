package ownfolder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const prefix = "tasker-worker-"

func TestFoldersOfTheKilledGoAndThoseOfTheLivingStay(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	live, dead := makeFolder(t, parent), abandoned(t, parent)
	must(t, os.MkdirAll(filepath.Join(dead, "hosts", "ruby"), 0o700))
	must(t, os.WriteFile(filepath.Join(dead, "hosts", "ruby", "host.rb"), []byte("x"), 0o400))
	var told []string
	RemoveStale(parent, prefix, func(path string) { told = append(told, path) })
	if len(told) != 1 || told[0] != dead {
		t.Errorf("before the removal it tells of %v, want %v", told, dead)
	}
	if exists(dead) || !exists(live.Path) {
		t.Errorf("the dead one's is there: %v, the live one's: %v", exists(dead), exists(live.Path))
	}
	must(t, live.Remove())
	if exists(live.Path) {
		t.Error("its owner cannot remove it")
	}
}

// What is not a folder of ours stays, however much it looks like one.
func TestNothingElseIsRemoved(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, parent string) (path string){
		"a git checkout": func(t *testing.T, parent string) string {
			return filled(t, filepath.Join(parent, "tasker-worker-main"), ".git/HEAD", "hosts/host.rb", "cookie")
		},
		"a release": func(t *testing.T, parent string) string {
			return filled(t, filepath.Join(parent, "tasker-worker-0.3"), "README.md")
		},
		"a backup with a date": func(t *testing.T, parent string) string {
			return filled(t, filepath.Join(parent, "tasker-worker-20261130"), "hosts/host.rb", "cookie")
		},
		"an empty folder": func(t *testing.T, parent string) string {
			return filled(t, filepath.Join(parent, "tasker-worker-7"))
		},
		"a file": func(t *testing.T, parent string) string {
			path := filepath.Join(parent, "tasker-worker-8")
			must(t, os.WriteFile(path, []byte(marker(filepath.Base(path), 8)), 0o600))
			return path
		},
		"another name": func(t *testing.T, parent string) string {
			path := filepath.Join(parent, "tasker-worker-kept")
			must(t, os.Rename(abandoned(t, parent), path))
			return path
		},
		"one that was moved away": func(t *testing.T, parent string) string {
			path := filepath.Join(parent, "tasker-worker-2026")
			must(t, os.Rename(abandoned(t, parent), path))
			return path
		},
		"a copy of another place": func(t *testing.T, parent string) string {
			path := abandoned(t, parent)
			must(t, os.Rename(path, path+".original"))
			must(t, os.CopyFS(path, os.DirFS(path+".original")))
			return path
		},
		"a link to one": func(t *testing.T, parent string) string {
			path := filepath.Join(parent, "tasker-worker-9")
			must(t, os.Symlink(abandoned(t, t.TempDir()), path))
			return filepath.Join(path, "kept")
		},
		"one whose marker is a link": func(t *testing.T, parent string) string {
			path := abandoned(t, parent)
			must(t, os.Rename(filepath.Join(path, markerName), filepath.Join(parent, "elsewhere")))
			must(t, os.Symlink(filepath.Join(parent, "elsewhere"), filepath.Join(path, markerName)))
			return path
		},
		"one whose marker says more": func(t *testing.T, parent string) string {
			path := abandoned(t, parent)
			file, err := os.OpenFile(filepath.Join(path, markerName), os.O_APPEND|os.O_WRONLY, 0)
			must(t, err)
			_, err = file.WriteString("keep this\n")
			must(t, errors.Join(err, file.Close()))
			return path
		},
		"another user's": func(t *testing.T, parent string) string {
			if os.Geteuid() != 0 {
				t.Skip("only root can make one")
			}
			path := abandoned(t, parent)
			must(t, os.Chown(path, 65534, 65534))
			return path
		},
		"one with another user's marker": func(t *testing.T, parent string) string {
			if os.Geteuid() != 0 {
				t.Skip("only root can make one")
			}
			path := abandoned(t, parent)
			must(t, os.Chown(filepath.Join(path, markerName), 65534, 65534))
			return path
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			path := prepare(t, parent)
			RemoveStale(parent, prefix, func(path string) { t.Errorf("%s is taken for an abandoned one", path) })
			if !exists(path) {
				t.Errorf("%s was removed", path)
			}
		})
	}
}

func TestOwnerLeavesWhatHasTakenThePlaceOfItsFolder(t *testing.T) {
	t.Parallel()
	f := makeFolder(t, t.TempDir())
	must(t, os.Rename(f.Path, f.Path+".away"))
	precious := filled(t, f.Path, "precious")
	if err := f.Remove(); err == nil {
		t.Error("nothing is said")
	}
	if !exists(filepath.Join(precious, "precious")) {
		t.Error("it was removed")
	}
}

func TestLinksInAFolderAreRemovedAndNotFollowed(t *testing.T) {
	t.Parallel()
	parent, precious := t.TempDir(), filled(t, filepath.Join(t.TempDir(), "precious"), "file")
	path := abandoned(t, parent)
	must(t, os.Symlink(precious, filepath.Join(path, "link")))
	RemoveStale(parent, prefix, nil)
	if exists(path) || !exists(filepath.Join(precious, "file")) {
		t.Errorf("the folder is there: %v, what a link in it leads to: %v", exists(path), exists(filepath.Join(precious, "file")))
	}
}

// An interrupted removal is taken up by the next start.
func TestMarkerGoesLast(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may remove everything")
	}
	parent := t.TempDir()
	path := abandoned(t, parent)
	stubborn := filled(t, filepath.Join(path, "stubborn"), "file")
	must(t, os.Chmod(stubborn, 0o500))
	RemoveStale(parent, prefix, nil)
	if !exists(filepath.Join(path, markerName)) {
		t.Error("the marker went before the rest")
	}
	must(t, os.Chmod(stubborn, 0o700))
	RemoveStale(parent, prefix, nil)
	if exists(path) {
		t.Error("the next start does not take the removal up")
	}
}

// abandoned makes a folder whose owner was killed, with the file kept in it.
func abandoned(t *testing.T, parent string) string {
	t.Helper()
	f := makeFolder(t, parent)
	must(t, f.lock.Close()) // as the kernel does when the owner is killed
	return filled(t, f.Path, "kept")
}

func makeFolder(t *testing.T, parent string) Folder {
	t.Helper()
	f, err := Make(parent, prefix)
	must(t, err)
	return f
}

func filled(t *testing.T, path string, names ...string) string {
	t.Helper()
	must(t, os.MkdirAll(path, 0o700))
	for _, name := range names {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(path, name)), 0o700))
		must(t, os.WriteFile(filepath.Join(path, name), nil, 0o600))
	}
	return path
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
