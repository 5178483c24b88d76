package ownfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is a folder of this process, which is locked as long as the process lives. The zero Folder is none.
type Folder struct {
	// Path is where it is.
	Path string

	lock *os.File
}

// Make makes a folder below parent. Its name is the prefix and a number.
func Make(parent, prefix string) (f Folder, err error) {
	if f.Path, err = os.MkdirTemp(parent, prefix); err != nil {
		return Folder{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Remove())
		}
	}()
	if f.lock, err = os.Open(f.Path); err != nil {
		return f, err
	}
	// The marker comes last: whoever finds it finds the lock, too.
	if err = lock(f.lock); err != nil {
		return f, fmt.Errorf("locking %s: %w", f.Path, err)
	}
	return f, Mark(f.Path, filepath.Base(f.Path))
}

// Remove removes the folder with all that is in it.
func (f Folder) Remove() error {
	if f.lock == nil {
		if f.Path == "" {
			return nil
		}
		return os.Remove(f.Path) // nothing is in it yet
	}
	defer f.lock.Close() // nothing was written
	root, err := openSame(f.Path, f.lock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return remove(f.Path, root)
}

// remove removes what is in the folder, the marker last, so that a removal that is interrupted can be taken up again.
func remove(path string, root *os.Root) error {
	if err := refuseMounts(path); err != nil {
		return err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != markerName {
			err = errors.Join(err, root.RemoveAll(entry.Name()))
		}
	}
	if err != nil {
		return err
	}
	return errors.Join(root.RemoveAll(markerName), os.Remove(path))
}

// Discard removes a folder that this process has made for something of its own, with all that is in it, but nothing that was
// mounted there meanwhile.
func Discard(path string) error {
	if err := refuseMounts(path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// openSame opens the folder if it is still the one that the file is of.
func openSame(path string, of *os.File) (*os.Root, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	named, namedErr := os.Lstat(path)
	opened, openedErr := root.Stat(".")
	want, wantErr := of.Stat()
	if err := errors.Join(namedErr, openedErr, wantErr); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	if !os.SameFile(named, want) || !os.SameFile(opened, want) {
		return nil, errors.Join(fmt.Errorf("%s is another folder by now, and is left alone", path), root.Close())
	}
	return root, nil
}

func lock(folder *os.File) error {
	return syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// refuseMounts says what is mounted below a folder: it is not the folder's own, whoever has mounted it.
func refuseMounts(path string) error {
	resolved, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return err
	}
	if mount := mountBelow(filepath.Join(resolved, filepath.Base(path))); mount != "" {
		return fmt.Errorf("%s is left alone: something is mounted on %s", path, mount)
	}
	return nil
}
