package executors

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// hostFiles are the host programs. They are started from a copy, so that the worker is one file to deploy. README.md maps
// their files.
//
//go:embed all:ruby/tasker_host all:python/tasker_host all:node/tasker_host
var hostFiles embed.FS

// unpackHosts writes the host programs below dir.
func unpackHosts(dir string) error {
	return eachHostFile(func(name string, content []byte) error {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
}

// eachHostFile calls use with every file of the hosts, in the order of their names.
func eachHostFile(use func(name string, content []byte) error) error {
	return fs.WalkDir(hostFiles, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path.Base(name) == "__pycache__":
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		content, err := hostFiles.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the embedded %s: %w", name, err)
		}
		return use(name, content)
	})
}
