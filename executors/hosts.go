package executors

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// hostFiles are the host programs. They are started from a copy, so that the worker is one file to deploy.
//
//go:embed all:ruby/tasker_host all:python/tasker_host all:node/tasker_host
var hostFiles embed.FS

// unpackHosts writes the host programs below dir.
func unpackHosts(dir string) error {
	return fs.WalkDir(hostFiles, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(name))
		switch {
		case entry.IsDir() && path.Base(name) == "__pycache__":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		}
		content, err := hostFiles.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the embedded %s: %w", name, err)
		}
		return os.WriteFile(target, content, 0o600)
	})
}
