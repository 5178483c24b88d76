package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// The folders of executions are in a folder that belongs to the handlers, who may be another user than a worker that runs as
// root. Whatever a path leads to, they can have put there, at any moment: so the worker follows no symlink, looks at a folder once
// and then works in what it has opened, and changes the owner of nothing but what it has made.

// make makes the folder.
func (f *executionFiles) make() error {
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		return err
	}
	folder, err := f.open()
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := f.give(folder); err != nil {
		return err
	}
	at := unix.NsecToTimeval(untouched.UnixNano())
	return unix.Futimes(int(folder.Fd()), []unix.Timeval{at, at})
}

func (f *executionFiles) open() (*os.File, error) {
	folder, err := os.OpenFile(f.dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("step's scratch folder: %w", err)
	}
	return folder, nil
}

// openIn opens a file of a folder.
func openIn(folder *os.File, name string, flags int) (*os.File, error) {
	fd, err := unix.Openat(int(folder.Fd()), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("file %s in the step's scratch folder: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

func removeFrom(folder *os.File, name string) error { return unix.Unlinkat(int(folder.Fd()), name, 0) }

// create makes a new file, in the place of one that is there.
func (f *executionFiles) create(name string, data []byte) error {
	folder, err := f.open()
	if err != nil {
		return err
	}
	defer folder.Close()
	_ = removeFrom(folder, name) // nearly always there is none
	file, err := openIn(folder, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, f.give(file), file.Close())
}

// give lets the handlers have what the worker has made.
func (f *executionFiles) give(made *os.File) error {
	if f.owner == nil {
		return nil
	}
	return made.Chown(int(f.owner.UID), int(f.owner.GID))
}

// readRegular reads a regular file directly in the folder, and removes it. Opening a named pipe does not wait.
func (f *executionFiles) readRegular(file wire.File) ([]byte, error) {
	folder, err := f.open()
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	opened, err := openIn(folder, file.Path, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", file.Path)
	}
	data, err := io.ReadAll(io.LimitReader(opened, file.Bytes+1))
	_ = removeFrom(folder, file.Path) // goes with the folder at the latest
	return data, err
}
