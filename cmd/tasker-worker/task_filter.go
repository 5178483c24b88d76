package main

import (
	"time"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
)

// taskFilterFlags narrow a list of tasks.
type taskFilterFlags struct {
	Namespace     string        `help:"Only tasks of this namespace." placeholder:"NAME"`
	Name          string        `help:"Only tasks of this name." placeholder:"NAME"`
	Version       string        `help:"Only tasks of this version." placeholder:"VERSION"`
	State         *string       `enum:"pending,in_progress,complete,error,cancelled,resolved_manually" help:"Only tasks in this state: ${enum}." placeholder:"STATE"`
	FailedStep    string        `help:"Only tasks of which this step is in error." placeholder:"STEP"`
	ErrorClass    string        `help:"Only tasks of which a step has such an error." placeholder:"CLASS"`
	ErrorCategory *string       `enum:"${error_categories}" help:"Only tasks of which a step has an error of this category: ${enum}." placeholder:"CATEGORY"`
	Fingerprint   string        `help:"Only tasks of which a step has an error with this fingerprint: see task errors." placeholder:"FINGERPRINT"`
	Initiator     string        `help:"Only tasks that this one asked for." placeholder:"NAME"`
	Tag           string        `help:"Only tasks with this tag." placeholder:"TAG"`
	OlderThan     time.Duration `help:"Only tasks created longer ago than this." placeholder:"DURATION"`
	NewerThan     time.Duration `help:"Only tasks created since then." placeholder:"DURATION"`
	Before        int64         `help:"Only tasks with smaller ids: the last id of the page before." placeholder:"ID"`
}

func (f taskFilterFlags) filter() client.TaskFilter {
	filter := client.TaskFilter{
		Namespace: f.Namespace, Name: f.Name, Version: f.Version, FailedStep: f.FailedStep, ErrorClass: f.ErrorClass,
		Fingerprint: f.Fingerprint, Initiator: f.Initiator, Tag: f.Tag, Before: f.Before,
	}
	if f.State != nil {
		filter.State = engine.State(*f.State)
	}
	if f.ErrorCategory != nil {
		filter.ErrorCategory = engine.ErrorCategory(*f.ErrorCategory)
	}
	if f.OlderThan > 0 {
		filter.CreatedBefore = time.Now().Add(-f.OlderThan)
	}
	if f.NewerThan > 0 {
		filter.CreatedAfter = time.Now().Add(-f.NewerThan)
	}
	return filter
}
