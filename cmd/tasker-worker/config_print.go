package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
)

// variable is one environment variable as `tasker-worker config` prints it.
type variable struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Meaning string `json:"meaning"`
}

// variables describes the fields of c in the order of their names, secrets redacted.
func variables(c config) []variable {
	values := reflect.ValueOf(c)
	var all []variable
	for i := range values.NumField() {
		field := values.Type().Field(i)
		v := variable{
			Name: field.Tag.Get("env"), Default: field.Tag.Get("envDefault"), Meaning: field.Tag.Get("doc"),
			Value: display(values.Field(i).Interface()),
		}
		if v.Name == "DATABASE_URL" {
			v.Value = redact(v.Value)
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b variable) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// display writes a value as it would be set.
func display(value any) string {
	switch v := value.(type) {
	case []string:
		return strings.Join(v, ",")
	case time.Duration:
		text := v.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	default:
		return fmt.Sprint(v)
	}
}

type configCommand struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (configCommand) Help() string {
	return "Passwords are not shown. Exits with 2 when a variable is wrong, and says which and why."
}

// Run prints the variables, also when some are wrong: those as they were given.
func (cmd configCommand) Run(s streams) error {
	c, err := loadConfig()
	all := variables(c)
	if wrong, ok := errors.AsType[*configError](err); ok {
		for _, fault := range wrong.faults {
			if i := slices.IndexFunc(all, func(v variable) bool { return v.Name == fault.name }); i >= 0 {
				all[i].Value = os.Getenv(fault.name)
			}
		}
	}
	if cmd.JSON {
		return errors.Join(printJSON(s.out, all), err)
	}
	for _, v := range all {
		value := v.Value
		if value == "" {
			value = "(not set)"
		}
		fmt.Fprintf(s.out, "%s=%s\n    %s", v.Name, printable(value), v.Meaning)
		if v.Default != "" {
			fmt.Fprintf(s.out, " (default %s)", v.Default)
		}
		fmt.Fprintln(s.out)
	}
	return err
}
