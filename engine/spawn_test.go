package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// spawned is a step with the name and the parents.
func spawned(name string, parents ...string) SpawnedStep {
	return SpawnedStep{Name: name, Handler: "Shop::Work", DependsOn: parents, Retryable: true, RetryLimit: 3}
}

// manySteps are n steps without parents.
func manySteps(n int) []SpawnedStep {
	steps := make([]SpawnedStep, n)
	for i := range steps {
		steps[i] = spawned(fmt.Sprintf("s%d", i))
	}
	return steps
}

func TestInvalidStepsAreNotSpawned(t *testing.T) {
	t.Parallel()
	with := func(change func(*SpawnedStep)) []SpawnedStep {
		s := spawned("a")
		change(&s)
		return []SpawnedStep{s}
	}
	text := func(bytes int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("x", bytes-2) + `"`) }
	large := manySteps(130)
	for i := range large {
		large[i].Inputs = text(64 << 10)
	}
	for name, row := range map[string]struct {
		earlier, more []SpawnedStep
		want          string // part of the error; empty when there is none
	}{
		"nothing": {},
		"a diamond": {
			more: []SpawnedStep{spawned("a"), spawned("b", "a"), spawned("c", "a"), spawned("d", "b", "c")},
		},
		"behind one of an earlier":   {manySteps(1), []SpawnedStep{spawned("a", "s0")}, ""},
		"behind one that is unknown": {more: []SpawnedStep{spawned("a", "validate")}},
		"a hundred":                  {more: manySteps(100)},
		"one more":                   {more: manySteps(101), want: "101 steps at once are more than the 100 allowed"},
		"one more than a thousand": {
			manySteps(1000), []SpawnedStep{spawned("a")}, "1001 steps of one attempt are more than the 1000 allowed",
		},
		"twice": {
			more: []SpawnedStep{spawned("a"), spawned("a")}, want: `step "a" is there twice`,
		},
		"twice, in two requests": {manySteps(1), []SpawnedStep{spawned("s0")}, `step "s0" is there twice`},
		"waiting for itself": {
			more: []SpawnedStep{spawned("a", "a")}, want: "steps wait for each other: a -> a",
		},
		"a circle": {
			more: []SpawnedStep{spawned("a", "c"), spawned("b", "a"), spawned("c", "b")},
			want: "steps wait for each other: a -> b -> c -> a",
		},
		"no name": {more: []SpawnedStep{spawned("")}, want: "name of a step must not be empty"},
		"a long name": {
			more: []SpawnedStep{spawned(strings.Repeat("é", 129))},
			want: "name of a step has 129 characters, more than the 128 allowed",
		},
		"no handler": {
			more: with(func(s *SpawnedStep) { s.Handler = "" }), want: `handler of step "a" must be a name`,
		},
		"a path for a handler": {
			more: with(func(s *SpawnedStep) { s.Handler = "../etc/passwd" }),
			want: `handler of step "a" must be a name`,
		},
		"a command": {
			more: with(func(s *SpawnedStep) { s.Handler = "command:rm" }), want: `handler of step "a" must be a name`,
		},
		"inputs of 64 KiB": {more: with(func(s *SpawnedStep) { s.Inputs = text(64 << 10) })},
		"one byte more": {
			more: with(func(s *SpawnedStep) { s.Inputs = text(64<<10 + 1) }),
			want: `inputs of step "a": JSON has 65537 bytes, more than the 65536 allowed`,
		},
		"inputs with U+0000": {
			more: with(func(s *SpawnedStep) { s.Inputs = json.RawMessage(`"\u0000"`) }), want: `inputs of step "a"`,
		},
		"config that is no object": {
			more: with(func(s *SpawnedStep) { s.Config = json.RawMessage(`[1]`) }),
			want: `config of step "a" is no object`,
		},
		"a large config": {
			more: with(func(s *SpawnedStep) { s.Config = text(65 << 10) }), want: `config of step "a": JSON has`,
		},
		"a negative limit": {
			more: with(func(s *SpawnedStep) { s.RetryLimit = -1 }),
			want: `default_retry_limit of step "a" must be a whole number from 0`,
		},
		"eight megabytes, all in all": {
			large,
			[]SpawnedStep{spawned("a")},
			"the steps of one attempt have 8519680 bytes, more than the 8388608 allowed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := CheckSpawned(row.earlier, row.more)
			if row.want == "" && err != nil || row.want != "" &&
				(err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("returns %v, want %q", err, row.want)
			}
		})
	}
}

func TestSpawnedStepsAreRecordedWithASuccessOnly(t *testing.T) {
	t.Parallel()
	o := Succeeded(json.RawMessage(`1`))
	o.Spawned = manySteps(1)
	if f := newFinishRequest(&Attempt{}, o, 0); len(f.Spawned) != 1 || !f.Any() {
		t.Errorf("a success leaves %+v", f.SideEffects)
	}
	failed := Failed(Failure{Class: "E"})
	failed.Spawned = manySteps(1)
	if f := newFinishRequest(&Attempt{}, failed, 0); f.Any() {
		t.Errorf("a failure leaves %+v", f.SideEffects)
	}
}
