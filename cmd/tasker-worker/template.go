package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// Help implements kong's extension.
func (templateList) Help() string {
	return `Lists the folder TASKER_TEMPLATES_DIR, which needs no database; with --synced, what workers have written to the
database, from which tasks are created.`
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
	if len(all) == 0 {
		_, err := fmt.Fprintln(s.out, "no templates")
		return err
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
				all = append(all, templateSummary{t.Namespace, t.Name, t.Version, t.Steps, "synced " + t.SyncedAt.UTC().Format(time.DateTime) + " UTC"})
			}
			return err
		})
		return all, err
	}
	set, err := loadTemplates()
	for _, t := range set.Templates {
		all = append(all, templateSummary{t.Namespace, t.Name, t.Version, len(t.Steps), t.File})
	}
	return all, err
}

// loadTemplates loads the templates folder that the environment names.
func loadTemplates() (templates.Set, error) {
	c, err := loadConfig()
	if err != nil {
		return templates.Set{}, err
	}
	return loadFolder(c)
}

// loadFolder loads the templates folder, all of it or nothing.
func loadFolder(c config) (templates.Set, error) {
	set, err := templates.LoadDir(c.TemplatesDir, templates.Options{Environment: c.Environment})
	if err != nil {
		return set, setupError{fmt.Errorf("templates in %s:\n%w", c.TemplatesDir, err)}
	}
	return set, nil
}

type templateShow struct {
	Template string `arg:""              help:"NAMESPACE/NAME@VERSION."`
	JSON     bool   `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (templateShow) Help() string {
	return `Shows a template of the folder TASKER_TEMPLATES_DIR. For example:

    tasker-worker template show ecommerce/process_order@1.0.0`
}

// Run shows a template of the folder.
func (cmd templateShow) Run(s streams) error {
	namespace, name, version, err := parseTemplateName(cmd.Template)
	if err != nil {
		return setupError{err}
	}
	set, err := loadTemplates()
	if err != nil {
		return err
	}
	t := set.Find(namespace, name, version)
	if t == nil {
		names := make([]string, len(set.Templates))
		for i, t := range set.Templates {
			names[i] = t.Ref()
		}
		return unknownTemplate(cmd.Template, names, "tasker-worker template list")
	}
	if cmd.JSON {
		return printJSON(s.out, t.Content())
	}
	fmt.Fprintf(s.out, "%s  (%s)\n", printable(t.Ref()), printable(t.File))
	if t.Description != "" {
		fmt.Fprintln(s.out, printableLines(strings.TrimSpace(t.Description)))
	}
	fmt.Fprintf(s.out, "\n%s\n", printableLines(t.Graph()))
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
	return []string{step.Name, step.Handler, strings.Join(step.DependsOn, ", "), attempts, timeout, step.Queue}
}

// unknownTemplate names the nearest of the names that there are; list is the command that shows them all.
func unknownTemplate(wanted string, names []string, list string) error {
	if nearest, ok := templates.Nearest(wanted, names); ok {
		return setupError{fmt.Errorf("there is no template %s; did you mean %s?", wanted, nearest)}
	}
	return setupError{fmt.Errorf("there is no template %s; `%s` shows what there is", wanted, list)}
}

type templateSync struct {
	Replace bool `help:"Replace templates in the database that differ from the files of the same version."`
	JSON    bool `help:"Print JSON."                                                                       name:"json"`
}

// Help implements kong's extension.
func (templateSync) Help() string {
	return `A template that is in the database with other content is refused, with the difference, and then nothing at all is
written: give the change a new version, or use --replace. Tasks that exist keep their steps. One whose rows in the
database are not what was synced is written again, and a warning says what they were.`
}

// Run writes the folder's templates to the database.
func (cmd templateSync) Run(ctx context.Context, s streams) error {
	set, err := loadTemplates()
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
		for _, restored := range report.Restored {
			fmt.Fprintf(s.err, "warning: was not what had been synced, and is again; find out who wrote there: %s\n", printable(restored))
		}
		if cmd.JSON {
			return printJSON(s.out, map[string]int{
				"added": report.Added, "replaced": report.Replaced, "restored": len(report.Restored), "unchanged": report.Unchanged,
			})
		}
		restored := ""
		if len(report.Restored) > 0 {
			restored = fmt.Sprintf(", %d restored", len(report.Restored))
		}
		_, err = fmt.Fprintf(s.out, "%d added, %d replaced, %d unchanged%s\n", report.Added, report.Replaced, report.Unchanged, restored)
		return err
	})
}
