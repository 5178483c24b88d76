package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/queue"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestNewNamesEachFaultOfTheConfiguration(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	for name, row := range map[string]struct {
		change func(*queue.Config)
		want   []string
	}{
		"no pool":           {func(c *queue.Config) { c.Pool = nil }, []string{"needs a Pool"}},
		"no executor":       {func(c *queue.Config) { c.Executor = nil }, []string{"needs an Executor"}},
		"lease in the past": {func(c *queue.Config) { c.Lease = -time.Second }, []string{"Lease is -1s"}},
		"lease too short":   {func(c *queue.Config) { c.Lease = time.Millisecond }, []string{"Lease is 1ms"}},
		"drain in the past": {
			func(c *queue.Config) { c.DrainTimeout = -time.Second }, []string{"DrainTimeout is -1s"},
		},
		"sweep in the past": {
			func(c *queue.Config) { c.SweepInterval = -time.Second }, []string{"SweepInterval is -1s"},
		},
		"queue of ticks": {
			func(c *queue.Config) { c.Queues = map[string]int{"default": 1, queue.TicksQueue: 1} },
			[]string{`queue "ticks"`},
		},
		"name of a queue": {
			func(c *queue.Config) { c.Queues = map[string]int{"two words": 1} }, []string{`two words`},
		},
		"negative slots": {
			func(c *queue.Config) { c.Queues = map[string]int{"default": -1} }, []string{`"default": -1 steps`},
		},
		"all faults, not first": {
			func(c *queue.Config) { c.Lease, c.Executor = -time.Second, nil },
			[]string{"Lease is -1s", "needs an Executor"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := queue.Config{Pool: pool, Executor: serve(nil)}
			row.change(&config)
			_, err := queue.New(config)
			for _, want := range row.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("New returns %v, want an error with %q", err, want)
				}
			}
		})
	}
}

func TestZeroConfigurationIsTheDefault(t *testing.T) {
	t.Parallel()
	if _, err := queue.New(queue.Config{Pool: sqltest.New(t), Executor: serve(nil)}); err != nil {
		t.Error(err)
	}
}
