package sql

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// statementsOf are GRANTs or REVOKEs of these privileges, one for each object, in the order of the objects. All functions are one statement.
func statementsOf(verb, role string, privileges []privilege, objects []*securable) []string {
	link := map[string]string{"GRANT": "TO", "REVOKE": "FROM"}[verb]
	names := make(map[*securable][]string)
	for _, p := range privileges {
		names[p.object] = append(names[p.object], p.name)
	}
	functions := 0
	for o := range names {
		if o.Kind == onFunction {
			functions++
		}
	}
	all := functions > 1 && functions == count(objects, onFunction)
	var statements []string
	for _, o := range objects {
		if len(names[o]) == 0 || o.Kind == onFunction && all {
			continue
		}
		slices.SortFunc(names[o], byPrivilege)
		statements = append(statements, fmt.Sprintf("%s %s ON %s %s %s;", verb, strings.Join(names[o], ", "), o.spelled(), link, spelledRole(role)))
	}
	if all {
		statements = append(statements, fmt.Sprintf("%s EXECUTE ON ALL FUNCTIONS IN SCHEMA tasker %s %s;", verb, link, spelledRole(role)))
	}
	return statements
}

// spelled is the object in a GRANT; tables need no word for their kind.
func (o *securable) spelled() string {
	if o.Kind == onTable {
		return o.Spelling
	}
	return o.Kind + " " + o.Spelling
}

// spelledRole is a role in a GRANT; the empty one is PUBLIC.
func spelledRole(name string) string {
	if name == "" {
		return "PUBLIC"
	}
	return pgx.Identifier{name}.Sanitize()
}

// byPrivilege orders privileges as people write them.
func byPrivilege(a, b string) int {
	order := []string{"SELECT", "INSERT", "UPDATE", "DELETE"}
	place := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b))
}

func count(objects []*securable, kind string) (n int) {
	for _, o := range objects {
		if o.Kind == kind {
			n++
		}
	}
	return n
}

// missing are those that are wanted and not held.
func missing(wanted map[privilege]bool, held map[privilege]string) []privilege {
	return slices.DeleteFunc(slices.Collect(maps.Keys(wanted)), func(p privilege) bool { _, has := held[p]; return has })
}

// excess are those that are held and not wanted, by where they come from.
func excess(wanted map[privilege]bool, held map[privilege]string) map[string][]privilege {
	from := make(map[string][]privilege)
	for p, grantee := range held {
		if !wanted[p] && !p.harmless() {
			from[grantee] = append(from[grantee], p)
		}
	}
	return from
}

// harmless privileges open nothing by themselves: everybody has them in a new database.
func (p privilege) harmless() bool {
	return p.object.Kind == onSchema && p.name == "USAGE" && p.object.Name == "public"
}
