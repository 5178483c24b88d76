package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/tasker-systems/tasker-worker/client"
)

const (
	// indentedMax is the deepest nesting that is indented: the indentation grows with the square of it, to hundreds
	// of megabytes.
	indentedMax = 100
	// nestedMax is the deepest nesting that encoding/json takes.
	nestedMax = 10_000
)

// printJSON prints v indented, for people and jq alike; on one line when it is nested too deep for that.
func printJSON(w io.Writer, v any) error { return encodeJSON(w, v, true) }

// printJSONLine prints v as one line.
func printJSONLine(w io.Writer, v any) error { return encodeJSON(w, v, false) }

// encodeJSON escapes what could steer a terminal: JSON that was stored may hold such characters as they are.
func encodeJSON(w io.Writer, v any, indent bool) error {
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	if line := document.Bytes(); indent && nesting(line) <= indentedMax {
		document = bytes.Buffer{}
		if err := json.Indent(&document, line, "", "  "); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, visible(document.String()))
	return err
}

// nesting is how deep arrays and objects are in each other in valid JSON.
func nesting(data []byte) (deepest int) {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			inText = !inText
		case inText && c == '\\':
			i++
		case inText:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}

// printTaskJSON prints a task with all that it holds. Other programs may have written what cannot be printed; then
// the error says where it is and how to read it.
func printTaskJSON(w io.Writer, t *client.Task) error {
	const advice = "%s nested deeper than %d levels, which cannot be printed; read it with SQL:" +
		" SELECT %s FROM public.%s WHERE %s = %d; without --json the rest is shown"
	for column, value := range map[string]json.RawMessage{"context": t.Context, "tags": t.Tags} {
		if nesting(value) > nestedMax {
			what := fmt.Sprintf("task %d: its %s is", t.TaskID, column)
			return fmt.Errorf(advice, what, nestedMax, column, "tasker_tasks", "task_id", t.TaskID)
		}
	}
	for i := range t.Steps {
		if step := &t.Steps[i]; nesting(step.Results) > nestedMax {
			what := fmt.Sprintf("task %d: the results of step %q are", t.TaskID, step.Name)
			return fmt.Errorf(advice, what, nestedMax, "results", "tasker_workflow_steps", "workflow_step_id", step.StepID)
		}
	}
	return printJSON(w, t)
}
