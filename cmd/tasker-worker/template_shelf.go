package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/executors"
	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

// servable is what a templates folder has to offer: one file with a fault does not keep the others from their work.
type servable struct {
	Templates []*templates.Template
	Warnings  []*templates.Error
	Faults    []*templates.Error
}

// loadServable loads the templates folder. The error is that of the folder itself, not of a file in it.
func loadServable(c config) (servable, error) {
	set, err := templates.LoadDir(c.TemplatesDir, templates.Options{Environment: c.Environment})
	faults := templates.Errors(err)
	for _, fault := range faults {
		if fault.File == c.TemplatesDir {
			return servable{}, setupError{fmt.Errorf("templates in %s:\n%w", c.TemplatesDir, err)}
		}
	}
	return servable{set.Unique(), set.Warnings, faults}, nil
}

// templateShelf keeps the database's templates as the folder has them, and knows which it could not put there. It is safe for
// concurrent use.
type templateShelf struct {
	config     config
	log        *slog.Logger
	pool       *pgxpool.Pool
	rule       sql.ReplaceRule
	supervisor *executors.Supervisor

	// own are the templates of the folder when it last was without a fault. Only sync uses it.
	own []*templates.Template

	// mu protects the field below.
	mu     sync.Mutex
	faults []string
}

// Faults are why templates of the folder are not in force, one line each.
func (s *templateShelf) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

func (s *templateShelf) setFaults(faults []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// reload loads the folder again and puts what can be put into the database.
func (s *templateShelf) reload(ctx context.Context) error {
	all, err := loadServable(s.config)
	if err != nil {
		s.setFaults([]string{err.Error()})
		return err
	}
	return s.sync(ctx, all)
}

// ownOf are the templates whose commands may run. While a file has a fault, those that it had before count as well.
func (s *templateShelf) ownOf(all servable) []*templates.Template {
	if len(all.Faults) > 0 {
		return slices.Concat(all.Templates, s.own)
	}
	s.own = all.Templates
	return s.own
}

// sync writes templates to the database, and says which of them it could not, and which of their handlers this worker does not serve.
func (s *templateShelf) sync(ctx context.Context, all servable) error {
	for _, warning := range all.Warnings {
		s.log.Warn("template warning", "warning", warning.Error())
	}
	s.supervisor.SetCommands(s.ownOf(all))
	served := handlerNames(s.supervisor)
	for _, t := range all.Templates {
		for _, fault := range slices.Concat(t.CheckHandlers(served), t.CheckCommands(s.supervisor.FindCommand)) {
			s.log.Error("template names a handler that nobody here serves", "fault", fault.Error())
		}
	}
	report, refused, err := sql.NewStore(s.pool).SyncPossibleTemplates(ctx, all.Templates, s.rule)
	if err != nil {
		return setupError{fmt.Errorf("syncing templates:\n%w", err)}
	}
	for _, restored := range report.Restored {
		s.log.Error("template in the database was not what had been synced, and is again; find out who wrote there", "difference", restored)
	}
	faults := []string{}
	for _, fault := range all.Faults {
		s.log.Error("template is left out", "fault", fault.Error())
		faults = append(faults, fault.Error())
	}
	for _, conflict := range refused {
		s.log.Error("template is left out, the one in the database stays", "fault", conflict.Error())
		faults = append(faults, conflict.Error())
	}
	s.setFaults(faults)
	s.log.Info("templates synced", "added", report.Added, "replaced", report.Replaced, "unchanged", report.Unchanged,
		"restored", len(report.Restored), "left_out", len(faults))
	return nil
}
