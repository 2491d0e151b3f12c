package engine

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// TestCheckHistoryJudgesOptions: what the options of nodes and the limits of a run do not
// allow is found in the records alone.
func TestCheckHistoryJudgesOptions(t *testing.T) {
	t.Parallel()
	r := optionRun(t)
	if err := CheckHistory(r.g, r.rs); err != nil {
		t.Fatal(err)
	}
	large := json.RawMessage(ofSize(MaxValueBytes + 1))
	later := func(d *NodeChanged, by time.Duration) { d.Due = ptr(d.Due.Add(by)) }
	for name, lie := range map[string]func(rec *Record, d *NodeChanged) bool{
		"no retry though owed": func(_ *Record, d *NodeChanged) bool {
			had := d.Due != nil && d.To == NodeFailed
			d.Due = nil
			return had
		},
		"a retry too many": func(rec *Record, d *NodeChanged) bool {
			d.Due = ptr(rec.At)
			return d.To == NodeFailed && d.Attempt == 2
		},
		"retried before its time": func(rec *Record, d *NodeChanged) bool { rec.At = rec.At.Add(-time.Second); return d.By == byAutoRetry },
		"retried far too late": func(_ *Record, d *NodeChanged) bool {
			ok := d.To == NodeFailed && d.Due != nil
			if ok {
				later(d, 48*time.Hour)
			}
			return ok
		},
		"a deadline moved": func(_ *Record, d *NodeChanged) bool {
			ok := d.Deadline != nil
			if ok {
				d.Deadline = ptr(d.Deadline.Add(1))
			}
			return ok
		},
		"no deadline": func(_ *Record, d *NodeChanged) bool { had := d.Deadline != nil; d.Deadline = nil; return had },
		"timed out too early": func(rec *Record, d *NodeChanged) bool {
			rec.At = rec.At.Add(-time.Second)
			return d.By == byTimeout && d.To == NodeFailed
		},
		"woken too early": func(rec *Record, d *NodeChanged) bool {
			rec.At = rec.At.Add(-time.Second)
			return d.Reason == contract.ReasonPoll
		},
		"ignored without option": func(_ *Record, d *NodeChanged) bool {
			ok := d.By == byTimeout && d.To == NodeSkipped
			d.By = byIgnore
			return ok
		},
		"timeout without option": func(_ *Record, d *NodeChanged) bool { ok := d.By == byIgnore; d.By = byTimeout; return ok },
		"a repetition left out":  func(_ *Record, d *NodeChanged) bool { d.Repeat++; return d.By == byRepeat },
		"a repetition of none":   func(rec *Record, d *NodeChanged) bool { d.Repeat = 1; return rec.Node == "a" },
	} {
		rs := slices.Clone(r.rs)
		at := slices.IndexFunc(rs, func(rec Record) bool {
			d, ok := rec.Data.(NodeChanged)
			if !ok {
				return false
			}
			probe := rec
			return lie(&probe, &d)
		})
		if at < 0 {
			t.Errorf("%s: nothing to lie about", name)
			continue
		}
		d, _ := rs[at].Data.(NodeChanged)
		lie(&rs[at], &d)
		rs[at].Data = d
		if CheckHistory(r.g, rs) == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	for name, data := range map[string]Payload{
		"a large value":         VariableSet{Name: "v", Value: large},
		"a computed variable":   VariableSet{Name: "twice", Value: json.RawMessage(`1`)},
		"a scope that is none":  VariableSet{Scope: "a", Name: "v", Value: json.RawMessage(`1`)},
		"a timer of nothing":    NodeTimer{Epoch: 1, Due: time.Unix(5, 0)},
		"failed by no deadline": RunChanged{From: RunRunning, To: RunFailed, Reason: FailRunTimeout},
	} {
		rs := append(slices.Clone(r.rs[:6]), Record{Seq: 7, At: r.rs[5].At, Kind: data.kind(), Data: data})
		if _, ok := data.(NodeTimer); ok {
			rs[6].Node = "a"
		}
		if CheckHistory(r.g, rs) == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	for name, deadline := range map[string]*time.Time{"no deadline of the run": nil, "another deadline of the run": ptr(time.Unix(1, 0))} {
		rs := slices.Clone(r.rs)
		d, _ := rs[0].Data.(RunStarted)
		d.Deadline = deadline
		rs[0].Data = d
		if CheckHistory(r.g, rs) == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}

// optionRun is a run in which every option did something.
func optionRun(t *testing.T) *limitRun {
	t.Helper()
	a, b, c, d := task("a"), task("b"), task("c"), task("d")
	a.Retry, a.IgnoreFailure = &RetryPolicy{Max: 1, DelayMS: 5000}, true
	b.Timeout = &Timeout{AfterMS: 10_000, Action: TimeoutSkip}
	c.Repeat = &Repeat{Times: 2}
	r, err := startLimit(t, &Flow{
		TimeoutMS: 3_600_000,
		Variables: []Variable{{Name: "v", Source: SourceNode}, {Name: "twice", Source: SourceComputed, Expression: "v + v"}},
		Nodes:     []Node{{ID: "start", Type: TypeStart}, a, b, c, d, {ID: "end", Type: TypeEnd}},
		Edges:     chain("start", "a", "b", "c", "d", "end"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	after := func(d time.Duration, e Event) error { r.m.At = r.m.At.Add(d); return r.step(e) }
	fire := func(node string) Event { return TimerFired{Node: node, Epoch: r.s.at(r.g.nodeIdx[node]).epoch} }
	answer := func(node string, a contract.Answer) Event {
		return Result{Node: node, Epoch: r.s.at(r.g.nodeIdx[node]).epoch, Answer: a}
	}
	failed := contract.Answer{Status: contract.StatusFailed}
	poll := contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitPoll, AfterMS: 4000}}
	steps := []func() error{
		func() error { return after(time.Second, answer("a", failed)) },
		func() error { return after(5*time.Second, fire("a")) },
		func() error { return after(time.Second, answer("a", failed)) },
		func() error { return after(time.Second, answer("b", poll)) },
		func() error { return after(4*time.Second, fire("b")) },
		func() error { return after(5*time.Second, fire("b")) },
		func() error { return r.ok("c", "") }, func() error { return r.ok("c", "") }, func() error { return r.ok("d", "") },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if r.s.state != RunSucceeded {
		t.Fatal(errors.New(compactState(r.s)))
	}
	return r
}
