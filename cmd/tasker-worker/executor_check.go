package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tasker-systems/tasker-worker/executors/conformance"
)

type executorCommand struct {
	Check executorCheck `cmd:"" help:"Check a host program against the executor protocol."`
}

type executorCheck struct {
	Only     []string `help:"Run the checks with these ids, for example H1,F3."       placeholder:"ID"`
	JSON     bool     `help:"Print JSON."                                             name:"json"`
	Fixtures bool     `help:"List the handlers that a host serves to be checked."`
	Record   string   `help:"Write a transcript of each check into this folder." placeholder:"DIR" type:"path"`
	Argv     []string `arg:""                                                         help:"The host program and its arguments, after --." optional:"" passthrough:""`
}

// Help implements kong's extension.
func (executorCheck) Help() string {
	return `Plays the worker for a host program and goes through the conformance list of the protocol. A check is skipped when the
host does not serve its fixture handler or does not declare its capability. Exits with 1 when a check failed. For example:

    tasker-worker executor check -- ruby tasker_host/host.rb
    tasker-worker executor check --only H1,F3 -- ./my_host
    tasker-worker executor check --record transcripts -- ./my_host
    tasker-worker executor check --fixtures`
}

// Run checks a host program.
func (cmd executorCheck) Run(ctx context.Context, s streams) error {
	if cmd.Fixtures {
		return cmd.listFixtures(s)
	}
	argv := cmd.Argv
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	if len(argv) == 0 {
		return setupError{errors.New("no host program is named: tasker-worker executor check -- PROGRAM ARGUMENTS")}
	}
	results, err := conformance.Run(ctx, argv, conformance.Options{Only: cmd.Only, Record: cmd.Record})
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		return setupError{err}
	}
	return cmd.print(s, results)
}

func (cmd executorCheck) print(s streams, results []conformance.Result) error {
	counts := map[conformance.State]int{}
	for i := range results {
		counts[results[i].State]++
	}
	var err error
	if cmd.JSON {
		err = printJSON(s.out, results)
	} else {
		err = printChecks(s, results, counts)
	}
	if err == nil && counts[conformance.Failed] > 0 {
		return exitError(exitFailure)
	}
	return err
}

func printChecks(s streams, results []conformance.Result, counts map[conformance.State]int) error {
	rows := [][]string{{"CHECK", "RESULT", "WHAT IT ASKS", "REASON"}}
	for i := range results {
		r := &results[i]
		rows = append(rows, []string{strings.Join(r.IDs, " "), string(r.State), r.Asks, shortened(r.Reason)})
	}
	if err := table(s.out, rows); err != nil {
		return err
	}
	for i := range results {
		if results[i].Log != "" {
			fmt.Fprintf(s.err, "\n%s: %s\n", strings.Join(results[i].IDs, " "), printableLines(results[i].Log))
		}
	}
	_, err := fmt.Fprintf(s.out, "\n%d passed, %d failed, %d skipped\n",
		counts[conformance.Passed], counts[conformance.Failed], counts[conformance.Skipped])
	return err
}

// shortened keeps a reason in a line of the table; --json has all of it.
func shortened(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func (cmd executorCheck) listFixtures(s streams) error {
	if cmd.JSON {
		return printJSON(s.out, conformance.Fixtures())
	}
	rows := [][]string{{"HANDLER", "WHAT IT DOES"}}
	for _, f := range conformance.Fixtures() {
		rows = append(rows, []string{"Fixtures::" + f.Name, f.Does})
	}
	return table(s.out, rows)
}
