package gateway_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// breaking answers the n-th request that may not simply be repeated by breaking the
// connection off after it was carried out, for the numbers given.
func breaking(numbers ...int) http.HandlerFunc {
	n := make(chan int, 1)
	n <- 0
	return func(w http.ResponseWriter, r *http.Request) {
		i := <-n + 1
		n <- i
		for _, k := range numbers {
			if i == k {
				panic(http.ErrAbortHandler)
			}
		}
		writeJSON(w, `{"ok":true}`)
	}
}

func attempt(n int, auto bool) gateway.Caller {
	c := caller()
	c.Attempt, c.Auto = n, auto
	return c
}

// The connection breaks off after the system carried the call out, and the node is tried
// again. Under which keys does the system get the request, and what is the attempt?
func TestALaterAttemptRepeatsACallInDoubtUnderItsKeyOrNotAtAll(t *testing.T) {
	t.Parallel()
	create := ask(t, "create", nil, `{"name":"a"}`)
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	other := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"c"}`)
	for name, c := range map[string]struct {
		first, second contract.GatewayRequest
		auto          bool
		keys          []string
		unknown       bool
	}{
		"keyed, by itself":                    {replace, replace, true, []string{"run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0"}, false},
		"keyed, by an operator":               {replace, replace, false, []string{"run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0"}, false},
		"keyed, another request, by itself":   {replace, other, true, []string{"run-1/n1/0/1/0.0"}, true},
		"keyed, another request, by operator": {replace, other, false, []string{"run-1/n1/0/1/0.0", "run-1/n1/0/2/0.0"}, false},
		"never, by itself":                    {create, create, true, []string{""}, true},
		"never, by an operator":               {create, create, false, []string{"", ""}, false},
		"another operation, by itself":        {create, replace, true, []string{"", "run-1/n1/0/2/0.0"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, breaking(1), setting{})
			if res := b.gateway.Open(attempt(1, false)).Call(t.Context(), c.first); res.Failure == nil {
				t.Fatalf("the first call got %+v", res)
			}
			s := b.gateway.Open(attempt(2, c.auto))
			res := s.Call(t.Context(), c.second)
			if got := s.Unknown(); (got != nil) != c.unknown {
				t.Errorf("unknown: %+v", got)
			}
			if c.unknown {
				fails(t, res, gateway.CodeOutcomeUnknown, contract.OriginGateway)
			} else if res.Status != http.StatusOK {
				t.Errorf("the plugin sees %+v", res)
			}
			sent(t, b, c.keys...)
		})
	}
}

func TestACallInDoubtIsSettledByAnAnswerUnderItsKey(t *testing.T) {
	t.Parallel()
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	b := newBench(t, breaking(1, 2), setting{})
	for n := 1; n <= 4; n++ {
		b.gateway.Open(attempt(n, n > 1)).Call(t.Context(), replace)
	}
	sent(t, b, "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0", "run-1/n1/0/4/0.0")
}

func TestTwoCallsAlikeRepeatTwoCallsInDoubt(t *testing.T) {
	t.Parallel()
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	b := newBench(t, breaking(1, 2), setting{})
	for n := 1; n <= 2; n++ {
		s := b.gateway.Open(attempt(n, n > 1))
		s.Call(t.Context(), replace)
		s.Call(t.Context(), replace)
	}
	sent(t, b, "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.1", "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.1")
}

// A call is out when the plugin call is cut off by its time or by an operator.
func TestACallThatWasCutOffIsInDoubt(t *testing.T) {
	t.Parallel()
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	arrived, release := make(chan struct{}, 2), make(chan struct{})
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		writeJSON(w, `{"ok":true}`)
	}, setting{})
	ctx, cut := context.WithCancel(t.Context())
	go func() { <-arrived; cut() }()
	fails(t, b.gateway.Open(attempt(1, false)).Call(ctx, replace), gateway.CodeCancelled, contract.OriginHost)
	close(release)
	b.gateway.Open(attempt(2, true)).Call(t.Context(), replace)
	sent(t, b, "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0")
}

// The answer comes after the plugin call's time was up: the plugin has not seen it, so the
// next attempt asks for it under the same key.
func TestAnAnswerThatNobodySawIsInDoubt(t *testing.T) {
	t.Parallel()
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	var die *crash
	b := newBench(t, nil, setting{tweak: func(g *gateway.Config) {
		die = &crash{Journal: g.Journal}
		g.Journal = die
	}})
	ctx, over := context.WithCancel(t.Context())
	die.finished = over
	b.gateway.Open(attempt(1, false)).Call(ctx, replace)
	b.gateway.Open(attempt(2, true)).Call(t.Context(), replace)
	b.gateway.Open(attempt(3, true)).Call(t.Context(), replace)
	sent(t, b, "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0", "run-1/n1/0/3/0.0")
}

func TestARepetitionUnderAnEarlierKeySurvivesACrash(t *testing.T) {
	t.Parallel()
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	var die *crash
	b := newBench(t, breaking(1), setting{tweak: func(g *gateway.Config) {
		die = &crash{Journal: g.Journal}
		g.Journal = die
	}})
	b.gateway.Open(attempt(1, false)).Call(t.Context(), replace)
	die.at = "finish"
	b.gateway.Open(attempt(2, true)).Call(t.Context(), replace)
	die.at = ""
	again := attempt(2, true)
	again.Recovered = true
	s := b.gateway.Open(again)
	if res := s.Call(t.Context(), replace); res.Status != http.StatusOK || s.Unknown() != nil {
		t.Errorf("after the crash: %+v, unknown %+v", res, s.Unknown())
	}
	sent(t, b, "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0")
}

// The call went out before a crash. Its repetition does not reach the system, or is cut off
// before that: the call before it stays in doubt, and its key is used again.
func TestARepetitionThatDoesNotGoOutSettlesNothing(t *testing.T) {
	t.Parallel()
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	for name, c := range map[string]struct{ second, third gateway.Caller }{
		"of the same attempt": {attempt(1, false), attempt(2, true)},
		"of a later attempt":  {attempt(2, true), attempt(3, true)},
	} {
		for _, how := range []string{"cancelled", "no credential"} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				var die *crash
				b := newBench(t, nil, setting{tweak: func(g *gateway.Config) {
					die = &crash{Journal: g.Journal, at: "finish"}
					g.Journal = die
				}})
				b.gateway.Open(attempt(1, false)).Call(t.Context(), replace)
				die.at = ""
				second, third := c.second, c.third
				second.Recovered = true
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if how == "cancelled" {
					die.began = cancel
				} else if err := b.vault.Delete(ctx, project, "things", 0); err != nil {
					t.Fatal(err)
				}
				if res := b.gateway.Open(second).Call(ctx, replace); res.Failure == nil {
					t.Fatalf("it went out: %+v", res)
				}
				die.began = nil
				if err := b.vault.Set(t.Context(), b.target(), secrets.Input{Token: secrets.NewSecret(canary)}, "tester"); err != nil {
					t.Fatal(err)
				}
				if res := b.gateway.Open(third).Call(t.Context(), replace); res.Status != http.StatusOK {
					t.Errorf("the last call: %+v", res)
				}
				sent(t, b, "run-1/n1/0/1/0.0", "run-1/n1/0/1/0.0")
			})
		}
	}
}

// The disk is still full after the restart: what the call did before is not forgotten.
func TestACallThatCannotBeTakenUpAfterACrashIsUnknown(t *testing.T) {
	t.Parallel()
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	var die *crash
	b := newBench(t, nil, setting{tweak: func(g *gateway.Config) {
		die = &crash{Journal: g.Journal, at: "finish"}
		g.Journal = die
	}})
	b.gateway.Open(attempt(1, false)).Call(t.Context(), replace)
	die.at = "begin"
	again := attempt(1, false)
	again.Recovered = true
	s := b.gateway.Open(again)
	fails(t, s.Call(t.Context(), replace), gateway.CodeJournalFailed, contract.OriginHost)
	if s.Unknown() == nil {
		t.Error("the attempt is not unknown")
	}
}

// sent checks the keys under which the system got requests.
func sent(t *testing.T, b *bench, keys ...string) {
	t.Helper()
	got := b.up.all()
	if len(got) != len(keys) {
		t.Errorf("the system got %d requests, want %d", len(got), len(keys))
		return
	}
	for i, r := range got {
		if k := r.Header.Get("X-Key"); k != keys[i] {
			t.Errorf("request %d came under the key %q, want %q", i, k, keys[i])
		}
	}
}
