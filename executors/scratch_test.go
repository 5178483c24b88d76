package executors

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

func TestStaleScratchFoldersGoAndLiveOnesStay(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	live, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	dead, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.lock.Close(); err != nil { // as the kernel does when the owner is killed
		t.Fatal(err)
	}
	removeStaleScratch()
	if _, err := os.Stat(live.path); err != nil {
		t.Errorf("the folder of a live worker: %v", err)
	}
	if _, err := os.Stat(dead.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of a dead worker: %v", err)
	}
	if err := live.remove(); err != nil {
		t.Error(err)
	}
}
