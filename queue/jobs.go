package queue

// TicksQueue is the River queue of ticks. Templates cannot use the name for their steps.
const TicksQueue = "ticks"

// tickArgs are the arguments of a tasker_tick job. SQL writes them. A tick job in the queue of the task's first step
// also names the handler. A fetcher fetches these, like the jobs of steps; they never reach River's client.
type tickArgs struct {
	TaskID int64 `json:"task_id"`
}

// Kind implements river.JobArgs.
func (tickArgs) Kind() string { return "tasker_tick" }
