package ownfolder

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// markerName is the file that says that a folder may be removed.
const markerName = ".tasker-worker-owns-this"

// marker is the only content of a marker file that counts for a folder.
func marker(name string, inode uint64) string {
	return fmt.Sprintf("%s, number %d on its disk, belongs to tasker-worker, which removes it with all that is in it.\n", name, inode)
}

func isMarked(path string, folder *os.File) bool {
	stat, err := statOf(folder)
	if err != nil || int(stat.Uid) != os.Geteuid() {
		return false
	}
	file, err := os.OpenFile(filepath.Join(path, markerName), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	own, err := statOf(file)
	if err != nil || own.Uid != stat.Uid || own.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return false
	}
	want := marker(filepath.Base(path), stat.Ino)
	found := make([]byte, len(want)+1)
	n, _ := file.Read(found) // what cannot be read is not what is wanted
	return string(found[:n]) == want
}

func statOf(file *os.File) (*syscall.Stat_t, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%s: this system does not say whose it is", file.Name())
	}
	return stat, nil
}

// Mark marks a folder that this process has made and will give its name, for [IsMarked] and [RemoveMarked]. It is for folders
// that stay and that several processes share: nobody holds a lock on them.
func Mark(path, name string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close() // nothing was written
	stat, err := statOf(folder)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, markerName), []byte(marker(name, stat.Ino)), 0o600)
}

// IsMarked says whether [Mark] has marked the folder for this user, under its present name and in its present place.
func IsMarked(path string) bool {
	folder, err := openFolder(path)
	if err != nil {
		return false
	}
	defer folder.Close() // nothing was written
	return isMarked(path, folder)
}

// RemoveMarked removes a folder with all that is in it, if [IsMarked] says yes.
func RemoveMarked(path string) error {
	folder, err := openFolder(path)
	if err != nil {
		return err
	}
	defer folder.Close() // nothing was written
	if !isMarked(path, folder) {
		return fmt.Errorf("%s was not made by tasker-worker, and is left alone", path)
	}
	root, err := openSame(path, folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return remove(path, root)
}

// openFolder opens a folder, and no link to one.
func openFolder(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
}
