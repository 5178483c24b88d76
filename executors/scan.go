package executors

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hasHandlerFiles says whether root holds a file that the language's host would load. The hosts skip the same names.
func hasHandlerFiles(root string, extensions []string) (bool, error) {
	resolved, err := filepath.EvalSymlinks(root)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for handlers: %w", err)
	}
	found := false
	err = fs.WalkDir(os.DirFS(resolved), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && isSkipped(entry):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case !entry.IsDir() && slices.Contains(extensions, filepath.Ext(name)) && !isDeclaration(name):
			found = true
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("looking for handlers in %s: %w", root, err)
	}
	return found, nil
}

// isDeclaration says whether a file has nothing but TypeScript's types: name.d.ts, .d.cts or .d.mts.
func isDeclaration(name string) bool {
	ext := filepath.Ext(name)
	return strings.HasSuffix(ext, "ts") && strings.HasSuffix(strings.TrimSuffix(name, ext), ".d")
}

func isSkipped(entry fs.DirEntry) bool {
	name := entry.Name()
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	return entry.IsDir() && isSkippedFolder(name)
}

// isSkippedFolder says whether a folder of that name holds what is not the handlers' own.
func isSkippedFolder(name string) bool {
	folders := []string{"node_modules", "tasker_host", "testdata", "vendor"} // __pycache__ begins with _
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || slices.Contains(folders, name)
}
