package engine

import (
	"encoding/json"
	"time"
)

// Attempt is one claimed run of a step, with everything that its handler receives. JSON values are passed on as the
// database stores them.
type Attempt struct {
	// Token is the fencing token: the id of the in_progress transition that this claim wrote. Every outcome carries it.
	Token int64
	Task  TaskInfo
	Step  StepInfo
	// Dependencies are the finished ancestors of the step, its parents last.
	Dependencies []Dependency
	Handler      Handler
	// Checkpoint is what an earlier attempt saved, nil if it saved nothing.
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
	// Attempt is the number of this attempt, from 1. Claims that were given back are not counted.
	Attempt     int
	MaxAttempts int
	Inputs      json.RawMessage
	// Results is what earlier attempts left in the row: an object with error keys, or null.
	Results json.RawMessage
}

// nextAttempt returns the attempt of a step that was claimed eagerly when this attempt completed with result.
func (a *Attempt) nextAttempt(next *NextStep, result json.RawMessage) *Attempt {
	following := &Attempt{
		Token: next.Token, Task: a.Task, Step: next.Step, Dependencies: next.Dependencies, Handler: next.Handler,
	}
	switch {
	case next.SharesParents:
		following.Dependencies = a.Dependencies
	case next.Dependencies == nil:
		// The attempts of a chain share one array of dependencies. Each attempt has a slice of its own length, and at
		// most one attempt follows it.
		parent := Dependency{StepID: a.Step.ID, Name: a.Step.Name, Result: result}
		following.Dependencies = append(a.Dependencies, parent) //nolint:gocritic // shared on purpose
	}
	return following
}

// Dependency is a finished ancestor of a step.
type Dependency struct {
	StepID int64
	Name   string
	Result json.RawMessage
}

// Handler names the code of a step and carries the template's handler_config for it, null if it has none.
type Handler struct {
	Name   string
	Config json.RawMessage
	// Timeout bounds one attempt; zero means the executor's default.
	Timeout time.Duration
}
