package queue

import (
	"testing"
	"time"
)

func TestOnlyFastStepsArePrefetched(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		took    []time.Duration
		running int
		stalled bool
		want    int
	}{
		"none has run":                     {want: 0},
		"quick ones":                       {took: []time.Duration{time.Millisecond}, want: 2 + prefetchMax},
		"quick ones, half of them here":    {took: []time.Duration{time.Millisecond}, running: 33, want: 33},
		"not so quick ones":                {took: []time.Duration{4 * time.Millisecond}, want: 2 + 24},
		"slow ones":                        {took: []time.Duration{time.Second}, want: 0},
		"a slow one after quick ones":      {took: []time.Duration{time.Millisecond, time.Second}, want: 0},
		"one that found no slot meanwhile": {took: []time.Duration{time.Millisecond}, stalled: true, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p poolSpeeds
			for _, d := range row.took {
				p.record("ruby", d)
			}
			for range row.running {
				p.runBegan("ruby")
			}
			if row.stalled {
				p.markStalled("ruby")
			}
			if got := p.prefetchLimit("ruby", 2); got != row.want {
				t.Errorf("%d may be fetched for two slots, want %d", got, row.want)
			}
			p.runBegan("ruby")
			p.runEnded("ruby")
			if other := p.prefetchLimit("python", 2); other != 0 {
				t.Errorf("%d may be fetched for a pool of which nothing is known", other)
			}
		})
	}
}

func TestStepsThatAreFastAgainArePrefetchedAgain(t *testing.T) {
	t.Parallel()
	var p poolSpeeds
	p.markStalled("ruby")
	for range 100 {
		p.record("ruby", time.Millisecond)
	}
	if got := p.prefetchLimit("ruby", 1); got < 10 {
		t.Errorf("%d may be fetched for one slot after a hundred quick steps", got)
	}
}
