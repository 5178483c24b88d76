package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tasker-systems/tasker-worker/sql"
)

// Permissions that others of the machine must not have, and how chmod takes them away.
const (
	othersWrite fs.FileMode = 0o002
	othersRead  fs.FileMode = 0o004
)

// exposedFile is a file or folder whose mode lets others in.
type exposedFile struct {
	variable, path string
	mode           fs.FileMode
	// costs is what others can do, and do the command that ends it.
	costs, do string
}

// exposedFiles looks at the files with credentials, which others must neither read nor write, and at the folders of
// handlers and templates with all that is in them, which others must not write. What is not there is for others to
// complain about.
func exposedFiles(c config) []exposedFile {
	var found []exposedFile
	for _, secret := range []struct{ variable, path string }{
		{"DATABASE_URL_FILE", c.DatabaseURLFile},
		{"TASKER_HEALTH_TOKEN_FILE", c.HealthTokenFile},
		{"TASKER_SECRETS_FILE", c.SecretsFile},
	} {
		if mode, exposed := exposedMode(secret.path, othersRead|othersWrite); exposed {
			found = append(found, exposedFile{
				secret.variable, secret.path, mode,
				"every account of the machine gets at what is in it", "chmod 0400 " + quoteArgument(secret.path),
			})
		}
	}
	for _, folder := range []struct{ variable, path, costs string }{
		{"TASKER_EXECUTORS_DIR", c.ExecutorsDir, "every account of the machine can have code of its own run"},
		{"TASKER_TEMPLATES_DIR", c.TemplatesDir, "every account of the machine can change what tasks do"},
	} {
		if path, mode := writableByOthers(folder.path); path != "" {
			found = append(found, exposedFile{folder.variable, path, mode, folder.costs, closeToOthers(folder.path, path)})
		}
	}
	return found
}

// closeToOthers is the command that takes the write permission of others from a path in a folder, and from all else in it.
// chmod follows no links within a folder: what they lead to has to be named.
func closeToOthers(folder, path string) string {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			return "chmod o-w " + quoteArgument(target)
		}
	}
	return "chmod -R o-w " + quoteArgument(folder)
}

// exposedMode is the mode of what a path leads to, and whether it has one of the permissions.
func exposedMode(path string, permissions fs.FileMode) (fs.FileMode, bool) {
	if path == "" {
		return 0, false
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode()&permissions != 0
}

// writableByOthers is the first path in a folder that others can write, empty when there is none. It does not go into
// packages and hidden folders, which are large.
func writableByOthers(folder string) (first string, mode fs.FileMode) {
	resolved, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return "", 0
	}
	_ = filepath.WalkDir(resolved, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what cannot be read is not loaded either
		}
		found, exposed := exposedMode(path, othersWrite)
		switch {
		case exposed:
			first, mode = path, found
			return fs.SkipAll
		case entry.IsDir() && path != resolved && (entry.Name()[0] == '.' || entry.Name() == "node_modules"):
			return fs.SkipDir
		}
		return nil
	})
	return first, mode
}

// warnOfExposedFiles says at start which files others can get at.
func warnOfExposedFiles(c config, log *slog.Logger) {
	for _, file := range exposedFiles(c) {
		log.Warn("others can get at a file of the worker: "+file.costs, "variable", file.variable, "path", file.path,
			"mode", fmt.Sprintf("%04o", file.mode), "do", file.do)
	}
}

// finding is the file as the doctor shows it.
func (f exposedFile) finding() sql.Finding {
	return sql.Finding{
		Kind: sql.FindingExposedFile, Object: f.path,
		What:  fmt.Sprintf("%s of %s has mode %04o.", f.path, f.variable, f.mode),
		Costs: "With it, " + f.costs + ".", Do: "Run " + f.do + ".", Statements: []string{},
	}
}
