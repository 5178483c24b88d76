package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/tasker-systems/tasker-worker/executors"
	"github.com/tasker-systems/tasker-worker/templates"
)

type templateValidate struct {
	Paths      []string `arg:""                                                              help:"Files or folders; TASKER_TEMPLATES_DIR when there are none." optional:""`
	NoHandlers bool     `help:"Do not start the handler processes to ask what they serve."`
	JSON       bool     `help:"Print JSON."                                                  name:"json"`
}

// Help implements kong's extension.
func (templateValidate) Help() string {
	return `Prints each fault as FILE:LINE:COLUMN: what is wrong (what to do about it), and exits with 1 when there is one.
Handlers that cannot be loaded are warnings, with the traceback of their language, unless a template names them.
For example:

    tasker-worker template validate
    tasker-worker template validate --no-handlers templates/shop/checkout.yaml`
}

// finding is one fault or warning, for JSON.
type finding struct {
	File string `json:"file"`
	// Line and Column count from 1; 0 means the whole file.
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	// Traceback is that of a handler file that could not be loaded.
	Traceback []string `json:"traceback,omitempty"`
	Warning   bool     `json:"warning"`
}

// findings is what a validation has found.
type findings struct {
	templates        int
	faults, warnings []*templates.Error
	problems         []executors.Problem
}

// Run prints every fault and exits with 1 when there is one.
func (cmd templateValidate) Run(ctx context.Context, s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	paths := cmd.Paths
	if len(paths) == 0 {
		paths = []string{c.TemplatesDir}
	}
	set, loadErr := templates.LoadPaths(paths, templates.Options{Environment: c.Environment})
	found := &findings{templates: len(set.Templates), faults: templates.Errors(loadErr), warnings: set.Warnings}
	if loadErr != nil && len(found.faults) == 0 {
		return setupError{loadErr}
	}
	if !cmd.NoHandlers && len(set.Templates) > 0 {
		if err := found.askHandlers(ctx, c, set.Templates); err != nil {
			return err
		}
	}
	if err := cmd.print(s, c, found); err != nil {
		return err
	}
	if len(found.faults) > 0 {
		return exitError(exitFailure)
	}
	return nil
}

// askHandlers starts the handler processes to see what they serve. What they log is left out: the problems say it all.
func (f *findings) askHandlers(ctx context.Context, c config, all []*templates.Template) error {
	silent := slog.New(slog.DiscardHandler)
	supervisor, err := startExecutors(ctx, c, nil, nil, silent)
	if err != nil {
		return err
	}
	defer stopExecutors(ctx, supervisor, silent)
	f.problems = supervisor.Problems()
	served := handlerNames(supervisor)
	for _, t := range all {
		f.faults = append(f.faults, t.CheckHandlers(served)...)
		f.faults = append(f.faults, t.CheckCommands(supervisor.FindCommand)...)
	}
	return nil
}

func (cmd templateValidate) print(s streams, c config, found *findings) error {
	if cmd.JSON {
		return printJSON(s.out, found.list(c))
	}
	for _, problem := range found.problems {
		fmt.Fprintln(s.err, "warning: handler not served:", printableLines(problem.Detail()))
	}
	for _, warning := range found.warnings {
		fmt.Fprintln(s.out, "warning:", printable(warning.Error()))
	}
	for _, fault := range found.faults {
		fmt.Fprintln(s.out, printable(fault.Error()))
	}
	if len(found.faults) > 0 {
		_, err := fmt.Fprintln(s.out, plural(len(found.faults), "fault"))
		return err
	}
	verb := "are"
	if found.templates == 1 {
		verb = "is"
	}
	_, err := fmt.Fprintf(s.out, "%s %s valid\n", plural(found.templates, "template"), verb)
	return err
}

// list is everything that was found, faults first.
func (f *findings) list(c config) []finding {
	all := []finding{}
	for _, e := range f.faults {
		all = append(all, finding{File: e.File, Line: e.Line, Column: e.Column, Message: e.Message, Hint: e.Hint})
	}
	for _, e := range f.warnings {
		all = append(all, finding{File: e.File, Line: e.Line, Column: e.Column, Message: e.Message, Hint: e.Hint, Warning: true})
	}
	for _, p := range f.problems {
		file := c.ExecutorsDir
		if p.File != "" {
			file = filepath.Join(c.ExecutorsDir, p.File)
		}
		all = append(all, finding{File: file, Message: "handler not served: " + p.Message, Traceback: p.Traceback, Warning: true})
	}
	return all
}
