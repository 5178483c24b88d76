package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

type templateCommand struct {
	Validate templateValidate `cmd:"" help:"Check templates, and that every handler they name is served."`
	List     templateList     `cmd:"" help:"List the templates of the folder."`
	Show     templateShow     `cmd:"" help:"Show a template with its graph."`
	Sync     templateSync     `cmd:"" help:"Write the templates to the database, as run does at its start."`
}

type templateValidate struct {
	Paths      []string `arg:""                                                              help:"Files or folders; TASKER_TEMPLATES_DIR when there are none." optional:""`
	NoHandlers bool     `help:"Do not start the handler processes to ask what they serve."`
	JSON       bool     `help:"Print JSON."                                                  name:"json"`
}

// fault is one fault or warning, for JSON.
type fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	Warning bool   `json:"warning"`
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
	faults := templates.Errors(loadErr)
	if loadErr != nil && len(faults) == 0 {
		return setupError{loadErr}
	}
	if !cmd.NoHandlers {
		unserved, err := unservedHandlers(ctx, c, s, set.Templates)
		if err != nil {
			return err
		}
		faults = append(faults, unserved...)
	}
	if err := cmd.print(s, set, faults); err != nil {
		return err
	}
	if len(faults) > 0 {
		return exitError(exitFailure)
	}
	return nil
}

func unservedHandlers(ctx context.Context, c config, s streams, all []*templates.Template) ([]*templates.Error, error) {
	c.LogFormat = "text"
	supervisor, err := startExecutors(ctx, c, newLogger(c, s.err))
	if err != nil {
		return nil, err
	}
	defer stopExecutors(ctx, supervisor, slog.New(slog.DiscardHandler))
	served := handlerNames(supervisor)
	var faults []*templates.Error
	for _, t := range all {
		faults = append(faults, t.CheckHandlers(served)...)
	}
	return faults, nil
}

func (cmd templateValidate) print(s streams, set templates.Set, faults []*templates.Error) error {
	if cmd.JSON {
		all := []fault{}
		for _, e := range faults {
			all = append(all, fault{e.File, e.Line, e.Column, e.Message, e.Hint, false})
		}
		for _, e := range set.Warnings {
			all = append(all, fault{e.File, e.Line, e.Column, e.Message, e.Hint, true})
		}
		return printJSON(s.out, all)
	}
	for _, warning := range set.Warnings {
		fmt.Fprintln(s.out, "warning:", printable(warning.Error()))
	}
	for _, e := range faults {
		fmt.Fprintln(s.out, printable(e.Error()))
	}
	if len(faults) > 0 {
		_, err := fmt.Fprintf(s.out, "%d faults\n", len(faults))
		return err
	}
	_, err := fmt.Fprintf(s.out, "%d templates are valid\n", len(set.Templates))
	return err
}

type templateList struct {
	Synced bool `help:"List what is in the database instead of the folder."`
	JSON   bool `help:"Print JSON."                                         name:"json"`
}

// templateSummary is a template in a list.
type templateSummary struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Version   string `json:"version"`
	Steps     int    `json:"steps"`
	// Source is the file, or when it was synced.
	Source string `json:"source"`
}

// Run lists templates.
func (cmd templateList) Run(ctx context.Context, s streams) error {
	all, err := cmd.read(ctx)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return printJSON(s.out, all)
	}
	rows := [][]string{{"TEMPLATE", "STEPS", "SOURCE"}}
	for _, t := range all {
		rows = append(rows, []string{t.Namespace + "/" + t.Name + "@" + t.Version, fmt.Sprint(t.Steps), t.Source})
	}
	return table(s.out, rows)
}

func (cmd templateList) read(ctx context.Context) ([]templateSummary, error) {
	all := []templateSummary{}
	if cmd.Synced {
		err := withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
			synced, err := sql.NewStore(pool).SyncedTemplates(ctx)
			for _, t := range synced {
				all = append(all, templateSummary{t.Namespace, t.Name, t.Version, t.Steps, "synced " + t.SyncedAt.UTC().Format("2006-01-02 15:04:05") + " UTC"})
			}
			return err
		})
		return all, err
	}
	_, set, err := loadTemplates()
	for _, t := range set.Templates {
		all = append(all, templateSummary{t.Namespace, t.Name, t.Version, len(t.Steps), t.File})
	}
	return all, err
}

func loadTemplates() (config, templates.Set, error) {
	c, err := loadConfig()
	if err != nil {
		return c, templates.Set{}, err
	}
	set, err := templates.LoadDir(c.TemplatesDir, templates.Options{Environment: c.Environment})
	if err != nil {
		err = setupError{fmt.Errorf("templates in %s:\n%w", c.TemplatesDir, err)}
	}
	return c, set, err
}

type templateShow struct {
	Template string `arg:""              help:"NAMESPACE/NAME@VERSION."`
	JSON     bool   `help:"Print JSON." name:"json"`
}

// Run shows a template of the folder.
func (cmd templateShow) Run(s streams) error {
	namespace, name, version, err := parseTemplateName(cmd.Template)
	if err != nil {
		return setupError{err}
	}
	_, set, err := loadTemplates()
	if err != nil {
		return err
	}
	t := set.Find(namespace, name, version)
	if t == nil {
		return unknownTemplate(cmd.Template, set)
	}
	if cmd.JSON {
		return printJSON(s.out, t.Content())
	}
	fmt.Fprintf(s.out, "%s  (%s)\n%s\n\n%s\n", t.Ref(), t.File, printable(t.Description), t.Graph())
	rows := [][]string{{"STEP", "HANDLER", "AFTER", "ATTEMPTS", "TIMEOUT", "QUEUE"}}
	for _, step := range t.Steps {
		rows = append(rows, stepRow(step))
	}
	return table(s.out, rows)
}

func stepRow(step templates.Step) []string {
	attempts, timeout := fmt.Sprint(step.RetryLimit), ""
	if !step.Retryable {
		attempts = "1, not retryable"
	}
	if step.Timeout > 0 {
		timeout = step.Timeout.String()
	}
	after := ""
	for i, parent := range step.DependsOn {
		if i > 0 {
			after += ", "
		}
		after += parent
	}
	return []string{step.Name, step.Handler, after, attempts, timeout, step.Queue}
}

func unknownTemplate(wanted string, set templates.Set) error {
	names := make([]string, len(set.Templates))
	for i, t := range set.Templates {
		names[i] = t.Ref()
	}
	if nearest, ok := templates.Nearest(wanted, names); ok {
		return setupError{fmt.Errorf("no template %s; did you mean %s?", wanted, nearest)}
	}
	return setupError{fmt.Errorf("no template %s; `tasker-worker template list` shows what there is", wanted)}
}

type templateSync struct {
	Replace bool `help:"Replace templates in the database that differ from the files of the same version."`
	JSON    bool `help:"Print JSON."                                                                       name:"json"`
}

// Run writes the folder's templates to the database.
func (cmd templateSync) Run(ctx context.Context, s streams) error {
	_, set, err := loadTemplates()
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(_ config, pool *pgxpool.Pool) error {
		report, err := sql.NewStore(pool).SyncTemplates(ctx, set.Templates, cmd.Replace)
		if _, conflict := errors.AsType[*sql.TemplateConflictError](err); conflict {
			return setupError{err}
		}
		if err != nil {
			return err
		}
		if cmd.JSON {
			return printJSON(s.out, report)
		}
		_, err = fmt.Fprintf(s.out, "%d added, %d replaced, %d unchanged\n", report.Added, report.Replaced, report.Unchanged)
		return err
	})
}
