package devdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tasker-systems/tasker-worker/internal/ownfolder"
)

const (
	folderPrefix = "tasker-pg-"
	socketName   = ".s.PGSQL.5432"
	// socketPathLimit is what fits into sun_path on the systems with the smallest one.
	socketPathLimit = 103
)

// folder is all that one server has on disk.
type folder struct{ ownfolder.Folder }

func (f folder) data() string   { return filepath.Join(f.Path, "data") }
func (f folder) log() string    { return filepath.Join(f.Path, "log") }
func (f folder) socket() string { return filepath.Join(f.Path, "s") }

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

// newFolder makes a folder with an empty data and socket folder for the account.
func newFolder(parent string, as account) (f folder, err error) {
	if f.Folder, err = ownfolder.Make(parent, folderPrefix); err != nil {
		return folder{}, err
	}
	if err = f.fill(as); err != nil {
		return f, errors.Join(err, f.Remove())
	}
	return f, nil
}

func (f folder) fill(as account) error {
	if as.credential != nil {
		// The account has to pass through; what lies inside is closed to everybody else.
		if err := os.Chmod(f.Path, 0o711); err != nil {
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

// removeStale deletes the folders whose owners were killed. Errors are left for the next start: a server that is just dying may
// still write into its folder.
func removeStale(parent string) { ownfolder.RemoveStale(parent, folderPrefix, nil) }
