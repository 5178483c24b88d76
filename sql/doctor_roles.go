package sql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// DiagnoseRole says what a role of the database has too much or too little, as one of [Roles]; with none, as those of them that
// it is a member of. It changes nothing.
func DiagnoseRole(ctx context.Context, pool *pgxpool.Pool, name string, as Role) (Diagnosis, error) {
	d := Diagnosis{Findings: []Finding{}, Totals: []IndexTotal{}, LeftOut: []string{}}
	role, err := readRole(ctx, pool, name)
	if err != nil {
		return d, err
	}
	if role == nil {
		return d, fmt.Errorf("there is no role %q", name)
	}
	kinds, err := role.kinds(as)
	if err != nil {
		return d, err
	}
	d.Findings = append(d.Findings, role.attributes()...)
	if role.Super {
		return d, nil
	}
	objects, err := readSecurables(ctx, pool)
	if err != nil {
		return d, err
	}
	wanted := make(map[privilege]bool)
	for _, kind := range kinds {
		some, err := wantedPrivileges(kind, objects)
		if err != nil {
			return d, err
		}
		maps.Copy(wanted, some)
	}
	has := role.privileges(objects)
	if few := missing(wanted, has); len(few) > 0 {
		d.Findings = append(d.Findings, role.lacks(kinds[0], statementsOf("GRANT", name, few, objects)))
	}
	tooMuch := excess(wanted, has)
	for _, grantee := range slices.Sorted(maps.Keys(tooMuch)) {
		d.Findings = append(d.Findings, role.exceeds(grantee, statementsOf("REVOKE", grantee, tooMuch[grantee], objects)))
	}
	return d, nil
}

// kinds are the roles that a role is measured with.
func (r *roleFacts) kinds(as Role) ([]Role, error) {
	if as != "" {
		if !slices.Contains(Roles(), as) {
			return nil, fmt.Errorf("there is no role %q to compare with; there are %s", as, spelledRoles())
		}
		return []Role{as}, nil
	}
	kinds := slices.DeleteFunc(Roles(), func(role Role) bool { return !slices.Contains(r.Through, string(role)) })
	if len(kinds) == 0 {
		return nil, fmt.Errorf("role %q is no member of %s; say which of them it is to be, with --as", r.Name, spelledRoles())
	}
	return kinds, nil
}

func spelledRoles() string {
	var names []string
	for _, role := range Roles() {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}

// attributes finds what makes limits void, or leads out of them.
func (r *roleFacts) attributes() []Finding {
	var all []Finding
	for _, a := range []struct {
		name, costs string
		has         bool
	}{
		{"SUPERUSER", "No privilege limits it: it may do everything, and run programs on the database's machine.", r.Super},
		{"CREATEROLE", "It may make roles, and before PostgreSQL 16 join any that is no superuser, the owner of schema tasker too.", r.CreateRole},
		{"CREATEDB", "It may make databases.", r.CreateDB},
		{"BYPASSRLS", "Row security does not apply to it.", r.BypassRLS},
	} {
		if a.has {
			all = append(all, Finding{
				Kind: FindingRoleExcess, Object: r.Name, What: fmt.Sprintf("Role %s has %s.", r.Name, a.name), Costs: a.costs,
				Do: "Take it away.", Statements: []string{"ALTER ROLE " + spelledRole(r.Name) + " NO" + a.name + ";"},
			})
		}
	}
	return all
}

func (r *roleFacts) lacks(kind Role, statements []string) Finding {
	found := Finding{
		Kind: FindingRoleLack, Object: r.Name, What: fmt.Sprintf("Role %s lacks privileges that %s has.", r.Name, kind),
		Costs: "What needs them is refused.", Do: "Give them, or make it a member of " + string(kind) + ", as `tasker-worker migrate roles` makes it.", Statements: statements,
	}
	if string(kind) == r.Name {
		found.What, found.Do = fmt.Sprintf("Role %s lacks privileges.", r.Name), "Run `tasker-worker migrate roles`, which gives them."
	}
	return found
}

func (r *roleFacts) exceeds(grantee string, statements []string) Finding {
	found := Finding{
		Kind: FindingRoleExcess, Object: r.Name, What: fmt.Sprintf("Role %s has privileges beyond what it needs.", r.Name),
		Costs: "Whoever has its password can use them.", Do: "Take them away.", Statements: statements,
	}
	switch grantee {
	case r.Name:
	case "":
		found.What = fmt.Sprintf("Role %s has privileges beyond what it needs, as everybody has them.", r.Name)
		found.Do = "Take them from PUBLIC, if nobody else needs them."
	default:
		found.What = fmt.Sprintf("Role %s has privileges beyond what it needs, through role %s.", r.Name, grantee)
		found.Do = "End the membership, or take them from that role."
	}
	return found
}
