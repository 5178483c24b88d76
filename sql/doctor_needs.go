package sql

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// neededIndex is an index that we make in an empty database, because statements of ours read it.
type neededIndex struct {
	table, name string
	columns     []string
	partial     bool
	// statement is what makes it.
	statement string
}

var ownIndex = regexp.MustCompile(`CREATE (UNIQUE )?INDEX (\w+)\s+ON (public\.\w+)\s+\(([^)]*)\)([^;]*);`)

// neededIndexes are those of the hot tables.
func neededIndexes() ([]neededIndex, error) {
	tables, err := scripts(baselineTables)
	if err != nil {
		return nil, err
	}
	var all []neededIndex
	for _, table := range tables {
		for _, match := range ownIndex.FindAllStringSubmatch(table.text, -1) {
			if slices.Contains(hotTables, match[3]) {
				all = append(all, neededIndex{
					table: match[3], name: match[2], columns: strings.Split(match[4], ", "), partial: strings.Contains(match[5], "WHERE"),
					statement: strings.Join(strings.Fields(match[0]), " "),
				})
			}
		}
	}
	return all, nil
}

// servedBy returns the index of that name, or else one that begins with the same columns.
func (n neededIndex) servedBy(all []*tableIndex) []*tableIndex {
	var serving *tableIndex
	for _, x := range all {
		if x.Table != n.table || x.Method != "btree" || x.Predicate != "" && !n.partial || !startsWith(columnNames(x.Keys), n.columns) {
			continue
		}
		if x.Name == n.name || serving == nil {
			serving = x
		}
	}
	if serving == nil {
		return nil
	}
	return []*tableIndex{serving}
}

// insteadOf returns those that statements make do with while the index is missing.
func (n neededIndex) insteadOf(all []*tableIndex) (some []*tableIndex) {
	for _, x := range all {
		if x.Table == n.table && columnNames(x.Keys)[0] == n.columns[0] {
			some = append(some, x)
		}
	}
	return some
}

func (n neededIndex) finding() Finding {
	return Finding{
		Kind: FindingMissingIndex, Object: n.table,
		What:       fmt.Sprintf("%s has no index that begins with %s.", n.table, strings.Join(n.columns, ", ")),
		Costs:      "Statements that every step needs read more than they look for.",
		Do:         "Create it.",
		Statements: []string{strings.Replace(n.statement, "INDEX "+n.name, "INDEX CONCURRENTLY "+n.name, 1)},
	}
}
