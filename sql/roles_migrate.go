package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// MigrateRoles makes the roles of [Roles] where they are missing, makes RoleOwner the owner of the schema tasker and of all in it, and gives
// each role what roles/grants.tsv says, no more and no less. It is idempotent; [Migrate] keeps to it from then on. The engine's
// tables keep their owner. Its errors are those of [Check] when [Migrate] has not been run.
func MigrateRoles(ctx context.Context, pool *pgxpool.Pool, opts Options) (Report, error) {
	m, err := newMigration(ctx, pool, opts)
	if err != nil {
		return Report{}, err
	}
	defer m.pool.Close()
	if err := CheckWritable(ctx, m.pool); err != nil {
		return Report{}, err
	}
	if err := Check(ctx, m.pool); err != nil {
		return Report{}, err
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	return m.report, roleHint(m.roles(ctx))
}

func (m *migration) roles(ctx context.Context) error {
	for _, role := range Roles() {
		if err := m.makeRole(ctx, role); err != nil {
			return err
		}
	}
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		if err := m.own(ctx, tx); err != nil {
			return fmt.Errorf("making %s the owner of schema tasker: %w", RoleOwner, err)
		}
		return m.settle(ctx, tx)
	})
}

// SQLSTATEs of a role that another session has made at the same moment, maybe for another database.
const (
	duplicateObject = "42710"
	uniqueViolation = "23505"
)

// makeRole makes a role that does not log in. One that is there must be as weak.
func (m *migration) makeRole(ctx context.Context, role Role) error {
	found, err := readRole(ctx, m.pool, string(role))
	if err != nil {
		return err
	}
	if found == nil {
		_, err := m.pool.Exec(ctx, "CREATE ROLE "+string(role)+" NOLOGIN")
		if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && (refusal.Code == duplicateObject || refusal.Code == uniqueViolation) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("creating role %s: %w", role, err)
		}
		m.report.Roles = append(m.report.Roles, string(role))
		return nil
	}
	if found.Super || found.CreateRole || found.BypassRLS || found.Login && role == RoleOwner {
		return fmt.Errorf("role %s is there already and may more than it should; correct it with:"+
			" ALTER ROLE %s NOLOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS", role, role)
	}
	return nil
}

// ownSQL are the statements that give what is in schema tasker, and the schema itself, to its owner. Sequences of columns follow their tables.
const ownSQL = `
SELECT format('ALTER TABLE %s OWNER TO tasker_owner', c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = 'tasker'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner <> 'tasker_owner'::regrole
UNION ALL
SELECT format('ALTER SEQUENCE %s OWNER TO tasker_owner', c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = 'tasker'::regnamespace AND c.relkind = 'S' AND c.relowner <> 'tasker_owner'::regrole
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
UNION ALL
SELECT format('ALTER TYPE %s OWNER TO tasker_owner', t.oid::regtype) FROM pg_type t
WHERE t.typnamespace = 'tasker'::regnamespace AND t.typtype IN ('d', 'e') AND t.typowner <> 'tasker_owner'::regrole
UNION ALL
SELECT format('ALTER FUNCTION %s OWNER TO tasker_owner', p.oid::regprocedure) FROM pg_proc p
WHERE p.pronamespace = 'tasker'::regnamespace AND p.proowner <> 'tasker_owner'::regrole
UNION ALL
SELECT 'ALTER SCHEMA tasker OWNER TO tasker_owner' FROM pg_namespace n
WHERE n.nspname = 'tasker' AND n.nspowner <> 'tasker_owner'::regrole`

// own gives schema tasker to its owner. A role that is no superuser must be a member of the new owner, which must be allowed to create
// schemas for the moment.
func (m *migration) own(ctx context.Context, tx pgx.Tx) error {
	var super, member bool
	var database string
	err := tx.QueryRow(ctx, `SELECT r.rolsuper, pg_has_role(r.oid, 'tasker_owner'::regrole, 'MEMBER'), current_database()::text
		FROM pg_roles r WHERE r.rolname = current_user`).Scan(&super, &member, &database)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, ownSQL)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(statements) == 0 {
		return err
	}
	if !super {
		create := " CREATE ON DATABASE " + pgx.Identifier{database}.Sanitize()
		statements = append(append([]string{"GRANT" + create + " TO tasker_owner", "GRANT CREATE ON SCHEMA tasker TO tasker_owner"}, statements...),
			"REVOKE"+create+" FROM tasker_owner")
		if !member {
			statements = append([]string{"GRANT tasker_owner TO CURRENT_USER"}, statements...)
		}
	}
	return m.execute(ctx, tx, statements)
}

func (m *migration) execute(ctx context.Context, tx pgx.Tx, statements []string) error {
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	m.report.Privileges = append(m.report.Privileges, statements...)
	return nil
}

func roleHint(err error) error {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refusal.Code != insufficientPrivilege {
		return err
	}
	return fmt.Errorf("%w; run this as a superuser, or as a role with CREATEROLE that owns the database, the engine's tables and schema tasker", err)
}

// privileges grants and revokes in every run: an operator may have changed a privilege since.
func (m *migration) privileges(ctx context.Context) error {
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error { return m.settle(ctx, tx) })
}

// settle takes from PUBLIC what it has in schema tasker. Where the roles have been set up, it gives them what they should have; and those
// that could call our functions until then, because they have the privileges on the tables that the functions need, may go on.
// A role that does not own the schema changes nothing: it runs this to make sure that all is there.
func (m *migration) settle(ctx context.Context, tx pgx.Tx) error {
	var owner string
	var mine bool
	err := tx.QueryRow(ctx, `SELECT pg_get_userbyid(n.nspowner)::text, pg_has_role(n.nspowner, 'USAGE') FROM pg_namespace n WHERE n.nspname = 'tasker'`).
		Scan(&owner, &mine)
	if err != nil || !mine {
		return err
	}
	if owner == string(RoleOwner) {
		if err := m.settleOwner(ctx, tx); err != nil {
			return err
		}
	}
	objects, err := readSecurables(ctx, tx)
	if err != nil {
		return err
	}
	statements := takenFromPublic(objects)
	if owner == string(RoleOwner) {
		given, err := givenToRoles(objects)
		if err != nil {
			return err
		}
		statements = append(statements, given...)
	}
	if err := m.execute(ctx, tx, statements); err != nil {
		return err
	}
	return m.keep(ctx, tx, objects, owner)
}

// settleOwner makes the owner's what a migration has created since, and has the privileged functions run with its rights.
func (m *migration) settleOwner(ctx context.Context, tx pgx.Tx) error {
	if err := m.own(ctx, tx); err != nil {
		return err
	}
	objects, err := readSecurables(ctx, tx)
	if err != nil {
		return err
	}
	var statements []string
	for _, o := range objects {
		if o.Kind == onFunction && !o.Definer && slices.Contains(privilegedFunctions, o.Name) {
			statements = append(statements, "ALTER FUNCTION "+o.Spelling+" SECURITY DEFINER SET search_path = pg_catalog, pg_temp")
		}
	}
	return m.execute(ctx, tx, statements)
}

// takenFromPublic leaves the schema public as its owner wants it.
func takenFromPublic(objects []*securable) []string {
	var all []privilege
	for p := range held(objects, "") {
		if p.object.Schema == Schema && p.object.Kind == onFunction {
			all = append(all, p)
		}
	}
	return statementsOf("REVOKE", "", all, objects)
}

// givenToRoles is what makes the grants to the roles those of the table.
func givenToRoles(objects []*securable) ([]string, error) {
	var statements []string
	for _, role := range Roles() {
		wanted, err := wantedPrivileges(role, objects)
		if err != nil {
			return nil, err
		}
		has := held(objects, string(role))
		statements = append(statements, statementsOf("GRANT", string(role), missing(wanted, has), objects)...)
		if role == RoleOwner {
			continue // all that is its own it may do
		}
		for grantee, too := range excess(wanted, has) {
			statements = append(statements, statementsOf("REVOKE", grantee, too, objects)...)
		}
	}
	return statements, nil
}
