package sql

import (
	"fmt"
	"strings"
)

// SchemaError is returned by [Migrate] when the engine's tables are there and are not what this binary needs.
type SchemaError struct {
	// Differences are sentences, one for each thing that differs.
	Differences []string
}

// Error implements error.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("the engine's schema cannot be adopted, nothing was changed; differences (%d):\n  %s\n"+
		"bring the engine's migrations up to date (bin/rails db:migrate), or use another database",
		len(e.Differences), strings.Join(e.Differences, "\n  "))
}

// NoSchemaError is returned by [Check] for a database that was never migrated.
type NoSchemaError struct{}

// Error implements error.
func (*NoSchemaError) Error() string {
	return "the database has no tasker schema yet; run: tasker-worker migrate up"
}

// OlderSchemaError is returned by [Check] for a database that an older binary migrated.
type OlderSchemaError struct {
	// Part is what is older.
	Part string
	// Database and Binary are the versions; both are 0 for the functions, which have none.
	Database, Binary int64
}

// Error implements error.
func (e *OlderSchemaError) Error() string {
	if e.Binary == 0 {
		return e.Part + " are not those of this binary; run: tasker-worker migrate up"
	}
	return fmt.Sprintf("%s: the database has version %d, this binary needs %d; run: tasker-worker migrate up",
		e.Part, e.Database, e.Binary)
}

// NewerSchemaError is returned by [Check] and [Migrate] for a database that a newer binary migrated.
type NewerSchemaError struct {
	// Part is what is newer.
	Part string
	// Database and Binary are the versions.
	Database, Binary int64
}

// Error implements error.
func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("%s: the database has version %d, this binary knows only %d; run a newer tasker-worker",
		e.Part, e.Database, e.Binary)
}
