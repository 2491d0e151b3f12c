package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// golden reads the history of the first format with its graph.
func golden(t *testing.T) (*engine.Graph, []engine.Record) {
	t.Helper()
	flow, err := engine.ParseFlow(readFile(t, "testdata/golden/v1", "flow.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rs []engine.Record
	for line := range strings.Lines(string(readFile(t, "testdata/golden/v1", "records.jsonl"))) {
		r, err := engine.DecodeRecord([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	return mustCompile(t, flow), rs
}

func renumber(rs []engine.Record) []engine.Record {
	for i := range rs {
		rs[i].Seq = uint64(i + 1)
	}
	return rs
}

// TestCheckHistoryFindsLoss: a history from which any record that matters was lost,
// doubled or moved is not sound. Notes, late results and what a gateway decided are
// said twice or change nothing; a variable's value is anybody's.
func TestCheckHistoryFindsLoss(t *testing.T) {
	t.Parallel()
	g, rs := golden(t)
	harmless := []engine.Kind{
		engine.KindNodeNote, engine.KindNodeLate, engine.KindGatewayDecided, engine.KindVariable, engine.KindCallbackKept,
	}
	for i, r := range rs {
		if slices.Contains(harmless, r.Kind) {
			continue
		}
		if err := engine.CheckHistory(g, renumber(slices.Delete(slices.Clone(rs), i, i+1))); err == nil && i < len(rs)-1 {
			t.Errorf("record %d (%s) was lost, nobody noticed", r.Seq, describe(r))
		}
		if err := engine.CheckHistory(g, renumber(slices.Insert(slices.Clone(rs), i, r))); err == nil {
			t.Errorf("record %d (%s) comes twice, nobody noticed", r.Seq, describe(r))
		}
	}
	if err := engine.CheckHistory(g, rs[1:]); err == nil {
		t.Error("a history without its beginning is sound")
	}
	if err := engine.CheckHistory(g, nil); err == nil {
		t.Error("an empty history is sound")
	}
}

// TestCheckHistoryFindsLies: single fields that cannot be as they are.
func TestCheckHistoryFindsLies(t *testing.T) {
	t.Parallel()
	g, rs := golden(t)
	changed := func(f func(r *engine.Record, d *engine.NodeChanged) bool) []engine.Record {
		out := slices.Clone(rs)
		for i := range out {
			if d, ok := out[i].Data.(engine.NodeChanged); ok && f(&out[i], &d) {
				out[i].Data = d
				return out
			}
		}
		t.Fatal("no such record")
		return nil
	}
	for name, bad := range map[string][]engine.Record{
		"epoch jumps":   changed(func(_ *engine.Record, d *engine.NodeChanged) bool { d.Epoch++; return d.To == engine.NodeRunning }),
		"attempt jumps": changed(func(_ *engine.Record, d *engine.NodeChanged) bool { d.Attempt += 2; return d.To == engine.NodeReady }),
		"wrong state": changed(func(_ *engine.Record, d *engine.NodeChanged) bool {
			d.From = engine.NodeWaiting
			return d.To == engine.NodeFailed
		}),
		"no failure": changed(func(_ *engine.Record, d *engine.NodeChanged) bool { d.Failure = nil; return d.To == engine.NodeFailed }),
		"no wait":    changed(func(_ *engine.Record, d *engine.NodeChanged) bool { d.Wait = nil; return d.To == engine.NodeWaiting }),
		"other node": changed(func(r *engine.Record, d *engine.NodeChanged) bool {
			r.Node = "nosuch"
			return d.To == engine.NodeWaiting
		}),
		"called in pause": changed(func(_ *engine.Record, d *engine.NodeChanged) bool {
			poll := d.Reason == contract.ReasonPoll
			d.Reason, d.Inputs = contract.ReasonExecute, []byte(`{}`)
			return poll
		}),
		"kind and payload": append(slices.Clone(rs[:len(rs)-1]), engine.Record{Seq: uint64(len(rs)), Kind: engine.KindNodeNote, Data: engine.RunChanged{}}),
		"second effect": func() []engine.Record {
			out := slices.Clone(rs)
			out[len(out)-1].CommandID = "cmd-1"
			return out
		}(),
	} {
		if err := engine.CheckHistory(g, bad); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}
