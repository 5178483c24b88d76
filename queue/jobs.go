package queue

// TicksQueue is the River queue of ticks. Templates cannot use the name for their steps.
const TicksQueue = "ticks"

// tickArgs are the arguments of a tasker_tick job. SQL writes them. Handler is that of the task's first step when the job
// waits in the queue of that step: then the tick may claim it, and the step runs in the room of the job.
type tickArgs struct {
	TaskID  int64  `json:"task_id"`
	Handler string `json:"handler,omitempty"`
}

// Kind implements river.JobArgs.
func (tickArgs) Kind() string { return "tasker_tick" }

// stepArgs are the arguments of a tasker_step job. SQL writes them. Handler lets a worker leave a step alone that it
// does not serve, without claiming it.
type stepArgs struct {
	TaskID  int64  `json:"task_id"`
	StepID  int64  `json:"step_id"`
	Handler string `json:"handler"`
}

// Kind implements river.JobArgs.
func (stepArgs) Kind() string { return "tasker_step" }
