package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// AccessError says which privileges the role of the sessions lacks.
type AccessError struct {
	Role string
	// Grants are the statements that give them.
	Grants []string
}

// Error implements error.
func (e *AccessError) Error() string {
	return fmt.Sprintf("role %q lacks privileges that a worker needs; make it a member of tasker_worker"+
		" (see: tasker-worker migrate roles), or let the owner of the tables run:\n  %s", e.Role, strings.Join(e.Grants, "\n  "))
}

// CheckAccess says whether the role of the pool's sessions may do all that a worker does. Its errors are an [*AccessError], or that
// of the query.
func CheckAccess(ctx context.Context, pool *pgxpool.Pool) error {
	var name string
	if err := pool.QueryRow(ctx, `SELECT current_user::text`).Scan(&name); err != nil {
		return fmt.Errorf("looking for missing privileges: %w", pooledHint(err))
	}
	role, err := readRole(ctx, pool, name)
	if err != nil || role == nil || role.Super {
		return err
	}
	objects, err := readSecurables(ctx, pool)
	if err != nil {
		return err
	}
	wanted, err := wantedPrivileges(RoleWorker, objects)
	if err != nil {
		return err
	}
	grants := statementsOf("GRANT", name, missing(wanted, role.privileges(objects)), objects)
	if len(grants) == 0 {
		return nil
	}
	return &AccessError{Role: name, Grants: grants}
}
