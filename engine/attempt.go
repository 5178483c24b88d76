package engine

import (
	"encoding/json"
	"time"
)

// Attempt is one claimed execution of a step and everything that its handler gets. JSON values are passed through as
// the database stores them.
type Attempt struct {
	// Token is the fence: the id of the in_progress transition that this claim wrote. Every outcome carries it.
	Token int64
	Task  TaskInfo
	Step  StepInfo
	// Dependencies are the finished ancestors of the step, its parents last.
	Dependencies []Dependency
	Handler      Handler
	// Checkpoint is what an earlier attempt saved, nil when there is nothing.
	Checkpoint json.RawMessage
}

// TaskInfo is the task as its handlers see it.
type TaskInfo struct {
	ID           int64
	Namespace    string
	Name         string
	Version      string
	Context      json.RawMessage
	Tags         json.RawMessage
	Initiator    string
	SourceSystem string
	Reason       string
	RequestedAt  time.Time
}

// StepInfo is the step as its handler sees it.
type StepInfo struct {
	ID   int64
	Name string
	// Attempt numbers this execution from 1; it counts earlier attempts, not executions that were given back.
	Attempt     int
	MaxAttempts int
	Inputs      json.RawMessage
	// Results are what earlier attempts left in the row: an object with error keys, or null.
	Results json.RawMessage
}

// nextAttempt is the attempt of a step that was handed over when this one completed with result.
func (a *Attempt) nextAttempt(next *NextStep, result json.RawMessage) *Attempt {
	following := &Attempt{Token: next.Token, Task: a.Task, Step: next.Step, Dependencies: next.Dependencies, Handler: next.Handler}
	switch {
	case next.SharesParents:
		following.Dependencies = a.Dependencies
	case next.Dependencies == nil:
		// Along a chain the slices share one array: each attempt sees its own length of it, and has one that follows it.
		following.Dependencies = append(a.Dependencies, Dependency{StepID: a.Step.ID, Name: a.Step.Name, Result: result}) //nolint:gocritic // shared on purpose
	}
	return following
}

// Dependency is a finished ancestor of a step.
type Dependency struct {
	StepID int64
	Name   string
	Result json.RawMessage
}

// Handler names the code of a step and carries the template's handler_config for it, null when there is none.
type Handler struct {
	Name   string
	Config json.RawMessage
	// Timeout bounds one attempt; zero means the executor's default.
	Timeout time.Duration
}
