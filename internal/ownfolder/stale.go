package ownfolder

import (
	"os"
	"path/filepath"
	"strings"
)

// RemoveStale removes the folders with this prefix whose owners were killed. Before each, it calls before with its path, if
// there is such a function. What may not be removed is left, and so is what cannot be.
func RemoveStale(parent, prefix string, before func(path string)) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() && hasForm(entry.Name(), prefix) {
			RemoveAbandoned(filepath.Join(parent, entry.Name()), before)
		}
	}
}

// hasForm says whether a name is the prefix and a number, as [os.MkdirTemp] makes them.
func hasForm(name, prefix string) bool {
	number, ok := strings.CutPrefix(name, prefix)
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// RemoveAbandoned removes one folder in the way of [RemoveStale].
func RemoveAbandoned(path string, before func(path string)) {
	folder, err := openFolder(path)
	if err != nil {
		return
	}
	defer folder.Close() // nothing was written
	if !isMarked(path, folder) || lock(folder) != nil {
		return
	}
	root, err := openSame(path, folder)
	if err != nil {
		return
	}
	defer root.Close()
	if before != nil {
		before(path)
	}
	_ = remove(path, root) // the next start tries again
}
