package engine_test

import (
	"slices"
	"testing"

	"github.com/culmhq/culm/engine"
)

// undone plays a rollback over a parallel block and a failed call.
func undone(t *testing.T) (*engine.Graph, []engine.Record) {
	t.Helper()
	sc := newScenario(t)
	sc.play(`node start start
node a task {"action":"undo"}
node fork parallel
node b task {"action":"undo"}
node c task {"action":"undo"}
node join join
node d task
node end end
chain start a fork b join d end
chain fork c join
start
ok a
ok b
ok c
fail d NO
rollback compensate d a
ok c
fail b NO
retry b
ok b
ok a
----

`)
	if err := engine.CheckHistory(sc.graph, sc.records); err != nil {
		t.Fatal(err)
	}
	return sc.graph, sc.records
}

// TestCheckHistoryFindsLostUndoing: nothing of a rollback can be lost, doubled or done
// earlier.
func TestCheckHistoryFindsLostUndoing(t *testing.T) {
	t.Parallel()
	g, rs := undone(t)
	begun := slices.IndexFunc(rs, func(r engine.Record) bool { return r.Kind == engine.KindRollback })
	for i := begun; i < len(rs); i++ {
		if err := engine.CheckHistory(g, renumber(slices.Delete(slices.Clone(rs), i, i+1))); err == nil && i < len(rs)-1 {
			t.Errorf("record %d (%s) was lost, nobody noticed", i+1, describe(rs[i]))
		}
		if err := engine.CheckHistory(g, renumber(slices.Insert(slices.Clone(rs), i, rs[i]))); err == nil {
			t.Errorf("record %d (%s) comes twice, nobody noticed", i+1, describe(rs[i]))
		}
	}
}

// TestCheckHistoryFindsFalseUndoing: single fields of a rollback that cannot be as they
// are.
func TestCheckHistoryFindsFalseUndoing(t *testing.T) {
	t.Parallel()
	g, rs := undone(t)
	type change = func(node string, d *engine.NodeChanged) bool
	for name, f := range map[string]change{
		"an older attempt": func(_ string, d *engine.NodeChanged) bool { d.Attempt++; return d.To == engine.NodeRollingBack },
		"without a call": func(n string, d *engine.NodeChanged) bool {
			d.To = engine.NodeRolledBack
			return n == "b" && d.Reason == "rollback"
		},
		"for no reason":        func(_ string, d *engine.NodeChanged) bool { d.Reason = "poll"; return d.To == engine.NodeRollingBack },
		"without a new epoch":  func(_ string, d *engine.NodeChanged) bool { d.Epoch--; return d.To == engine.NodeRollingBack },
		"failed for no reason": func(_ string, d *engine.NodeChanged) bool { d.Failure = nil; return d.To == engine.NodeRollbackFailed },
		"numbers begin again":  func(_ string, d *engine.NodeChanged) bool { d.Attempt = 0; return d.To == engine.NodeIdle },
	} {
		bad := slices.Clone(rs)
		i := slices.IndexFunc(bad, func(r engine.Record) bool {
			d, ok := r.Data.(engine.NodeChanged)
			return ok && f(r.Node, &d)
		})
		if i < 0 {
			t.Fatalf("%s: no such record", name)
		}
		d, _ := bad[i].Data.(engine.NodeChanged)
		f(bad[i].Node, &d)
		bad[i].Data = d
		if err := engine.CheckHistory(g, bad); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	bad := slices.Clone(rs)
	for i := range bad { // a is undone before b, to which it leads
		if d, ok := bad[i].Data.(engine.RollbackChanged); ok && d.Phase == engine.RollbackBegun {
			at := slices.IndexFunc(bad, func(r engine.Record) bool {
				return r.Node == "b" && r.Kind == engine.KindNodeState && r.Seq > bad[i].Seq
			})
			early := bad[len(bad)-1]
			for _, r := range bad {
				if c, ok := r.Data.(engine.NodeChanged); ok && r.Node == "a" && c.To == engine.NodeRollingBack {
					early = r
				}
			}
			if err := engine.CheckHistory(g, renumber(append(slices.Clone(bad[:at]), early))); err == nil {
				t.Error("undone too early: nobody noticed")
			}
			return
		}
	}
}
