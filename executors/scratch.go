package executors

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
)

const (
	scratchPrefix = "tasker-worker-"
	// newScratchPrefix marks a folder that is not locked yet, so that nobody takes it for a stale one.
	newScratchPrefix = ".tasker-worker-"
)

// scratchName is how the folders of supervisors are named: [os.MkdirTemp] appends a number.
var scratchName = regexp.MustCompile(`^` + scratchPrefix + `[0-9]+$`)

// scratch is the folder of one supervisor: the hosts, and a folder for each process. The lock on it says that the owner
// lives; the kernel drops it with the owner, however that ends.
type scratch struct {
	path string
	lock *os.File
}

// newScratch makes a locked folder.
func newScratch() (s scratch, err error) {
	path, err := os.MkdirTemp("", newScratchPrefix)
	if err != nil {
		return s, err
	}
	s.path = path
	defer func() {
		if err != nil {
			err = errors.Join(err, s.remove())
		}
	}()
	if s.lock, err = os.Open(path); err != nil {
		return s, err
	}
	if err = lockFolder(s.lock); err != nil {
		return s, fmt.Errorf("locking %s: %w", path, err)
	}
	final := filepath.Join(filepath.Dir(path), strings.Replace(filepath.Base(path), newScratchPrefix, scratchPrefix, 1))
	if err = os.Rename(path, final); err != nil {
		return s, err
	}
	s.path = final
	return s, nil
}

// remove removes the folder. The zero scratch has none.
func (s scratch) remove() error {
	if s.path == "" {
		return nil
	}
	err := os.RemoveAll(s.path)
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// removeStaleScratch removes the folders that killed workers left behind, and what still runs of them. What it may not touch, it
// leaves.
func removeStaleScratch() {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range found {
		if scratchName.MatchString(filepath.Base(path)) {
			process.RemoveAbandoned(path)
		}
	}
}

func lockFolder(folder *os.File) error {
	return syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
