// Command peers runs the same workloads on tasker-worker, on DBOS and on plain River, by turns on one PostgreSQL, and
// prints how they compare. It is a module of its own, so that users of tasker-worker do not download the other systems.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tasker-systems/tasker-worker/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// options are the options of the command line.
type options struct {
	workloads, concurrency, systems, jsonFile, plots, databaseURL string

	rounds   int
	duration time.Duration
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.workloads, "workloads", "linear-10", "workloads, separated by commas")
	flags.StringVar(&o.concurrency, "concurrency", "1,100", "tasks at once, separated by commas")
	flags.StringVar(
		&o.systems, "systems", "",
		"systems, separated by commas; all when it is empty: "+strings.Join(names(contenders()), ","),
	)
	flags.StringVar(&o.jsonFile, "json", "", "file for a JSON line for each measurement and each median")
	flags.StringVar(&o.plots, "plots", "", "folder to draw the medians into")
	flags.StringVar(&o.databaseURL, "database-url", "", "server to use instead of a private one")
	flags.IntVar(&o.rounds, "rounds", 5, "how often everything is measured")
	flags.DurationVar(&o.duration, "duration", 5*time.Second, "time of each measurement")
	return o, flags.Parse(args)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	plan, err := o.plan()
	if err != nil {
		return err
	}
	lines, closeLines, err := create(o.jsonFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLines()) }()
	server, err := o.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	plan.Each = func(r *bench.Result) error { return errors.Join(r.WriteRow(stdout), r.WriteJSON(lines)) }
	conditions := server.Conditions(ctx)
	fmt.Fprintf(stdout, "%s\n\n", conditions)
	if err := bench.WriteHead(stdout); err != nil {
		return err
	}
	medians, err := bench.Run(ctx, server, plan)
	if err = errors.Join(err, report(stdout, lines, medians)); err != nil || o.plots == "" {
		return err
	}
	_, err = bench.WritePlots(o.plots, conditions, medians)
	return err
}

// report prints the medians and their ratios to those of tasker-worker.
func report(stdout, lines io.Writer, medians []bench.Result) error {
	fmt.Fprintln(stdout, "\nmedians of the rounds")
	err := bench.WriteHead(stdout)
	for i := range medians {
		err = errors.Join(err, medians[i].WriteRow(stdout), medians[i].WriteJSON(lines))
	}
	fmt.Fprintln(stdout)
	return errors.Join(err, writeRatios(stdout, medians))
}

func (o options) plan() (bench.Plan, error) {
	plan := bench.Plan{Duration: o.duration, Rounds: o.rounds}
	for name := range strings.SplitSeq(o.workloads, ",") {
		w := bench.FindWorkload(name)
		if w == nil {
			return plan, fmt.Errorf("there is no workload %q", name)
		}
		plan.Workloads = append(plan.Workloads, w)
	}
	for text := range strings.SplitSeq(o.concurrency, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return plan, fmt.Errorf("concurrency %q is no number of tasks", text)
		}
		plan.Concurrency = append(plan.Concurrency, n)
	}
	all := contenders()
	if o.systems == "" {
		o.systems = strings.Join(names(all), ",")
	}
	for name := range strings.SplitSeq(o.systems, ",") {
		found := false
		for _, c := range all {
			if label(c.Name, c.Handlers, c.Indexes) == name {
				plan.Contenders, found = append(plan.Contenders, c), true
			}
		}
		if !found {
			return plan, fmt.Errorf("there is no system %q, but %s", name, strings.Join(names(all), ", "))
		}
	}
	return plan, nil
}

func (o options) server(ctx context.Context) (*bench.Server, error) {
	if o.databaseURL != "" {
		return bench.UseServer(ctx, o.databaseURL)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return bench.StartServer(ctx, filepath.Join(cache, "tasker-worker"))
}

// create opens the file for JSON lines, if one is named.
func create(path string) (io.Writer, func() error, error) {
	if path == "" {
		return io.Discard, func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, nil, err
	}
	return file, file.Close, nil
}
