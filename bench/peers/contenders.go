package main

import (
	"context"
	"time"

	"github.com/tasker-systems/tasker-worker/bench"
)

// contenders returns all systems, tasker-worker first.
func contenders() []bench.Contender {
	return []bench.Contender{
		bench.Ours(bench.Go, bench.OwnIndexes),
		bench.Ours(bench.Go, bench.EngineIndexes),
		bench.Ours(bench.Python, bench.OwnIndexes),
		bench.Ours(bench.Ruby, bench.OwnIndexes),
		bench.Ours(bench.Node, bench.OwnIndexes),
		peer("dbos", startDBOS(direct)),
		peer("dbos-queue", startDBOS(queued(0))),
		peer("dbos-q10ms", startDBOS(queued(10*time.Millisecond))),
		peer("river", startRiver),
	}
}

// peer is a system that creates its own tables. Its handlers are Go functions.
func peer(
	name string, start func(context.Context, *bench.Database, *bench.Workload, bool) (bench.System, error),
) bench.Contender {
	return bench.Contender{Name: name, Handlers: bench.Go, Empty: true, Start: start}
}

// label names a system with its distinguishing properties, for example tasker/python/own.
func label(name string, handlers bench.Language, indexes bench.Indexes) string {
	if indexes == "" {
		return name
	}
	return name + "/" + string(handlers) + "/" + string(indexes)
}

func names(all []bench.Contender) []string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = label(c.Name, c.Handlers, c.Indexes)
	}
	return names
}
