package sql

import (
	"fmt"
	"slices"
	"strings"
)

// Role is one of the roles that [MigrateRoles] makes. None of them logs in: those who do are made members of one.
type Role string

// The roles. What each may do is in roles/grants.tsv.
const (
	// RoleOwner owns the schema tasker, and only a role that migrates is a member of it.
	RoleOwner Role = "tasker_owner"
	// RoleWorker is for workers: all that `run` needs, and `template sync`.
	RoleWorker Role = "tasker_worker"
	// RoleClient creates tasks, and reads those that it created.
	RoleClient Role = "tasker_client"
	// RoleOperator reads everything, creates tasks, and may do by hand what there is a function for.
	RoleOperator Role = "tasker_operator"
	// RoleRead reads everything.
	RoleRead Role = "tasker_read"
)

// Roles are all of them, in the order in which they are made.
func Roles() []Role { return []Role{RoleOwner, RoleWorker, RoleClient, RoleOperator, RoleRead} }

// privilegedFunctions run with the rights of RoleOwner, so that their callers need none on the tables. Where there is no such role, they
// run with those of the caller, as all others do: nothing runs as a superuser because a superuser migrated.
var privilegedFunctions = slices.Concat([]string{"create_task", "create_tasks", "my_steps", "my_tasks"}, manualOperations)

// manualOperations change tasks that are there.
var manualOperations = []string{
	"cancel_step", "cancel_task", "release_abandoned_now", "resolve_step", "retry_step", "retry_task", "run_now", "skip_step",
}

// Kinds of objects that privileges are about.
const (
	onSchema   = "SCHEMA"
	onTable    = "TABLE"
	onSequence = "SEQUENCE"
	onFunction = "FUNCTION"
)

// roleGrant is a line of roles/grants.tsv. Its object is one of a kind: schema.name, schema.* for all tables or sequences of a schema
// (in public those of the engine only), a function of ours by its name, * for all of those, and looking for those that only read.
type roleGrant struct {
	roles      []Role
	privileges []string
	kind       string
	object     string
}

// roleGrants reads the one table of who may do what.
func roleGrants() ([]roleGrant, error) {
	rows, err := readTSV("roles/grants.tsv")
	if err != nil {
		return nil, err
	}
	all := make([]roleGrant, len(rows))
	for i, row := range rows {
		all[i] = roleGrant{privileges: strings.Split(row["privileges"], ", "), kind: row["kind"], object: row["object"]}
		for name := range strings.SplitSeq(row["roles"], ", ") {
			role := Role("tasker_" + name)
			if !slices.Contains(Roles(), role) {
				return nil, fmt.Errorf("roles/grants.tsv: there is no role %q", name)
			}
			all[i].roles = append(all[i].roles, role)
		}
	}
	return all, nil
}

// covers says whether the line is about an object.
func (g roleGrant) covers(o *securable) bool {
	switch {
	case g.kind != o.Kind:
		return false
	case g.kind == onFunction:
		return g.object == "*" || g.object == o.Name || g.object == "looking" && o.Reads && !slices.Contains(privilegedFunctions, o.Name)
	case strings.HasSuffix(g.object, ".*"):
		return g.object == o.Schema+".*"
	default:
		return g.object == o.qualified()
	}
}

// privilege is one thing that may be done with one object.
type privilege struct {
	object *securable
	name   string
}

// wantedPrivileges is what a role is to have on these objects.
func wantedPrivileges(role Role, objects []*securable) (map[privilege]bool, error) {
	grants, err := roleGrants()
	if err != nil {
		return nil, err
	}
	wanted := make(map[privilege]bool)
	for _, g := range grants {
		if !slices.Contains(g.roles, role) {
			continue
		}
		for _, o := range objects {
			for _, name := range g.privileges {
				if g.covers(o) {
					wanted[privilege{o, name}] = true
				}
			}
		}
	}
	return wanted, nil
}
