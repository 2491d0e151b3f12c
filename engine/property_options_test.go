package engine

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// options draws options for a task, or a subflow that is a run: most have none.
func (a *author) options(n *Node) {
	if a.d.roll(3) != 1 {
		return
	}
	n.IgnoreFailure = a.d.roll(4) == 1
	n.NoRetry = a.d.roll(8) == 1
	n.NoSkip = a.d.roll(8) == 1
	if a.d.roll(2) == 1 {
		n.Retry = &RetryPolicy{Max: 1 + a.d.roll(3), DelayMS: int64(a.d.roll(5)) * 700, Backoff: float64(a.d.roll(3)), Jitter: float64(a.d.roll(2)) / 2}
	}
	if a.d.roll(2) == 1 {
		n.Timeout = &Timeout{AfterMS: 1 + int64(a.d.roll(9))*1000, Action: []TimeoutAction{TimeoutFail, TimeoutSkip}[a.d.roll(2)]}
	}
	if a.d.roll(3) == 1 {
		n.Repeat = &Repeat{Times: 1 + a.d.roll(4), ContinueOnFailure: a.d.roll(2) == 1, Collect: []string{"", "gathered"}[a.d.roll(2)]}
	}
	if a.d.roll(4) == 1 {
		n.MaxReruns = 1 + a.d.roll(3)
	}
}

// next is the earliest timer that is set.
func (w *driver) next() (SetTimer, bool) {
	timers := slices.SortedFunc(maps.Values(w.timers), func(a, b SetTimer) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Node, b.Node))
	})
	if len(timers) == 0 {
		return SetTimer{}, false
	}
	return timers[0], true
}

// fired is what a runner does about its timers when it hands one to the core: that one
// is gone, unless the step sets it again.
func (w *driver) fired(e TimerFired) {
	if t, ok := w.timers[e.Node]; ok && t.Epoch == e.Epoch {
		delete(w.timers, e.Node)
	}
}

// later is the time of the next event, and that event when it is the timer that is due
// next: time goes by in small and large steps, and timers fire when they are due or
// late.
func (w *driver) later(now time.Time, d *dice) (time.Time, Event) {
	now = now.Add([]time.Duration{time.Second, time.Millisecond, 0, 3 * time.Second}[d.roll(4)])
	t, ok := w.next()
	if !ok || d.roll(3) != 1 {
		return now, nil
	}
	if now.Before(t.Due) {
		now = t.Due
	}
	return now, TimerFired{Node: t.Node, Epoch: t.Epoch}
}

// drain lets a run go on by itself, without failures and operators: every call ends
// well, every timer fires when it is due. What then has not ended waits for somebody.
func (w *driver) drain(t testing.TB, g *Graph, s *State, m Meta, rs []Record) {
	t.Helper()
	m.CommandID, m.ExpectedSeq = "", 0
	for range 20_000 {
		var e Event
		if nodes := slices.Sorted(maps.Keys(w.calls)); len(nodes) > 0 {
			e = Result{Node: nodes[0], Epoch: w.calls[nodes[0]], Answer: contract.Answer{
				Status: contract.StatusSucceeded, Outputs: json.RawMessage(`{"x":1}`),
			}}
			delete(w.calls, nodes[0])
		} else if end, ok := w.endChild(); ok {
			e = end
		} else if timer, ok := w.next(); ok {
			if m.At.Before(timer.Due) {
				m.At = timer.Due
			}
			f := TimerFired{Node: timer.Node, Epoch: timer.Epoch}
			w.fired(f)
			e = f
		} else {
			break
		}
		more, cmds, err := Step(g, s, m, e)
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, more...)
		w.perform(cmds)
	}
	judge(t, g, s, rs)
	if s.state == RunRunning && !slices.ContainsFunc(s.tokenNodes(), func(i int32) bool {
		n := s.nodes[i]
		return n.state == NodeWaiting && takesCallback(n.wait.Kind) || n.state == NodeSuspended
	}) {
		t.Fatalf("the run goes on, but nothing moves it\n%s", dump(rs))
	}
}

// uniform returns dice that are as likely to fall on any side.
func uniform(seed, stream uint64, length int) []byte {
	r := rand.New(rand.NewPCG(seed, stream))
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// TestRandomTimers: uniform dice reach what the shrinkable ones of TestRandomRuns seldom
// do: long runs with many timers, in every order with operators and results.
func TestRandomTimers(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(120) {
		for _, rec := range drive(t, uniform(seed, 7, 400)) {
			if d, ok := rec.Data.(NodeChanged); ok {
				seen[d.By]++
			}
		}
	}
	for _, by := range []string{byAutoRetry, byIgnore, byTimeout, byRepeat, byRetry, bySkip} {
		if seen[by] < 2 {
			t.Errorf("%s happens %d times only", by, seen[by])
		}
	}
}

func drawPart(d *dice) Repeated {
	return []Repeated{RepeatedAll, RepeatedAll, RepeatedIteration, "half"}[d.roll(4)]
}

// drawOther draws the commands that are rarer.
func drawOther(s *State, id string, epoch uint64, d *dice) Event {
	switch d.roll(12) {
	case 5:
		return []Event{Revoke{Reason: "enough"}, Fail{Reason: "enough"}}[d.roll(2)]
	case 6, 7, 8, 9:
		return Reschedule{Node: id, At: s.createdAt.Add(time.Duration(d.roll(256)) * time.Second)}
	case 10:
		return TimerFired{Epoch: uint64(d.roll(2))}
	case 11:
		scopes := s.g.scopes
		return SetVariables{Scope: scopes[d.roll(len(scopes))].path, Values: map[string]json.RawMessage{
			[]string{"k", "x", "c", "gathered"}[d.roll(4)]: json.RawMessage([]string{"3", " [1, {}]", "x"}[d.roll(3)]),
		}}
	}
	return drawResult(id, epoch, d)
}
