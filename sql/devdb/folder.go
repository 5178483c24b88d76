package devdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	folderPrefix = "tasker-pg-"
	// newFolderPrefix marks a folder that is not locked yet, so that nobody takes it for a stale one.
	newFolderPrefix = ".tasker-pg-"
	newFolderAge    = time.Minute
	socketName      = ".s.PGSQL.5432"
	// socketPathLimit is what fits into sun_path on the systems with the smallest one.
	socketPathLimit = 103
)

// folder is all that one server has on disk. The lock on it says that the owner lives; the kernel drops it with the
// owner, however that ends.
type folder struct {
	path string
	lock *os.File
}

func (f folder) data() string   { return filepath.Join(f.path, "data") }
func (f folder) log() string    { return filepath.Join(f.path, "log") }
func (f folder) socket() string { return filepath.Join(f.path, "s") }

// chooseParent returns where server folders go. A folder that the caller named is used or refused, never replaced.
func chooseParent(named string, as account) (string, error) {
	candidates := []string{os.TempDir(), "/tmp"}
	if named != "" {
		candidates = []string{named}
	}
	var err error
	for _, dir := range candidates {
		if err = suitable(dir, as); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", err
}

func suitable(dir string, as account) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	longest := filepath.Join(dir, folderPrefix+"1234567890", "s", socketName)
	if len(longest) > socketPathLimit {
		return fmt.Errorf("folder %s is too long for a Unix socket in it; choose a shorter one", dir)
	}
	if !as.reaches(dir) {
		return fmt.Errorf("folder %s cannot be reached by user %s, whom the server runs as; choose another one", dir, as.name)
	}
	return nil
}

// newFolder makes a locked folder with an empty data and socket folder for the account.
func newFolder(parent string, as account) (f folder, err error) {
	path, err := os.MkdirTemp(parent, newFolderPrefix)
	if err != nil {
		return folder{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.remove())
		}
	}()
	f.path = path
	if f.lock, err = os.Open(path); err != nil {
		return f, err
	}
	if err = syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return f, fmt.Errorf("locking %s: %w", path, err)
	}
	final := filepath.Join(parent, folderPrefix+strings.TrimPrefix(filepath.Base(path), newFolderPrefix))
	if err = os.Rename(path, final); err != nil {
		return f, err
	}
	f.path = final
	return f, f.fill(as)
}

func (f folder) fill(as account) error {
	if as.credential != nil {
		// The account has to pass through; what lies inside is closed to everybody else.
		if err := os.Chmod(f.path, 0o711); err != nil {
			return err
		}
	}
	return errors.Join(makeFor(as, f.data()), makeFor(as, f.socket()))
}

// empty makes the data folder anew.
func (f folder) empty(as account) error {
	if err := os.RemoveAll(f.data()); err != nil {
		return err
	}
	return makeFor(as, f.data())
}

func makeFor(as account, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return as.own(dir)
}

func (f folder) remove() error {
	err := os.RemoveAll(f.path)
	if f.lock != nil {
		err = errors.Join(err, f.lock.Close())
	}
	return err
}

// removeStale deletes the folders of this user whose owners are gone. Errors are left for the next start: a server
// that is just dying may still write into its folder.
func removeStale(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.IsDir() || !ownedByUs(info) {
			continue
		}
		isNew := strings.HasPrefix(entry.Name(), newFolderPrefix) && time.Since(info.ModTime()) < newFolderAge
		if isNew || !strings.HasPrefix(strings.TrimPrefix(entry.Name(), "."), folderPrefix) {
			continue
		}
		removeIfAbandoned(filepath.Join(parent, entry.Name()))
	}
}

func ownedByUs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func removeIfAbandoned(path string) {
	lock, err := os.Open(path)
	if err != nil {
		return
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.RemoveAll(path)
	}
}
