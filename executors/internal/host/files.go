package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// FileBytesMax bounds a payload that goes by file.
const FileBytesMax = 64 << 20

// executionFiles is the scratch folder of one execution. A nil one is none.
type executionFiles struct {
	dir string
	// owner is who the handlers run as, nil for the worker's own user.
	owner *process.User
	// spare gets the folder back when it was not written to.
	spare *scratchPool
}

var _ wire.Files = (*executionFiles)(nil)

// scratchPool keeps empty scratch folders. To make and remove one for each execution would cost more than all else that
// the worker does for it.
type scratchPool struct {
	// mu protects the fields below.
	mu   sync.Mutex
	made int
	free []string
}

// untouched is the time of change of a folder in which no file was made or removed.
var untouched = time.Unix(0, 0) //nolint:gochecknoglobals // a constant that Go cannot write as one

// openFiles finds or makes the folder. Without one everything goes in messages.
func (h *Host) openFiles() *executionFiles {
	if h.options.Scratch == "" {
		return nil
	}
	f := &executionFiles{owner: h.options.Command.User, spare: &h.scratchPool}
	if f.dir = h.scratchPool.take(); f.dir != "" {
		return f
	}
	f.dir = filepath.Join(h.options.Scratch, h.scratchPool.name())
	if err := f.make(); err != nil {
		h.logger.Warn("no scratch folder for a step", "error", err)
		return nil
	}
	return f
}

func (f *scratchPool) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.free) == 0 {
		return ""
	}
	dir := f.free[len(f.free)-1]
	f.free = f.free[:len(f.free)-1]
	return dir
}

func (f *scratchPool) name() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made++
	return "step-" + strconv.Itoa(f.made)
}

func (f *scratchPool) put(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = append(f.free, dir)
}

// Dir is the folder's path, empty when there is none.
func (f *executionFiles) Dir() string {
	if f == nil {
		return ""
	}
	return f.dir
}

// Close removes what was written. A folder in which nothing is serves again.
func (f *executionFiles) Close() {
	if f == nil {
		return
	}
	if info, err := os.Lstat(f.dir); err == nil && info.IsDir() && info.ModTime().Equal(untouched) {
		f.spare.put(f.dir)
		return
	}
	_ = os.RemoveAll(f.dir) // goes with the scratch folder of the process at the latest
}

// Write makes a file for the handler.
func (f *executionFiles) Write(name string, data []byte) (wire.File, error) {
	if len(data) > FileBytesMax {
		return wire.File{}, fmt.Errorf("they have %d bytes: %w", len(data), wire.ErrFileTooLarge)
	}
	if err := f.create(name, data); err != nil {
		return wire.File{}, err
	}
	hash := sha256.Sum256(data)
	return wire.File{Bytes: int64(len(data)), Path: name, SHA256: hex.EncodeToString(hash[:])}, nil
}

// Read implements [wire.Files]: it reads a file that the handler made, and believes nothing about it.
func (f *executionFiles) Read(file wire.File) ([]byte, error) {
	if f == nil {
		return nil, errors.New("this process has no scratch folder for files")
	}
	if file.Path != filepath.Base(file.Path) || file.Path == "." || file.Path == ".." || filepath.IsAbs(file.Path) {
		return nil, fmt.Errorf("path %.100q is no plain name in the step's scratch folder", file.Path)
	}
	if file.Bytes > FileBytesMax {
		return nil, wire.ErrFileTooLarge
	}
	data, err := f.readRegular(file)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != file.Bytes {
		return nil, fmt.Errorf("file %s has other than the %d bytes that were promised", file.Path, file.Bytes)
	}
	if hash := sha256.Sum256(data); hex.EncodeToString(hash[:]) != file.SHA256 {
		return nil, fmt.Errorf("file %s has another SHA-256 than was promised", file.Path)
	}
	return data, nil
}
