package templates

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// FileBytesMax bounds a template file.
const FileBytesMax = 1 << 20

// Options say how templates are loaded. The zero value is valid.
type Options struct {
	// Environment selects the overrides under the template's environments key. Empty, or an environment that a template
	// does not know, selects none.
	Environment string
}

// Set is what was loaded from one or more files.
type Set struct {
	// Templates are those without faults, by file.
	Templates []*Template
	// Warnings are worth telling but prevent nothing.
	Warnings []*Error
}

// Unique returns the templates that no other file has too: which one of two is meant is unknown.
func (s Set) Unique() []*Template {
	count := map[[3]string]int{}
	for _, t := range s.Templates {
		count[t.key()]++
	}
	return slices.DeleteFunc(slices.Clone(s.Templates), func(t *Template) bool { return count[t.key()] > 1 })
}

// key is what is unique among templates.
func (t *Template) key() [3]string { return [3]string{t.Namespace, t.Name, t.Version} }

// Find returns the template of that namespace, name and version, or nil.
func (s Set) Find(namespace, name, version string) *Template {
	for _, t := range s.Templates {
		if t.Namespace == namespace && t.Name == name && t.Version == version {
			return t
		}
	}
	return nil
}

// Load reads the one template of a file. Its error joins an [*Error] for each fault.
func Load(path string, opts Options) (*Template, error) {
	set, err := LoadPaths([]string{path}, opts)
	if err != nil {
		return nil, err
	}
	if len(set.Templates) != 1 {
		return nil, &Error{File: path, Message: fmt.Sprintf("has templates: %d", len(set.Templates)), Hint: "name one file"}
	}
	return set.Templates[0], nil
}

// Parse reads a template from data; file is its name in errors. Warnings are returned with and without an error.
func Parse(file string, data []byte, opts Options) (template *Template, warnings []*Error, err error) {
	r := &diagnostics{file: file}
	t := r.parse(data, opts)
	sortErrors(r.warnings)
	return t, r.warnings, join(r.faults)
}

// parse returns nil when it reported a fault.
func (r *diagnostics) parse(data []byte, opts Options) *Template {
	root := r.parseYAML(data)
	if root == nil {
		return nil
	}
	if !r.checkShape(root) {
		return nil
	}
	merged := r.mergeEnvironment(root, opts.Environment)
	r.checkRequired(merged)
	t := r.build(merged)
	r.checkGraph(merged, t)
	r.checkSchema(merged, t)
	if len(r.faults) > 0 {
		return nil
	}
	return t
}

// readFile returns the bytes of a file that is small enough.
func readFile(path string) ([]byte, *Error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &Error{File: path, Message: "cannot be read: " + reason(err)}
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, FileBytesMax+1))
	if err != nil {
		return nil, &Error{File: path, Message: "cannot be read: " + reason(err)}
	}
	if len(data) > FileBytesMax {
		return nil, &Error{File: path, Message: fmt.Sprintf("is larger than the %d bytes allowed", FileBytesMax)}
	}
	return data, nil
}

// reason is err without the path that the message names already.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}
