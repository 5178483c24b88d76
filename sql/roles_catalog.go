package sql

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// securable is an object of the database with those who may use it.
type securable struct {
	Kind, Schema, Name string
	// Spelling is how statements name it.
	Spelling string
	Owner    string
	// Reads is true for functions that are STABLE or IMMUTABLE, and Definer for those that run with their owner's rights.
	Reads, Definer bool
	// Grantees and Privileges run in parallel. The grantee "" is PUBLIC; a privilege on one column is spelled SELECT (context).
	Grantees, Privileges []string
}

func (o *securable) qualified() string {
	if o.Kind == onSchema {
		return o.Name
	}
	return o.Schema + "." + o.Name
}

// securablesSQL reads schema tasker with all that is in it, and of schema public what is the engine's. Functions of the engine are left
// to their owner: they run with the rights of their callers.
const securablesSQL = `
WITH tables AS (
    SELECT c.oid, n.nspname, c.relname, c.relowner, c.relacl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND (n.nspname = 'tasker' OR n.nspname = 'public' AND c.relname = ANY ($1))
), objects AS (
    SELECT 1 AS n, 'SCHEMA' AS kind, s.nspname AS schema, s.nspname AS name, quote_ident(s.nspname) AS spelling,
        s.nspowner AS owner, false AS reads, false AS definer, coalesce(s.nspacl, acldefault('n', s.nspowner)) AS acl, NULL AS col
    FROM pg_namespace s WHERE s.nspname IN ('public', 'tasker')
    UNION ALL
    SELECT 2, 'TABLE', t.nspname, t.relname, format('%I.%I', t.nspname, t.relname), t.relowner, false, false,
        coalesce(t.relacl, acldefault('r', t.relowner)), NULL
    FROM tables t
    UNION ALL
    SELECT 2, 'TABLE', t.nspname, t.relname, format('%I.%I', t.nspname, t.relname), t.relowner, false, false, a.attacl, quote_ident(a.attname)
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
    UNION ALL
    SELECT 3, 'SEQUENCE', q.nspname, s.relname, format('%I.%I', q.nspname, s.relname), s.relowner, false, false,
        coalesce(s.relacl, acldefault('s', s.relowner)), NULL
    FROM pg_class s JOIN pg_namespace q ON q.oid = s.relnamespace
    WHERE s.relkind = 'S' AND (q.nspname = 'tasker' OR q.nspname = 'public' AND EXISTS (
        SELECT FROM pg_depend d JOIN tables t ON t.oid = d.refobjid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
    UNION ALL
    SELECT 4, 'FUNCTION', s.nspname, p.proname, format('tasker.%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
        p.proowner, p.provolatile <> 'v', p.prosecdef, coalesce(p.proacl, acldefault('f', p.proowner)), NULL
    FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace AND s.nspname = 'tasker'
)
SELECT o.kind, o.schema::text, o.name::text, min(o.spelling) AS spelling, pg_get_userbyid(min(o.owner::bigint)::oid)::text AS owner,
    bool_or(o.reads) AS reads, bool_or(o.definer) AS definer,
    coalesce(array_agg(CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee)::text END)
        FILTER (WHERE a.grantee IS NOT NULL), '{}') AS grantees,
    coalesce(array_agg(a.privilege_type || coalesce(' (' || o.col || ')', '')) FILTER (WHERE a.grantee IS NOT NULL), '{}') AS privileges
FROM objects o LEFT JOIN LATERAL aclexplode(o.acl) a ON true
GROUP BY o.n, o.kind, o.schema, o.name, CASE o.kind WHEN 'FUNCTION' THEN o.spelling END
ORDER BY o.n, o.schema, o.name`

// readSecurables reads all that privileges are about.
func readSecurables(ctx context.Context, q Querier) ([]*securable, error) {
	f, err := loadExpectedSchema()
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(ctx, securablesSQL, append(slices.Clone(f.tables), engineView))
	if err != nil {
		return nil, fmt.Errorf("reading privileges: %w", pooledHint(err))
	}
	objects, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[securable])
	if err != nil {
		return nil, fmt.Errorf("reading privileges: %w", pooledHint(err))
	}
	return objects, nil
}

// held is what these grantees have on the objects, each with the first of them that it comes from.
func held(objects []*securable, grantees ...string) map[privilege]string {
	all := make(map[privilege]string)
	for _, grantee := range grantees {
		for _, o := range objects {
			for i, name := range o.Privileges {
				p := privilege{o, name}
				if _, has := all[p]; !has && o.Grantees[i] == grantee {
					all[p] = grantee
				}
			}
		}
	}
	return all
}

// roleFacts are what the database says of a role itself.
type roleFacts struct {
	Name                                          string
	Super, Login, CreateRole, CreateDB, BypassRLS bool
	// Through are the roles whose privileges it has, itself first.
	Through []string
}

const roleFactsSQL = `
SELECT r.rolname::text AS name, r.rolsuper AS super, r.rolcanlogin AS login, r.rolcreaterole AS create_role, r.rolcreatedb AS create_db,
    r.rolbypassrls AS bypass_rls,
    ARRAY(SELECT m.rolname::text FROM pg_roles m WHERE pg_has_role(r.oid, m.oid, 'USAGE') ORDER BY m.oid <> r.oid, m.rolname) AS through
FROM pg_roles r WHERE r.rolname = $1`

// readRole returns nil when there is no such role.
func readRole(ctx context.Context, q Querier, name string) (*roleFacts, error) {
	rows, err := q.Query(ctx, roleFactsSQL, name)
	if err != nil {
		return nil, fmt.Errorf("reading role %q: %w", name, pooledHint(err))
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[roleFacts])
	if err != nil || len(found) == 0 {
		return nil, pooledHint(err)
	}
	return found[0], nil
}

// privileges is what the role has, by whatever way: its own grants, those of roles that it is a member of, and those of everybody.
func (r *roleFacts) privileges(objects []*securable) map[privilege]string {
	return held(objects, append(slices.Clone(r.Through), "")...)
}
