package templates_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/templates"
)

const oneStep = "step_templates:\n  - {name: a, handler_class: H}\n"

// folder writes files, given by their path, into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func refs(set templates.Set) []string {
	var names []string
	for _, template := range set.Templates {
		names = append(names, template.Ref())
	}
	return names
}

func TestLoadDirFindsTemplates(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a.yaml":              "name: a\n" + oneStep,
		"b.yml":               "name: b\n" + oneStep,
		"deep/er/c.yaml":      "name: c\n" + oneStep,
		"notes.txt":           "no template",
		"testdata/x.yaml":     "no template",
		"deep/testdata/x.yml": "no template",
		"_off/x.yaml":         "no template",
		".git/x.yaml":         "no template",
		"_off.yaml":           "no template",
		".hidden.yml":         "no template",
	})
	set, err := templates.LoadDir(dir, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"default/a@0.1.0", "default/b@0.1.0", "default/c@0.1.0"}, refs(set)); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
	if got := set.Find("default", "b", "0.1.0"); got == nil || got.File != filepath.Join(dir, "b.yml") {
		t.Errorf("Find = %+v", got)
	}
	if got := set.Find("default", "b", "0.2.0"); got != nil {
		t.Errorf("Find of another version = %+v", got)
	}
}

// TestLoadDirFollowsLinks has the layout of a mounted Kubernetes ConfigMap, in a folder that is a link itself.
func TestLoadDirFollowsLinks(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"mount/..data/a.yaml": "name: a\n" + oneStep})
	for link, target := range map[string]string{"mount/a.yaml": "..data/a.yaml", "link": "mount"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := templates.LoadDir(filepath.Join(dir, "link"), templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"default/a@0.1.0"}, refs(set)); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}

func TestLoadDirReportsAllFaults(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"1.yaml":    "name: a\n" + oneStep,
		"2.yaml":    "# the same\nname: a\n" + oneStep,
		"3.yaml":    "name: [\n",
		"4.yaml":    "name: d\nversion: x\nnamed_steps: y\n" + oneStep,
		"5.yaml":    "name: e\n" + oneStep,
		"link.yaml": "name: f\n# " + strings.Repeat("x", templates.FileBytesMax),
	})
	if err := os.Symlink("nowhere", filepath.Join(dir, "z.yaml")); err != nil {
		t.Fatal(err)
	}
	set, err := templates.LoadDir(dir, templates.Options{})
	if err == nil {
		t.Fatal("no error")
	}
	want := `DIR/2.yaml:2:1: template default/a@0.1.0 is also in DIR/1.yaml (give one of them another version)
DIR/3.yaml:1:7: sequence end token ']' not found
DIR/4.yaml:2:10: version must be three numbers such as 1.0.0, is "x"
DIR/4.yaml:3:14: named_steps must be a list, is a string
DIR/link.yaml: is larger than the 1048576 bytes allowed
DIR/z.yaml: cannot be read: no such file or directory`
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), dir, "DIR")); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"default/a@0.1.0", "default/a@0.1.0", "default/e@0.1.0"}, refs(set)); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
	if faults := templates.Errors(err); len(faults) != 6 || faults[2].Path != "version" {
		t.Errorf("Errors = %v", faults)
	}
}

func TestLoadPaths(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.yaml": "name: a\n" + oneStep, "b.txt": "name: b\n" + oneStep})
	set, err := templates.LoadPaths([]string{filepath.Join(dir, "b.txt"), dir, filepath.Join(dir, "a.yaml")}, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"default/a@0.1.0", "default/b@0.1.0"}, refs(set)); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
	_, err = templates.LoadPaths([]string{filepath.Join(dir, "absent")}, templates.Options{})
	want := filepath.Join(dir, "absent") + ": cannot be read: no such file or directory (name a template file or a folder of them)"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	template, err := templates.Load(filepath.Join(dir, "a.yaml"), templates.Options{})
	if err != nil || template.Name != "a" {
		t.Errorf("Load = %v, %v", template, err)
	}
	if _, err := templates.Load(os.DevNull, templates.Options{}); err == nil {
		t.Error("a device was loaded")
	}
}
