package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Plan is a list of measurements.
type Plan struct {
	Workloads []*Workload
	// Contenders are measured one after the other in each workload, so that changes of the machine's speed affect all.
	Contenders []Contender
	// Concurrency, unless it is empty, replaces that of the workloads without Fixed.
	Concurrency []int
	// Duration is that of each measurement without a fixed number of tasks.
	Duration time.Duration
	// Rounds is the number of times that everything is measured.
	Rounds int
	// Each is called with the result of each measurement, after it.
	Each func(*Result) error
}

// Check returns an error if the plan is invalid or has no measurements.
func (p *Plan) Check() error {
	switch {
	case p.Rounds < 1:
		return fmt.Errorf("%d rounds are too few", p.Rounds)
	case p.Duration <= 0:
		return fmt.Errorf("%s is no time to measure for", p.Duration)
	}
	for _, n := range p.Concurrency {
		if n < 1 || n > openMax {
			return fmt.Errorf("there must be between 1 and %d tasks at once, not %d", openMax, n)
		}
	}
	if len(p.points()) == 0 {
		return errors.New("none of the workloads has handlers in these languages")
	}
	return nil
}

// point is one measurement of a plan.
type point struct {
	contender   Contender
	workload    *Workload
	run         func(context.Context, *rig, *Result) error
	concurrency int
	duration    time.Duration
}

// bareName is the name of the system in the rows of bare loops.
const bareName = "bare"

// points returns the measurements in their order.
func (p *Plan) points() []point {
	var all []point
	for _, w := range p.Workloads {
		concurrency := p.Concurrency
		if len(concurrency) == 0 || w.Fixed {
			concurrency = w.Concurrency
		}
		for _, n := range concurrency {
			for _, c := range p.Contenders {
				if !w.serves(c.Handlers) {
					continue
				}
				all = append(all, point{c, w, w.run, n, p.Duration})
				if w.bare != nil {
					all = append(all, point{
						Contender{Name: bareName, Handlers: c.Handlers, Indexes: c.Indexes}, w, w.bare, n, p.Duration,
					})
				}
			}
		}
	}
	return all
}

// Run makes all measurements, round by round, and returns the medians of the rounds. After an error it returns the
// medians so far.
func Run(ctx context.Context, server *Server, plan Plan) ([]Result, error) {
	points := plan.points()
	rounds := make([][]Result, len(points))
	for round := 1; round <= plan.Rounds; round++ {
		for i, p := range points {
			r, err := p.measure(ctx, server)
			if err != nil {
				return medians(rounds), fmt.Errorf(
					"%s with %s (handlers: %s), %d at once: %w", p.workload.Name, p.contender.Name,
					p.contender.Handlers, p.concurrency, err,
				)
			}
			r.Round = round
			rounds[i] = append(rounds[i], r)
			if err := plan.Each(&r); err != nil {
				return medians(rounds), err
			}
		}
	}
	return medians(rounds), nil
}

func medians(rounds [][]Result) []Result {
	rounds = slices.DeleteFunc(rounds, func(r []Result) bool { return len(r) == 0 })
	all := make([]Result, len(rounds))
	for i := range rounds {
		all[i] = Median(rounds[i])
	}
	return all
}

// rig has the resources of one measurement.
type rig struct {
	point

	database *Database
	meter    *Meter
}

func (p point) measure(ctx context.Context, server *Server) (r Result, err error) {
	r = Result{
		System: p.contender.Name, Workload: p.workload.Name, Handlers: p.contender.Handlers,
		Indexes:     p.contender.Indexes,
		Concurrency: p.concurrency,
	}
	database, err := p.database(ctx, server)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	meter, err := NewMeter(ctx, database)
	if err != nil {
		return r, err
	}
	defer meter.Close()
	run := p.run
	if run == nil {
		run = runTasks
	}
	err = run(ctx, &rig{point: p, database: database, meter: meter}, &r)
	return r, err
}

func (p point) database(ctx context.Context, server *Server) (*Database, error) {
	if p.contender.Empty {
		return server.newDatabase(ctx, emptyTemplate)
	}
	return server.migrated(ctx, p.contender.Indexes)
}

// drive runs the tasks of the workload. It watches them if they run one at a time.
func (b *rig) drive(ctx context.Context) (m Measurement, err error) {
	system, err := b.contender.Start(ctx, b.database, b.workload, b.concurrency == 1)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	m, err = Drive(ctx, system, b.workload.load(b.concurrency, b.duration), b.meter)
	if w, ok := system.(*worker); ok {
		err = w.explain(err)
	}
	return m, err
}
