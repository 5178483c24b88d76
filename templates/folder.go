package templates

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LoadDir reads every *.yaml and *.yml file in dir and the folders below. Folders named testdata and names that start
// with "." or "_" are skipped. It does not stop at the first fault: the error joins all of them, and the set holds the
// templates that have none.
func LoadDir(dir string, opts Options) (Set, error) {
	return LoadPaths([]string{dir}, opts)
}

// LoadPaths reads files and folders together, as [LoadDir] does one folder. A file that is named is read whatever it
// is called, and once if it is named twice.
func LoadPaths(paths []string, opts Options) (Set, error) {
	files, faults := findFiles(paths)
	var set Set
	for _, file := range files {
		data, fault := readFile(file)
		if fault != nil {
			faults = append(faults, fault)
			continue
		}
		r := &diagnostics{file: file}
		if t := r.parse(data, opts); t != nil {
			set.Templates = append(set.Templates, t)
		}
		faults = append(faults, r.faults...)
		set.Warnings = append(set.Warnings, r.warnings...)
	}
	sortErrors(set.Warnings)
	return set, join(append(faults, checkUnique(set.Templates)...))
}

func findFiles(paths []string) (files []string, faults []*Error) {
	for _, path := range paths {
		found, err := findIn(path)
		if err != nil {
			faults = append(faults, &Error{
				File: path, Message: "cannot be read: " + reason(err), Hint: "name a template file or a folder of them",
			})
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), faults
}

func findIn(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{filepath.Clean(path)}, regular(info)
	}
	var files []string
	// The separator makes WalkDir follow a symbolic link to the folder itself.
	err = filepath.WalkDir(path+string(filepath.Separator), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return skipFolder(path, name)
		case isTemplateFile(name):
			files = append(files, filepath.Clean(name))
		}
		return nil
	})
	return files, err
}

func skipFolder(root, name string) error {
	base := filepath.Base(name)
	if filepath.Clean(name) != filepath.Clean(root) && (base == "testdata" || isHidden(base)) {
		return fs.SkipDir
	}
	return nil
}

// isTemplateFile follows symbolic links: a mounted configuration consists of them.
func isTemplateFile(name string) bool {
	extension := filepath.Ext(name)
	if isHidden(filepath.Base(name)) || (extension != ".yaml" && extension != ".yml") {
		return false
	}
	info, err := os.Stat(name)
	return err != nil || !info.IsDir() && regular(info) == nil
}

func regular(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", info.Name())
	}
	return nil
}

func isHidden(base string) bool {
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}

// checkUnique reports templates of one namespace, name and version in two files.
func checkUnique(all []*Template) []*Error {
	var faults []*Error
	first := map[[3]string]*Template{}
	for _, t := range all {
		earlier, taken := first[t.key()]
		if !taken {
			first[t.key()] = t
			continue
		}
		faults = append(faults, &Error{
			File: t.File, Line: t.Line, Column: 1, Path: "name",
			Message: fmt.Sprintf("template %s is also in %s", t.Ref(), earlier.File),
			Hint:    "give one of them another version",
		})
	}
	return faults
}
