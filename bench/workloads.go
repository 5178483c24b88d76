package bench

import "time"

// processLanguages are the languages whose handlers run in handler processes.
var processLanguages = []Language{Python, Ruby, Node}

// Workloads are all workloads, in the order of the table.
var Workloads = []Workload{
	{
		Name: "linear-10", About: "ten steps one after the other", Shapes: []Shape{Linear(10)}, Job: Noop,
		Concurrency: []int{1, 10, 100, 1000}, Default: true,
	},
	{
		Name: "fan-out-8", About: "a root, 8 steps at once, a sink", Shapes: []Shape{FanOut(8)}, Job: Noop,
		Concurrency: []int{1, 100}, Default: true,
	},
	{
		Name: "fan-out-100", About: "a root, 100 steps at once, a sink", Shapes: []Shape{FanOut(100)}, Job: Noop,
		Concurrency: []int{1, 10}, Default: true,
	},
	{
		Name: "fan-out-1000", About: "a root, 1,000 steps at once, a sink", Shapes: []Shape{FanOut(1000)}, Job: Noop,
		Concurrency: []int{1}, Tasks: 5, Warm: 1, Default: true,
	},
	{
		Name: "fan-out-10000", About: "a root, 10,000 steps at once, a sink", Shapes: []Shape{FanOut(10000)}, Job: Noop,
		Concurrency: []int{1}, Fixed: true, Tasks: 1, Warm: 1, Languages: []Language{Go}, Default: true,
	},
	{
		Name: "diamond", About: "a root, two branches, a sink", Shapes: []Shape{Diamond(2)}, Job: Noop,
		Concurrency: []int{100}, Default: true,
	},
	{
		Name: "tree", About: "a root, two branches, two leaves of each, a sink", Shapes: []Shape{Tree(2)}, Job: Noop,
		Concurrency: []int{100}, Default: true,
	},
	{
		Name: "mixed", About: "two chains, a join of them, a fork, a sink", Shapes: []Shape{Mixed()}, Job: Noop,
		Concurrency: []int{100}, Default: true,
	},
	{
		Name: "create", Shapes: []Shape{Linear(10)}, Job: Noop, Concurrency: []int{1, 100, 1000}, Fixed: true,
		Languages: []Language{Go}, Default: true, run: runCreate,
		About: "tasks of linear-10 created, not run; AT ONCE are in one transaction, whose time is P50 to P99",
	},
	{
		Name: "rows", Shapes: []Shape{Linear(10)}, Job: Noop, Concurrency: []int{1, 100}, Fixed: true,
		Languages: []Language{Go}, Default: true, run: runRows,
		About: "the rows of linear-10 alone: one session, the worker's own statements, AT ONCE in each; a bound on what is possible",
	},
	{
		Name: "start", About: "from the commit of tasker.create_task to the call of the first handler, worker idle",
		Shapes: []Shape{Linear(1)}, Job: Noop, Concurrency: []int{1}, Fixed: true, Tasks: 200, Warm: 20,
		Gap: 20 * time.Millisecond, Default: true, run: runStart,
	},
	{
		Name: "hop", About: "from the return of a handler to the call of the next one", Shapes: []Shape{Linear(10)},
		Job: Noop, Concurrency: []int{1}, Fixed: true, Default: true, run: runHop,
	},
	{
		Name: "round-trip", Job: Echo, Concurrency: []int{1, 16}, Fixed: true, Tasks: 10000, Warm: 2000, Payload: 500,
		Languages: processLanguages, Default: true, run: runRoundTrip, bare: runBare,
		About: "500 bytes from the worker through its one handler process and back, without a task; bare is a loop that echoes lines",
	},
	{
		Name: "round-trip-64k", About: "the same with 64 KiB", Job: Echo,
		Concurrency: []int{1, 16}, Fixed: true, Tasks: 1000, Warm: 100, Payload: 64 << 10, Languages: processLanguages,
		run: runRoundTrip, bare: runBare,
	},
	{
		Name: "pause", Job: Pause, Concurrency: []int{1}, Fixed: true, Tasks: 200, Warm: 10, Payload: 500,
		Languages: processLanguages, run: runRoundTrip, bare: runNative,
		About: "a handler that waits for 10 ms, called by the worker; bare is the same wait in a loop of the language",
	},
	{
		Name: "idle", About: "a worker without work for 20 s; costs are for each second", Shapes: []Shape{Linear(1)},
		Job: Noop, Concurrency: []int{1}, Fixed: true, Languages: []Language{Go}, Default: true, run: runIdle,
	},
	{
		Name: "fibo-40", About: "40 steps one after the other, each a plain fibo(10); Windmill's published case",
		Shapes: []Shape{Linear(40)}, Job: Fibo, Concurrency: []int{1}, Fixed: true, Tasks: 20, Warm: 3,
	},
	{
		Name: "suite-3", About: "three trivial steps one after the other, 50 tasks one by one; Windmill's own suite",
		Shapes: []Shape{Linear(3)}, Job: Noop, Concurrency: []int{1}, Fixed: true, Tasks: 50, Warm: 5,
	},
	{
		Name: "suite-3-burst", About: "the same, 100 tasks at once", Shapes: []Shape{Linear(3)}, Job: Noop,
		Concurrency: []int{100}, Fixed: true, Tasks: 100, Warm: 5,
	},
	{
		Name: "load", Shapes: loadShapes(), Job: Noop, Concurrency: []int{10, 100, 500, 1000},
		About: "tasks of 3 to 20 steps: 40 % linear, 30 % diamonds, 20 % trees, 10 % mixed; --duration 30m at 500 is a peak",
	},
	{
		Name: "load-burst", About: "1,000 tasks of load at once", Shapes: loadShapes(), Job: Noop,
		Concurrency: []int{1000}, Fixed: true, Tasks: 1000, Warm: 50,
	},
	{
		Name: "load-flaky", About: "load, where one step in twenty fails first and is retried after its backoff",
		Shapes: loadShapes(), Job: Flaky, Concurrency: []int{100, 1000}, Languages: []Language{Go},
	},
	{
		Name: "load-5000", About: "1,000 tasks at once with five steps at once each", Shapes: []Shape{FanOut(5)},
		Job: Noop, Concurrency: []int{1000}, Fixed: true, Tasks: 1000, Warm: 50,
	},
	{
		Name: "load-20", About: "100 tasks of 20 steps at once", Shapes: []Shape{Layers("layers-20", 3, 4, 5, 4, 2)},
		Job: Noop, Concurrency: []int{100}, Fixed: true, Tasks: 100, Warm: 5,
	},
}

// loadShapes are twenty shapes in the expected proportions of the load of an app.
func loadShapes() []Shape {
	var all []Shape
	for _, n := range []int{3, 4, 5, 5, 6, 8, 10, 12} {
		all = append(all, Linear(n))
	}
	for _, n := range []int{2, 2, 3, 3, 4, 5} {
		all = append(all, Diamond(n))
	}
	for _, n := range []int{2, 2, 2, 3} {
		all = append(all, Tree(n))
	}
	return append(all, Mixed(), Layers("layers-20", 3, 4, 5, 4, 2))
}
