package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// WritePlots draws the charts for which the medians have data into a folder: the throughput over the number of tasks at
// once, and the cost of a step over the size of its task. It returns the written files.
func WritePlots(dir string, c Conditions, medians []Result) ([]string, error) {
	charts := []struct {
		file  string
		chart Chart
	}{
		{"throughput.svg", Chart{
			Title: "Throughput of tasks with ten steps one after the other", X: "tasks at once", Y: "steps per second",
			Series: throughput(medians),
		}},
		{"cost.svg", Chart{
			Title: "Cost of a step in tasks that fan out and in", X: "steps of the task",
			Y:      "processor time of worker and PostgreSQL, µs per step",
			Series: costs(medians),
		}},
	}
	var files []string
	for _, p := range charts {
		if len(p.chart.Series) == 0 {
			continue
		}
		p.chart.Notes = []string{c.Machine, c.Server}
		path := filepath.Join(dir, p.file)
		if err := writeChart(path, &p.chart); err != nil {
			return files, fmt.Errorf("drawing %s: %w", path, err)
		}
		files = append(files, path)
	}
	return files, nil
}

func writeChart(path string, c *Chart) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(c.WriteSVG(file), file.Close())
}

// throughput returns a series for each system that ran linear-10 with several numbers of tasks at once.
func throughput(medians []Result) []Series {
	lines := newLines()
	for _, r := range medians {
		if r.Workload == "linear-10" && r.StepsPerSecond > 0 {
			lines.add(&r, float64(r.Concurrency), r.StepsPerSecond)
		}
	}
	return lines.series()
}

// costs returns a series for each system that ran fan-outs of several sizes, each with its largest number of tasks at
// once.
func costs(medians []Result) []Series {
	lines := newLines()
	for _, r := range medians {
		w := FindWorkload(r.Workload)
		if strings.HasPrefix(r.Workload, "fan-out-") && w != nil && r.PostgresCPU > 0 {
			lines.add(&r, float64(w.Shapes[0].Size()), r.WorkerCPU+r.PostgresCPU)
		}
	}
	return lines.series()
}

// lines collects points by system.
type lines struct {
	names  []string
	points map[string][]Point
}

func newLines() *lines { return &lines{points: make(map[string][]Point)} }

// add adds a point to the line of the result's system. A later one with the same x replaces it.
func (l *lines) add(r *Result, x, y float64) {
	name := r.label()
	if !slices.Contains(l.names, name) {
		l.names = append(l.names, name)
	}
	l.points[name] = append(slices.DeleteFunc(l.points[name], func(p Point) bool { return p.X == x }), Point{x, y})
}

// series returns the lines of more than one point.
func (l *lines) series() []Series {
	var all []Series
	for _, name := range l.names {
		if len(l.points[name]) > 1 {
			all = append(all, Series{Name: name, Points: l.points[name]})
		}
	}
	return all
}

// label names the system of the result with its distinguishing properties.
func (r *Result) label() string {
	if r.Indexes == "" {
		return r.System
	}
	return fmt.Sprintf("%s, %s, %s indexes", r.System, r.Handlers, r.Indexes)
}
