package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

func stepRows(steps []sql.Step) [][]string {
	rows := [][]string{{"STEP", "STATE", "ATTEMPTS", "TOOK", "WORKER", "AFTER", "RESULT"}}
	for _, step := range steps {
		took, worker := "", ""
		if last := lastAttempt(step); last != nil {
			worker = last.Worker
			if last.State != engine.InProgress {
				took = inSeconds(last.Seconds)
			}
		}
		result := ""
		if step.State == engine.Complete || step.State == engine.ResolvedManually && step.Results != nil {
			result = shorten(string(step.Results), 60)
		}
		rows = append(rows, []string{step.Name, stepState(step), attemptsShort(step), took, worker, parents(step.DependsOn), result})
	}
	return rows
}

func lastAttempt(step sql.Step) *sql.AttemptRecord {
	if len(step.History) == 0 {
		return nil
	}
	return &step.History[len(step.History)-1]
}

// attemptsOf is how many attempts a step had of those that it may have. An error for good takes the rest of them away, which
// the step's own limit no longer shows.
func attemptsOf(step sql.Step) string {
	limit, why := step.Limit, ""
	last := lastAttempt(step)
	switch {
	case !step.Retryable:
		limit, why = 1, ", not retryable"
	case last != nil && last.State == engine.Error && last.Permanent:
		limit, why = max(limit, last.RetryLimit), ", permanent"
	}
	return fmt.Sprintf("%d of %s%s", step.Attempts, plural(max(limit, 1), "attempt"), why)
}

// attemptsShort is attemptsOf under a head that names what is counted.
func attemptsShort(step sql.Step) string {
	return strings.NewReplacer(" attempts", "", " attempt", "").Replace(attemptsOf(step))
}

// parentsShown is how many parents of a step `task show` names; --json has all of them.
const parentsShown = 6

func parents(names []string) string {
	if more := len(names) - parentsShown; more > 0 {
		names = append(slices.Clone(names[:parentsShown]), fmt.Sprintf("… %d more", more))
	}
	return strings.Join(names, ", ")
}

// attemptsShown is how many attempts of a step `task show` lists; --json has all of them.
const attemptsShown = 10

// attemptRows are the attempts of steps that had several, and those that were measured.
func attemptRows(steps []sql.Step) [][]string {
	rows := [][]string{{"ATTEMPT", "STATE", "STARTED (UTC)", "TOOK", "WORKER", "CPU", "PEAK MEMORY", "ERROR"}}
	for _, step := range steps {
		shown := step.History
		if more := len(shown) - attemptsShown; more > 0 {
			shown = shown[more:]
			rows = append(rows, []string{fmt.Sprintf("%s: %d earlier ones", step.Name, more)})
		}
		for _, attempt := range shown {
			cpu, memory := measured(step, attempt)
			if len(step.History) > 1 || cpu+memory != "" {
				rows = append(rows, attemptRow(step, attempt, cpu, memory))
			}
		}
	}
	return withoutEmptyColumns(rows)
}

func attemptRow(step sql.Step, attempt sql.AttemptRecord, cpu, memory string) []string {
	state, failure := string(attempt.State), ""
	if attempt.State == engine.Pending {
		state = "given back"
	}
	if attempt.State == engine.Error {
		failure = attempt.ErrorMessage
		if attempt.ErrorClass != "" {
			failure = attempt.ErrorClass + ": " + failure
		}
	}
	return []string{
		step.Name + " " + strconv.Itoa(attempt.Attempt), state, attempt.StartedAt.UTC().Format(time.TimeOnly), inSeconds(attempt.Seconds),
		attempt.Worker, cpu, memory, shorten(failure, 100),
	}
}

// measured is what was measured of an attempt.
func measured(step sql.Step, attempt sql.AttemptRecord) (cpu, memory string) {
	i := slices.IndexFunc(step.Usage, func(u sql.AttemptUsage) bool { return u.Attempt == attempt.Attempt && u.State == attempt.State })
	if i < 0 {
		return "", ""
	}
	used := step.Usage[i]
	if used.CPUMS > 0 {
		cpu = seconds(time.Duration(used.CPUMS * float64(time.Millisecond)))
	}
	if used.PeakMemoryBytes > 0 {
		memory = fmt.Sprintf("%d MiB", used.PeakMemoryBytes>>20)
	}
	return cpu, memory
}

func inSeconds(s float64) string { return seconds(time.Duration(s * float64(time.Second))) }

// withoutEmptyColumns leaves out the columns that have nothing but a head.
func withoutEmptyColumns(rows [][]string) [][]string {
	var kept [][]string
	for range rows {
		kept = append(kept, nil)
	}
	for column := range rows[0] {
		filled := slices.ContainsFunc(rows[1:], func(row []string) bool { return column < len(row) && row[column] != "" })
		for i, row := range rows {
			if filled && column < len(row) {
				kept[i] = append(kept[i], row[column])
			}
		}
	}
	return kept
}
