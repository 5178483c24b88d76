package queue

// TicksQueue is the River queue of ticks. Templates cannot use the name for their steps.
const TicksQueue = "ticks"

// tickArgs are the arguments of a tasker_tick job. SQL writes them. A job in the queue of the task's first step names its
// handler besides; those are fetched by a fetcher, as the jobs of steps are, and never reach River's client.
type tickArgs struct {
	TaskID int64 `json:"task_id"`
}

// Kind implements river.JobArgs.
func (tickArgs) Kind() string { return "tasker_tick" }
