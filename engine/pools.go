package engine

// Pool is a group of slots of an executor.
type Pool struct {
	// Key names the pool, the same on every worker. The key is a language, such as ruby, or ruby/exclusive for its
	// exclusive handlers, ruby/process for its steps with isolation: process, or command for steps with a command.
	Key string
	// SharesSlotsOf is the key of the pool whose slots this pool uses, empty if it has slots of its own. A step in
	// ruby/exclusive occupies all the slots that its process has in ruby.
	SharesSlotsOf string
	// Handlers are the handlers whose steps run in the pool, sorted and read-only. For the pool command they are the
	// commands of the templates on this worker, though the pool runs every handler with the prefix command:. It is
	// empty for pools that the configuration of a step selects.
	Handlers []string
	// Slots is the number of slots of all living processes. Free is the number of steps that could start now, less the
	// callers that wait for a slot.
	Slots, Free int
}

// Pools describes the slots of an [Executor]. With it, a worker claims only as many steps as it can start, and
// publishes the handlers that it serves. Implementations are safe for concurrent use.
type Pools interface {
	// Pools returns the current pools, ordered by key. It is too expensive to be called for every step.
	Pools() []Pool
	// PoolOf returns the key of the pool that runs the steps of a handler, and whether there is one. A pool without a
	// living process is returned too: its steps wait.
	PoolOf(handler string) (key string, served bool)
	// Free is [Pool].Free of one pool, 0 if there is no pool with that key. It allocates no memory.
	Free(key string) int
	// TryAcquire is [Executor.Acquire] without the wait: it returns nil if no slot is free now. Callers that wait in
	// Acquire take precedence.
	TryAcquire(handler string) Slot
	// Changed returns a channel that is closed when a pool, its handlers or its slots have changed since the call, or
	// when a slot became free in another way than by a Release. A caller that watches for changes calls it before
	// Pools.
	Changed() <-chan struct{}
}
