package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// fileState is what the folders of handlers and templates look like: names, sizes, times and identities of their files. Two
// equal states have the same files.
type fileState struct{ handlers, templates uint64 }

// folderGone is the state of a folder that is not there.
const folderGone uint64 = 0

func newFileState(c config) fileState {
	return fileState{handlers: folderState(c.ExecutorsDir), templates: folderState(c.TemplatesDir)}
}

// folderState follows links, as those who load the files do.
func folderState(root string) uint64 {
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return folderGone
	}
	sum := fnv.New64a()
	eachFile(root, 0, func(path string, info os.FileInfo) {
		fmt.Fprintln(sum, path, info.Size(), info.ModTime().Format(time.RFC3339Nano), info.Mode(), identity(info))
	})
	return max(sum.Sum64(), folderGone+1)
}

// identity tells a file from another one that took its place.
func identity(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}

// deepest bounds what links that lead in a circle can cost.
const deepest = 32

// eachFile visits the files below a folder in the order of their names; what cannot be read is left out.
func eachFile(folder string, depth int, visit func(path string, info os.FileInfo)) {
	entries, err := os.ReadDir(folder)
	if err != nil || depth > deepest {
		return
	}
	for _, entry := range entries {
		if ignored(entry.Name()) {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case info.IsDir():
			eachFile(path, depth+1, visit)
		default:
			visit(path, info)
		}
	}
}

// eachFolder visits a folder and those below it.
func eachFolder(folder string, depth int, visit func(path string)) {
	visit(folder)
	entries, err := os.ReadDir(folder)
	if err != nil || depth > deepest {
		return
	}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		if info, err := os.Stat(path); err == nil && info.IsDir() && !ignored(entry.Name()) {
			eachFolder(path, depth+1, visit)
		}
	}
}

// differs says what of the files is other than before. A folder that is not there has not changed: nothing could be loaded
// from it, and what was loaded goes on.
func (s fileState) differs(before fileState) fileState {
	var changed fileState
	if s.handlers != before.handlers && s.handlers != folderGone {
		changed.handlers = s.handlers
	}
	if s.templates != before.templates && s.templates != folderGone {
		changed.templates = s.templates
	}
	return changed
}

// with returns the state after what changed has been loaded.
func (s fileState) with(changed fileState) fileState {
	if changed.handlers != folderGone {
		s.handlers = changed.handlers
	}
	if changed.templates != folderGone {
		s.templates = changed.templates
	}
	return s
}
