package ownfolder

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A handler that runs as root can mount something in its folder; what lies there is not the folder's.
func TestWhatIsMountedInAFolderStays(t *testing.T) {
	t.Parallel()
	parent, precious := t.TempDir(), filled(t, filepath.Join(t.TempDir(), "precious"), "file")
	path := abandoned(t, parent)
	point := filled(t, filepath.Join(path, "mount point"))
	if err := unix.Mount(precious, point, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("this user may not mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(point, unix.MNT_DETACH) })
	RemoveStale(parent, prefix, nil)
	for _, discarded := range []string{point, filepath.Dir(point)} {
		if err := Discard(discarded); err == nil {
			t.Errorf("%s is discarded, and nothing is said", discarded)
		}
	}
	if !exists(filepath.Join(precious, "file")) {
		t.Error("what was mounted was removed")
	}
	must(t, unix.Unmount(point, 0))
	RemoveStale(parent, prefix, nil)
	if _, err := os.Stat(path); err == nil {
		t.Error("without the mount the folder is left")
	}
}
