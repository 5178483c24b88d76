package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

type newCommand struct {
	Template newTemplate `cmd:"" help:"Write a template with a handler for each of its steps."`
	Handler  newHandler  `cmd:"" help:"Write a handler."`
}

// skeletons are what the files of a beginning look like.
//
//go:embed skeletons
var skeletons embed.FS

// newLanguage is how handlers of a language are named and kept.
type newLanguage struct {
	name, extension string
	// testEnding is that of a test's name; _ in front of the name keeps it from being loaded.
	testEnding string
	// handler makes the name under which the host serves it.
	handler func(namespace, step string) string
	// runTest is the shell's line that runs a test, made of its file, or of the language's folder and the test's module.
	runTest string
}

func newLanguages() []newLanguage {
	dotted := func(namespace, step string) string { return namespace + "." + step }
	return []newLanguage{
		{
			name: "ruby", extension: ".rb", testEnding: "_test.rb",
			handler: func(namespace, step string) string { return camel(namespace) + "::" + camel(step) },
			runTest: `ruby -I"$(tasker-worker sdk path ruby)" %[1]s`,
		},
		{
			name: "python", extension: ".py", testEnding: "_test.py",
			handler: func(namespace, step string) string { return dotted(namespace, step) + "." + step },
			runTest: `PYTHONPATH="$(tasker-worker sdk path python)":%[2]s python3 -m unittest %[3]s`,
		},
		{
			name: "node", extension: ".js", testEnding: ".test.js", handler: dotted,
			runTest: `NODE_PATH="$(tasker-worker sdk path node)" node --test %[1]s`,
		},
	}
}

func findLanguage(name string) newLanguage {
	for _, l := range newLanguages() {
		if l.name == name {
			return l
		}
	}
	panic("kong let through the language " + name)
}

// file is where the handler of a step goes.
func (l newLanguage) file(c config, namespace, step string) string {
	return filepath.Join(c.ExecutorsDir, l.name, namespace, step+l.extension)
}

// testFile is where its unit test goes.
func (l newLanguage) testFile(c config, namespace, step string) string {
	return filepath.Join(c.ExecutorsDir, l.name, namespace, "_"+step+l.testEnding)
}

// testCommand is the shell's line that runs the unit test.
func (l newLanguage) testCommand(c config, namespace, step string) string {
	file, folder := l.testFile(c, namespace, step), filepath.Join(c.ExecutorsDir, l.name)
	module := namespace + "." + strings.TrimSuffix(filepath.Base(file), l.extension)
	return fmt.Sprintf(l.runTest, quoteArgument(file), quoteArgument(folder), module)
}

func camel(snake string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(snake, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

type newTemplate struct {
	Name     string   `arg:""              help:"NAMESPACE/NAME, in small letters with _ between words." placeholder:"NAMESPACE/NAME"`
	Language string   `default:"ruby"      enum:"ruby,python,node"                                       help:"The language of the handlers: ${enum}."`
	Steps    []string `default:"first,second" help:"The steps, each after the one before."               placeholder:"STEP"`
}

// Help implements kong's extension.
func (newTemplate) Help() string {
	return `Writes into TASKER_TEMPLATES_DIR and TASKER_EXECUTORS_DIR, and never over a file that is there. Each handler has a
unit test beside it. For example:

    tasker-worker new template shop/checkout --language python --steps validate,charge,ship`
}

// Run writes the template and its handlers.
func (cmd newTemplate) Run(s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	namespace, name, _ := strings.Cut(cmd.Name, "/")
	if err := checkNames(append([]string{namespace, name}, cmd.Steps...)); err != nil {
		return setupError{err}
	}
	language := findLanguage(cmd.Language)
	files := map[string][]byte{}
	path := filepath.Join(c.TemplatesDir, namespace, name+".yaml")
	steps := make([]newStep, len(cmd.Steps))
	for i, step := range cmd.Steps {
		steps[i] = newStep{Namespace: namespace, Name: step, Handler: language.handler(namespace, step)}
		if i > 0 {
			steps[i].After = cmd.Steps[i-1]
		}
		steps[i].write(files, c, language)
	}
	files[path] = fill("template.yaml", map[string]any{"Namespace": namespace, "Name": name, "Steps": steps})
	if err := writeFiles(s, files); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "\nnext: write the handlers and their tests, then\n"+
		"    %s\n"+
		"    tasker-worker template validate %s\n"+
		"    tasker-worker handler run %s --context '{}' --watch\n"+
		"    tasker-worker run --watch\n"+
		"    tasker-worker task create %s/%s@1.0.0 --context '{}' --wait\n",
		language.testCommand(c, namespace, steps[0].Name), path, steps[0].Handler, namespace, name)
	return err
}

type newHandler struct {
	Name     string `arg:""         help:"NAMESPACE/NAME, in small letters with _ between words." placeholder:"NAMESPACE/NAME"`
	Language string `default:"ruby" enum:"ruby,python,node"                                       help:"The language: ${enum}."`
}

// Help implements kong's extension.
func (newHandler) Help() string {
	return `Writes the handler and a unit test into TASKER_EXECUTORS_DIR, and never over a file that is there. For example:

    tasker-worker new handler shop/charge_card --language node`
}

// Run writes the handler.
func (cmd newHandler) Run(s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	namespace, name, _ := strings.Cut(cmd.Name, "/")
	if err := checkNames([]string{namespace, name}); err != nil {
		return setupError{err}
	}
	language := findLanguage(cmd.Language)
	step := newStep{Namespace: namespace, Name: name, Handler: language.handler(namespace, name)}
	files := map[string][]byte{}
	step.write(files, c, language)
	if err := writeFiles(s, files); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "\nnext: write the handler and its test, name it in a template as handler_class: %s, and try it with\n"+
		"    %s\n"+
		"    tasker-worker handler run %s --context '{}' --watch\n", step.Handler, language.testCommand(c, namespace, name), step.Handler)
	return err
}

// newStep is what the skeletons are filled with.
type newStep struct{ Namespace, Name, Handler, After string }

// Module and Class are the Ruby constants.
func (s newStep) Module() string { return camel(s.Namespace) }

// Class is the Ruby class.
func (s newStep) Class() string { return camel(s.Name) }

func (s newStep) write(files map[string][]byte, c config, l newLanguage) {
	files[l.file(c, s.Namespace, s.Name)] = fill("handler"+l.extension, s)
	files[l.testFile(c, s.Namespace, s.Name)] = fill("test"+l.extension, s)
}

// checkNames refuses what could not be a file, a module and a function in every language.
func checkNames(names []string) error {
	good := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for i, name := range names {
		if !good.MatchString(name) {
			return fmt.Errorf("%q is no name: use small letters, digits and _ between words; templates and handlers are given as NAMESPACE/NAME", name)
		}
		if i > 1 && seen[name] {
			return fmt.Errorf("the step %s is named twice", name)
		}
		seen[name] = i > 1
	}
	return nil
}

// fill panics when a skeleton is at fault, which the tests would see.
func fill(skeleton string, data any) []byte {
	parsed := template.Must(template.ParseFS(skeletons, "skeletons/"+skeleton))
	var b bytes.Buffer
	if err := parsed.Execute(&b, data); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// writeFiles writes all of them, or none when one is there already.
func writeFiles(s streams, files map[string][]byte) error {
	paths := slices.Sorted(maps.Keys(files))
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return setupError{fmt.Errorf("%s is there already, and nothing was written: choose another name, or move the file away", path)}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return setupError{err}
		}
	}
	for _, path := range paths {
		if err := writeNew(path, files[path]); err != nil {
			return setupError{err}
		}
		fmt.Fprintln(s.out, "wrote", path)
	}
	return nil
}

func writeNew(path string, content []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.Write(content)
	return err
}
