package sql

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Folders of the engine's schema. The tables are numbered: each refers only to those before it.
const (
	baselineFacts     = "baseline/schema"
	baselineFunctions = "baseline/functions"
	baselineTables    = "baseline/tables"
	baselineViews     = "baseline/views"
)

// engineSchema creates the engine's schema where nothing of it is there; otherwise it makes sure that it is what we
// need, and creates only functions and the view that are missing.
func (m *migration) engineSchema(ctx context.Context) error {
	facts, err := loadExpectedSchema()
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		found, err := loadActualSchema(ctx, tx)
		if err != nil {
			return err
		}
		if err := found.elsewhere(); err != nil {
			return err
		}
		if len(found.tables) == 0 {
			return m.create(ctx, tx, nil, baselineTables, baselineViews, baselineFunctions)
		}
		if differences := facts.compare(found); len(differences) > 0 {
			return &SchemaError{Differences: differences}
		}
		m.report.Adopted = true
		return m.create(ctx, tx, found.routines(), baselineViews, baselineFunctions)
	})
}

// create runs the scripts of the folders, but for those of objects that are there.
func (m *migration) create(ctx context.Context, tx pgx.Tx, there []string, folders ...string) error {
	for _, folder := range folders {
		all, err := scripts(folder)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(s script) bool { return slices.Contains(there, s.object()) })
		if err := m.apply(ctx, tx, all); err != nil {
			return err
		}
		for _, s := range all {
			m.report.Created = append(m.report.Created, s.object())
		}
	}
	return nil
}

// object is the name of what a baseline script creates, which is the file's name without its number.
func (s script) object() string {
	name := strings.TrimSuffix(path.Base(s.name), ".sql")
	return strings.TrimLeft(name, "0123456789_")
}

// elsewhere refuses a database whose engine lives in another schema: a second set of tables would have no use.
func (c *actualSchema) elsewhere() error {
	if c.otherSchema == "" || len(c.tables) > 0 {
		return nil
	}
	return &SchemaError{Differences: []string{fmt.Sprintf(
		"the engine's tables are in schema %q; they must be in schema public", c.otherSchema)}}
}
