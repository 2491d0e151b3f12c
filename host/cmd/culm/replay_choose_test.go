package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/culmhq/culm/host/recordings"
)

func TestTheCallsOfOneAttemptAreChosen(t *testing.T) {
	t.Parallel()
	var all []recordings.Meta
	for _, p := range []recordings.Place{
		{Attempt: 1, Call: 0},
		{Attempt: 1, Call: 1},
		{Attempt: 2, Call: 0},
		{Iteration: 1, Attempt: 1, Call: 0},
		{Iteration: 1, Attempt: 1, Call: 1},
		{Iteration: 1, Attempt: 1, Phase: "rollback"},
	} {
		all = append(all, recordings.Meta{Place: p})
	}
	none := replayOptions{iteration: -1, call: -1}
	with := func(f func(*replayOptions)) replayOptions { o := none; f(&o); return o }
	for want, o := range map[string]replayOptions{
		"1/1/0 1/1/1 1/1/0rollback": none,
		"0/2/0":                     with(func(o *replayOptions) { o.attempt = 2 }),
		"0/1/0 0/1/1":               with(func(o *replayOptions) { o.attempt, o.iteration = 1, 0 }),
		"1/1/1":                     with(func(o *replayOptions) { o.call = 1 }),
		"":                          with(func(o *replayOptions) { o.attempt = 3 }),
	} {
		got := ""
		for _, m := range chooseCalls(slices.Clone(all), o) {
			if got != "" {
				got += " "
			}
			got += fmt.Sprintf("%d/%d/%d%s", m.Iteration, m.Attempt, m.Call, m.Phase)
		}
		if got != want {
			t.Errorf("%+v chooses %q, want %q", o, got, want)
		}
	}
}
