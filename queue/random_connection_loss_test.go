package queue_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest/pgproxy"
)

var cutSeed = flag.Uint64("cut.seed", 0, "cut connections as this seed draws them, instead of the usual ones")

// cutsEach is the number of connections that a seed cuts. One in cutChance statements loses its connection.
const (
	cutsEach  = 12
	cutChance = 12
)

func TestWorkContinuesAfterTheLossOfAnyConnections(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2, 3, 4}
	if *cutSeed != 0 {
		seeds = []uint64{*cutSeed}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			cutAtRandom(t, seed)
		})
	}
}

// cutAtRandom cuts connections of two workers, and checks that all tasks end in time after the last cut.
func cutAtRandom(t *testing.T, seed uint64) {
	t.Helper()
	w := newCutWork(t)
	proxy := pgproxy.Start(t, w.bench.pool)
	dice := &cutDice{random: rand.New(rand.NewPCG(seed, seed)), left: cutsEach, over: make(chan struct{})}
	nodes := []*node{w.start("a", proxy), w.start("b", proxy)}
	for _, n := range nodes {
		eventually(t, "the worker has started", func() bool { return n.log.has("worker started") })
	}
	proxy.Lose(pgproxy.Fault{Before: dice.before, After: dice.after, Lost: func(s pgproxy.Statement, when pgproxy.When) {
		w.cut(dice.lost(t, s, when))
	}})
	w.create()
	await(t, "all cuts are made", dice.over)
	close(w.held)
	w.checkEnds(true)
}

// cutDice draws which statements are lost. It is safe for concurrent use.
type cutDice struct {
	// mu protects the fields below.
	mu     sync.Mutex
	random *rand.Rand
	left   int
	made   int
	over   chan struct{}
}

func (d *cutDice) before(pgproxy.Statement) bool { return d.draw() }

func (d *cutDice) after(pgproxy.Statement) bool { return d.draw() }

func (d *cutDice) draw() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 || d.random.IntN(2*cutChance) > 0 {
		return false
	}
	d.left--
	return true
}

// lost counts a cut and reports whether jobs are lost with it.
func (d *cutDice) lost(t *testing.T, s pgproxy.Statement, when pgproxy.When) (jobs bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	jobs = d.random.IntN(3) == 0
	d.made++
	t.Logf("cut %d, %s, jobs lost: %t: %.60s", d.made, when, jobs, strings.Join(strings.Fields(s.SQL), " "))
	if d.made == cutsEach {
		close(d.over)
	}
	return jobs
}
