package engine

// Pool is one kind of room of an executor: how many steps it runs at once, and whose.
type Pool struct {
	// Key names the pool, the same on every worker: a language, such as ruby; the handlers of a language that run alone in
	// their process, ruby/exclusive; the steps of a language with isolation: process, ruby/process; and the programs of
	// steps with a command, command.
	Key string
	// SharesSlotsOf is the key of the pool whose room this one uses, empty when it has its own: a step in ruby/exclusive takes all
	// the places that its process has in ruby.
	SharesSlotsOf string
	// Handlers are the names whose steps run in the pool, sorted and not to be changed. For command they are those that templates
	// have here, though it runs every handler with the prefix command:. It is empty for pools that a step's configuration asks for.
	Handlers []string
	// Slots is how many steps the processes that live run at once, 0 while there is none. Free is how many more could start
	// now, those who wait for room already counted.
	Slots, Free int
}

// Pools is what an executor tells of its room, beside [Executor], so that a worker takes no more than it can start and tells
// the others what it serves. Implementations are safe for concurrent use.
type Pools interface {
	// Pools returns the pools in the order of their keys, as they are now. It costs too much to be asked for every step.
	Pools() []Pool
	// PoolOf returns the key of the pool that runs the steps of a handler, and whether there is one here. A pool without a
	// living process is one: its steps wait.
	PoolOf(handler string) (key string, served bool)
	// Free is [Pool].Free of one pool, 0 when there is none of that key. It takes no allocation.
	Free(key string) int
	// TryAcquire is [Executor.Acquire] without the wait: it returns nil when no room is free now. Those who wait go first.
	TryAcquire(handler string) Slot
	// Changed returns a channel that is closed when a pool, its handlers or its slots have changed since the call, or when
	// room has come in another way than by a Release. Whoever watches calls it before Pools.
	Changed() <-chan struct{}
}
