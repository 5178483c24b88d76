package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tasker-systems/tasker-worker/bench"
)

type benchCommand struct {
	Workloads   []string      `help:"What to measure. Default: the workloads that --list marks."                placeholder:"NAME"`
	Concurrency []int         `help:"Tasks at once. Default: those of the workload."                            placeholder:"N"`
	Handlers    []string      `default:"go"                                                                     enum:"go,python,ruby,node"       help:"Languages of the handlers: ${enum}. Those in go run in the worker's process."                    placeholder:"LANGUAGE"`
	Indexes     []string      `default:"own"                                                                    enum:"own,engine"                help:"Indexes of the database: those of our migration (own), or every one of the Rails engine (engine)." placeholder:"SET"`
	Duration    time.Duration `default:"5s"                                                                     help:"Time of each measurement."`
	Rounds      int           `default:"1"                                                                      help:"How often everything is measured; medians are printed of several."`
	JSON        string        `help:"Write a JSON line for each measurement and each median to this file."      name:"json"                      placeholder:"FILE"`
	Plots       string        `help:"Draw the medians into this folder."                                        placeholder:"FOLDER"             type:"existingdir"`
	DatabaseURL string        `help:"Measure on this server, in databases that are dropped again. Default: a private server." name:"database-url" placeholder:"URL"`
	CPUProfile  string        `help:"Write a processor profile of this process to this file."                   name:"cpuprofile"                placeholder:"FILE"`
	MemProfile  string        `help:"Write a profile of this process's allocations to this file."               name:"memprofile"                placeholder:"FILE"`
	List        bool          `help:"List the workloads."`
}

// Help implements kong's extension.
func (benchCommand) Help() string {
	return `The private PostgreSQL commits as durably as one in production. Each measurement has a database of its own, and the
creation of its tasks is part of it. Costs are for each step: processor time of this process, of the handler processes
and of PostgreSQL, statements, and bytes of write-ahead log. For example:

    tasker-worker bench
    tasker-worker bench --workloads linear-10 --concurrency 100 --rounds 5 --indexes own,engine
    tasker-worker bench --workloads linear-10,fan-out-100 --handlers python,ruby,node --json results.jsonl`
}

// Run measures on a private PostgreSQL, unless another one is named.
func (cmd benchCommand) Run(ctx context.Context, s streams) (err error) {
	if cmd.List {
		return table(s.out, cmd.list())
	}
	plan, err := cmd.plan()
	if err != nil {
		return setupError{err}
	}
	lines, closeLines, err := cmd.lines()
	if err != nil {
		return setupError{err}
	}
	defer func() { err = errors.Join(err, closeLines()) }()
	server, err := cmd.server(ctx)
	if err != nil {
		return setupError{err}
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	stop, err := startProfiles(cmd.CPUProfile, cmd.MemProfile)
	if err != nil {
		return setupError{err}
	}
	defer func() { err = errors.Join(err, stop()) }()
	return cmd.measure(ctx, server, plan, s.out, lines)
}

func (cmd benchCommand) measure(ctx context.Context, server *bench.Server, plan bench.Plan, out, lines io.Writer) error {
	conditions := server.Conditions(ctx)
	fmt.Fprintf(out, "%s\n\n", conditions)
	if err := bench.WriteHead(out); err != nil {
		return err
	}
	plan.Each = func(r *bench.Result) error { return errors.Join(r.WriteRow(out), r.WriteJSON(lines)) }
	medians, err := bench.Run(ctx, server, plan)
	if plan.Rounds > 1 && len(medians) > 0 {
		fmt.Fprintln(out, "\nmedians of the rounds")
		err = errors.Join(err, bench.WriteHead(out))
		for i := range medians {
			err = errors.Join(err, medians[i].WriteRow(out), medians[i].WriteJSON(lines))
		}
	}
	err = errors.Join(err, bench.WriteOverheads(out, medians))
	if err != nil || cmd.Plots == "" {
		return err
	}
	files, err := bench.WritePlots(cmd.Plots, conditions, medians)
	for _, file := range files {
		fmt.Fprintln(out, "drew", file)
	}
	return err
}

func (benchCommand) list() [][]string {
	rows := [][]string{{"WORKLOAD", "BY DEFAULT", "AT ONCE", "WHAT"}}
	for i := range bench.Workloads {
		w := &bench.Workloads[i]
		mark := ""
		if w.Default {
			mark = "yes"
		}
		rows = append(rows, []string{w.Name, mark, fmt.Sprint(w.Concurrency), w.About})
	}
	return rows
}

func (cmd benchCommand) plan() (bench.Plan, error) {
	plan := bench.Plan{Concurrency: cmd.Concurrency, Duration: cmd.Duration, Rounds: cmd.Rounds}
	for _, name := range cmd.Workloads {
		w := bench.FindWorkload(name)
		if w == nil {
			return plan, fmt.Errorf("there is no workload %q; `tasker-worker bench --list` has them", name)
		}
		plan.Workloads = append(plan.Workloads, w)
	}
	for i := range bench.Workloads {
		if len(cmd.Workloads) == 0 && bench.Workloads[i].Default {
			plan.Workloads = append(plan.Workloads, &bench.Workloads[i])
		}
	}
	for _, language := range cmd.Handlers {
		for _, indexes := range cmd.Indexes {
			plan.Contenders = append(plan.Contenders, bench.Ours(bench.Language(language), bench.Indexes(indexes)))
		}
	}
	if err := plan.Check(); err != nil {
		return plan, err
	}
	return plan, nil
}

func (cmd benchCommand) server(ctx context.Context) (*bench.Server, error) {
	if cmd.DatabaseURL != "" {
		return bench.UseServer(ctx, cmd.DatabaseURL)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return bench.StartServer(ctx, filepath.Join(cache, "tasker-worker"))
}

// lines opens the file for JSON lines, if one is named.
func (cmd benchCommand) lines() (io.Writer, func() error, error) {
	if cmd.JSON == "" {
		return io.Discard, func() error { return nil }, nil
	}
	file, err := os.Create(cmd.JSON)
	if err != nil {
		return nil, nil, err
	}
	return file, file.Close, nil
}
