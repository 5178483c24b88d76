package sql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
)

// engineDifferences compares a database with what we need of the engine's schema.
func engineDifferences(ctx context.Context, q Querier) ([]string, error) {
	f, err := loadExpectedSchema()
	if err != nil {
		return nil, err
	}
	found, err := loadActualSchema(ctx, q)
	if err != nil {
		return nil, err
	}
	return f.compare(found), nil
}

// compare lists what we need and the database lacks. What it has beyond that is none of our business: further tables,
// columns and indexes, wider columns, other names of constraints. A missing function or view is no difference either,
// since creating it changes nothing that is there.
func (f *expectedSchema) compare(found *actualSchema) []string {
	var differences []string
	for _, table := range f.tables {
		if !slices.Contains(found.tables, table) {
			differences = append(differences, fmt.Sprintf("table %s is missing", table))
		}
	}
	for _, want := range f.columns {
		if slices.Contains(found.tables, want.Table) {
			differences = append(differences, want.compare(found.columns)...)
		}
	}
	for _, want := range f.constraints {
		if slices.Contains(found.tables, want.Table) && !slices.Contains(found.constraints, want) {
			differences = append(differences, want.missing())
		}
	}
	for _, want := range f.uniques {
		if slices.Contains(found.tables, want.Table) && !slices.Contains(found.uniques, want) {
			differences = append(differences, want.missing())
		}
	}
	for _, want := range f.functions {
		differences = append(differences, want.compare(found.functions)...)
	}
	return differences
}

func (want column) compare(found []column) []string {
	name := want.Table + "." + want.Name
	i := slices.IndexFunc(found, func(c column) bool { return c.Table == want.Table && c.Name == want.Name })
	if i < 0 {
		return []string{fmt.Sprintf("column %s (%s) is missing", name, want.Type)}
	}
	have := found[i]
	var differences []string
	if have.Type != want.Type {
		differences = append(differences, fmt.Sprintf("column %s is %s, must be %s", name, have.Type, want.Type))
	} else if have.Size != 0 && have.Size < want.Size {
		differences = append(differences, fmt.Sprintf("column %s holds %d, must hold %d", name, have.Size, want.Size))
	}
	if have.Nullable != want.Nullable {
		must := map[bool]string{true: "must allow NULL", false: "must not allow NULL"}
		differences = append(differences, fmt.Sprintf("column %s %s", name, must[want.Nullable]))
	}
	if want.HasDefault && !have.HasDefault {
		differences = append(differences, fmt.Sprintf("column %s has no default", name))
	}
	return differences
}

func (want constraint) missing() string {
	if want.Kind == "p" {
		return fmt.Sprintf("table %s has no primary key (%s)", want.Table, want.Columns)
	}
	return fmt.Sprintf("table %s has no foreign key (%s) to %s", want.Table, want.Columns, want.References)
}

func (want unique) missing() string {
	kind := "unique index"
	if want.Partial {
		kind = "partial unique index"
	}
	return fmt.Sprintf("table %s has no valid %s (%s)", want.Table, kind, want.Columns)
}

// secondGeneration marks the readiness functions since the engine's migration 20250710110830: before, a step whose
// attempts are NULL was never ready.
var secondGeneration = regexp.MustCompile(`(?i)coalesce\s*\(\s*(\w+\.)?attempts\s*,\s*0\s*\)`)

func (want function) compare(found []function) []string {
	var differences []string
	for _, have := range found {
		switch {
		case have.Name != want.Name:
			continue
		case have.Arguments == want.Arguments && have.Result == want.Result:
			return want.generation(have)
		case have.Arguments != want.Arguments:
			differences = append(differences, fmt.Sprintf("function %s takes (%s), must take (%s)", want.Name, have.Arguments, want.Arguments))
		default:
			differences = append(differences, fmt.Sprintf("function %s returns %s, must return %s", want.Name, have.Result, want.Result))
		}
	}
	return differences
}

func (want function) generation(have function) []string {
	switch want.Name {
	case "get_step_readiness_status", "get_step_readiness_status_batch":
		if !secondGeneration.MatchString(have.Source) {
			return []string{fmt.Sprintf("function %s is older than the engine's migration 20250710110830; run: bin/rails "+
				"tasker:install:migrations db:migrate", want.Name)}
		}
	}
	return nil
}
