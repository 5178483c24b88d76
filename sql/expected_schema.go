package sql

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// expectedSchema is the engine's schema, as far as the worker relies on it.
type expectedSchema struct {
	columns     []column
	constraints []constraint
	functions   []function
	tables      []string
	uniques     []unique
}

type column struct {
	Table      string
	Name       string
	Type       string
	Size       int // characters, or decimals of seconds; 0 where the type has none or no bound
	Nullable   bool
	HasDefault bool
}

type constraint struct {
	Table      string
	Kind       string // p or f, as in pg_constraint
	Columns    string // with commas between
	References string
}

type unique struct {
	Table   string
	Columns string
	Partial bool
}

type function struct {
	Name       string
	Arguments  string
	Result     string
	Volatility string
	Source     string // empty in the facts
}

const engineView = "tasker_step_dag_relationships"

// loadExpectedSchema reads the embedded files.
func loadExpectedSchema() (*expectedSchema, error) {
	f := &expectedSchema{}
	for name, add := range map[string]func(row map[string]string) error{
		"columns": f.addColumn, "constraints": f.addConstraint, "functions": f.addFunction, "indexes": f.addUnique,
	} {
		rows, err := readTSV(baselineFacts + "/" + name + ".tsv")
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := add(row); err != nil {
				return nil, fmt.Errorf("%s/%s.tsv: %w", baselineFacts, name, err)
			}
		}
	}
	return f, nil
}

// readTSV returns the rows of a file by the names in its first line.
func readTSV(name string) ([]map[string]string, error) {
	text, err := embedded.ReadFile(name)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.Comma, reader.LazyQuotes = '\t', true
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rows := make([]map[string]string, 0, len(lines))
	for _, line := range lines[1:] {
		row := make(map[string]string, len(line))
		for i, value := range line {
			row[lines[0][i]] = value
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (f *expectedSchema) addColumn(row map[string]string) error {
	if row["table"] == engineView {
		return nil
	}
	size := 0
	if text := row["length_or_precision"]; text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil {
			return err
		}
	}
	if !slices.Contains(f.tables, row["table"]) {
		f.tables = append(f.tables, row["table"])
	}
	f.columns = append(f.columns, column{
		Table: row["table"], Name: row["column"], Type: row["type"], Size: size,
		Nullable: row["nullable"] == "YES", HasDefault: row["default"] != "",
	})
	return nil
}

func (f *expectedSchema) addConstraint(row map[string]string) error {
	f.constraints = append(f.constraints, constraint{
		Table: row["table"], Kind: row["type"], Columns: row["columns"], References: row["references"],
	})
	return nil
}

func (f *expectedSchema) addFunction(row map[string]string) error {
	f.functions = append(f.functions, function{
		Name: row["function"], Arguments: row["arguments"], Result: row["result"], Volatility: row["volatility"],
	})
	return nil
}

// addUnique keeps the unique indexes: they guard what the engine and we rely on. The others are a matter of speed.
func (f *expectedSchema) addUnique(row map[string]string) error {
	if row["unique"] != "t" || strings.HasSuffix(row["index"], "_pkey") {
		return nil
	}
	f.uniques = append(f.uniques, unique{Table: row["table"], Columns: row["columns"], Partial: row["predicate"] != ""})
	return nil
}
