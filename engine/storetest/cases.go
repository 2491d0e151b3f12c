package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

func testNewRun(t *testing.T, s runner.Store) {
	b := first("r1", 5)
	b.New.StartKey, b.New.StartHash = "key", "hash"
	commit(t, s, b)
	want := *b.New
	want.State, want.Seq = engine.RunRunning, 5
	got, err := s.Run(t.Context(), "r1")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Run = %+v, %v; want %+v", got, err, want)
	}
	got, err = s.ByStartKey(t.Context(), "p", "key")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("ByStartKey = %+v, %v; want %+v", got, err, want)
	}
	if _, err := s.ByStartKey(t.Context(), "other", "key"); !errors.Is(err, runner.ErrNotFound) {
		t.Errorf("the key of another project: %v", err)
	}
}

func testUnknown(t *testing.T, s runner.Store) {
	_, err := s.Run(t.Context(), "none")
	wantIs(t, "Run", err, runner.ErrNotFound)
	_, err = s.ByStartKey(t.Context(), "p", "none")
	wantIs(t, "ByStartKey", err, runner.ErrNotFound)
	_, err = s.Records(t.Context(), "none", 0, 0)
	wantIs(t, "Records", err, runner.ErrNotFound)
	_, err = s.List(t.Context(), runner.RunQuery{Before: "none"})
	wantIs(t, "List", err, runner.ErrNotFound)
	wantIs(t, "Commit", s.Commit(t.Context(), []runner.Batch{next("none", 2, 2)}), runner.ErrNotFound)
	if hs, err := s.List(t.Context(), runner.RunQuery{Project: "p"}); err != nil || len(hs) != 0 {
		t.Errorf("List of an empty store = %v, %v", hs, err)
	}
}

func testRecords(t *testing.T, s runner.Store) {
	want := append([]engine.Record{started("r1")}, records(2, 12)...)
	commit(t, s, first("r1", 5))
	commit(t, s, next("r1", 6, 12))
	got, err := s.Records(t.Context(), "r1", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantRecords(t, got, want)
}

func testRecordsWindow(t *testing.T, s runner.Store) {
	all := append([]engine.Record{started("r1")}, records(2, 30)...)
	commit(t, s, first("r1", 10))
	commit(t, s, next("r1", 11, 11), next("r1", 12, 20))
	commit(t, s, next("r1", 21, 30))
	for after := range uint64(32) {
		for _, limit := range []int{0, 1, 3, 10, 31} {
			want := all[min(after, 30):]
			if limit > 0 && limit < len(want) {
				want = want[:limit]
			}
			got, err := s.Records(t.Context(), "r1", after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) || len(got) > 0 && (got[0].Seq != want[0].Seq || got[len(got)-1].Seq != want[len(want)-1].Seq) {
				t.Errorf("after %d limit %d: %s; want %s", after, limit, span(got), span(want))
			}
		}
	}
}

func testGap(t *testing.T, s runner.Store) {
	commit(t, s, first("r1", 3))
	for name, b := range map[string]runner.Batch{
		"one left out":      next("r1", 5, 6),
		"one twice":         next("r1", 3, 4),
		"from the start":    next("r1", 2, 4),
		"a gap in the list": {Run: "r1", State: engine.RunRunning, Records: []engine.Record{record(4), record(6)}},
	} {
		wantIs(t, name, s.Commit(t.Context(), []runner.Batch{b}), runner.ErrSequence)
	}
	b := first("r2", 3)
	b.Records = b.Records[1:]
	wantIs(t, "a run without its first record", s.Commit(t.Context(), []runner.Batch{b}), runner.ErrSequence)
	wantSeq(t, s, "r1", 3)
	commit(t, s, next("r1", 4, 4))
}

func testBroken(t *testing.T, s runner.Store) {
	at := epoch()
	for name, change := range map[string]func(b *runner.Batch){
		"no records":         func(b *runner.Batch) { b.Records = nil },
		"no state":           func(b *runner.Batch) { b.State = "" },
		"no run":             func(b *runner.Batch) { b.Run = "" },
		"another run's head": func(b *runner.Batch) { b.New.ID = "r2" },
		"no head":            func(b *runner.Batch) { b.New = nil },
		"no document":        func(b *runner.Batch) { b.New.Document = nil },
		"no digest":          func(b *runner.Batch) { b.New.Digest = "" },
		"no project":         func(b *runner.Batch) { b.New.Project = "" },
		"no time of start":   func(b *runner.Batch) { b.New.CreatedAt = time.Time{} },
		"ended, no time":     func(b *runner.Batch) { b.State = engine.RunFailed },
		"time, not ended":    func(b *runner.Batch) { b.EndedAt = &at },
		"no payload":         func(b *runner.Batch) { b.Records[1].Data = nil },
	} {
		b := first("r1", 3)
		change(&b)
		if err := s.Commit(t.Context(), []runner.Batch{b}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := s.Run(t.Context(), "r1"); !errors.Is(err, runner.ErrNotFound) {
		t.Errorf("a refused run exists: %v", err)
	}
}

func testAtomic(t *testing.T, s runner.Store) {
	commit(t, s, first("r1", 3), first("r2", 3))
	timer := next("r1", 4, 5)
	timer.Timers = []runner.TimerChange{{Node: "n", Epoch: 1, Due: epoch()}}
	err := s.Commit(t.Context(), []runner.Batch{timer, first("r3", 2), next("r2", 5, 5)})
	wantIs(t, "commit with a gap at its end", err, runner.ErrSequence)
	wantSeq(t, s, "r1", 3)
	wantSeq(t, s, "r2", 3)
	if _, err := s.Run(t.Context(), "r3"); !errors.Is(err, runner.ErrNotFound) {
		t.Errorf("a run of a refused commit exists: %v", err)
	}
	if ts, err := s.Timers(t.Context()); err != nil || len(ts) != 0 {
		t.Errorf("timers of a refused commit: %v, %v", ts, err)
	}
	commit(t, s, next("r1", 4, 5), first("r3", 2), next("r2", 4, 5))
	wantSeq(t, s, "r1", 5)
	wantSeq(t, s, "r2", 5)
	wantSeq(t, s, "r3", 2)
}

func testRunIDOnce(t *testing.T, s runner.Store) {
	commit(t, s, first("r1", 3))
	wantIs(t, "the id again", s.Commit(t.Context(), []runner.Batch{first("r1", 3)}), runner.ErrExists)
	wantIs(t, "the id twice", s.Commit(t.Context(), []runner.Batch{first("r2", 3), first("r2", 3)}), runner.ErrExists)
	commit(t, s, last("r1", 4, 4, engine.RunSucceeded))
	wantIs(t, "the id of an ended run", s.Commit(t.Context(), []runner.Batch{first("r1", 3)}), runner.ErrExists)
}

func testStartKeyOnce(t *testing.T, s runner.Store) {
	keyed := func(run, project, key string) runner.Batch {
		b := first(run, 2)
		b.New.Project, b.New.StartKey = project, key
		return b
	}
	commit(t, s, keyed("r1", "p", "k"))
	wantIs(t, "the key again", s.Commit(t.Context(), []runner.Batch{keyed("r2", "p", "k")}), runner.ErrExists)
	commit(t, s, last("r1", 3, 3, engine.RunRevoked))
	wantIs(t, "the key of an ended run", s.Commit(t.Context(), []runner.Batch{keyed("r2", "p", "k")}), runner.ErrExists)
	wantIs(t, "one key twice", s.Commit(t.Context(), []runner.Batch{keyed("r3", "p", "x"), keyed("r4", "p", "x")}), runner.ErrExists)
	commit(t, s, keyed("r5", "q", "k"), keyed("r6", "p", "x"), keyed("r7", "p", ""), keyed("r8", "p", ""))
}

func testEndsOnce(t *testing.T, s runner.Store) {
	commit(t, s, first("r1", 3))
	commit(t, s, last("r1", 4, 4, engine.RunFailed))
	h, err := s.Run(t.Context(), "r1")
	if at := epoch().Add(time.Hour); err != nil || h.EndedAt == nil || !h.EndedAt.Equal(at) || h.State != engine.RunFailed {
		t.Errorf("ended head = %+v, %v", h, err)
	}
	if err := s.Commit(t.Context(), []runner.Batch{next("r1", 5, 5)}); err == nil {
		t.Error("an ended run is running again")
	}
	late := next("r1", 5, 5)
	late.State = engine.RunFailed
	commit(t, s, late)
	h, err = s.Run(t.Context(), "r1")
	if err != nil || h.EndedAt == nil || h.Seq != 5 {
		t.Errorf("head after a late record = %+v, %v", h, err)
	}
	atOnce := first("r2", 4)
	at := epoch()
	atOnce.State, atOnce.EndedAt = engine.RunSucceeded, &at
	commit(t, s, atOnce)
	if live, err := s.Live(t.Context()); err != nil || len(live) != 0 {
		t.Errorf("Live = %v, %v; want none", live, err)
	}
}

func testManyBatches(t *testing.T, s runner.Store) {
	commit(t, s, first("r1", 2), first("r2", 2), next("r1", 3, 4), next("r2", 3, 3), last("r1", 5, 6, engine.RunSucceeded), next("r2", 4, 9))
	for run, n := range map[string]uint64{"r1": 6, "r2": 9} {
		got, err := s.Records(t.Context(), run, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		wantRecords(t, got, append([]engine.Record{started(run)}, records(2, n)...))
	}
}

func testList(t *testing.T, s runner.Store) {
	const n = 25
	var want []string
	for i := range n {
		b := first(runID(i), 2)
		if i%5 == 0 {
			b.New.Project = "q"
		}
		if i%2 == 0 {
			b.New.Flow = "even"
		}
		commit(t, s, b)
		if i%3 == 0 {
			commit(t, s, last(runID(i), 3, 3, engine.RunFailed))
		}
		if i%5 != 0 {
			want = append([]string{runID(i)}, want...)
		}
	}
	if got := pages(t, s, runner.RunQuery{Project: "p", Limit: 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("pages give %v; want %v", got, want)
	}
	hs, err := s.List(t.Context(), runner.RunQuery{Flow: "even", States: []engine.RunState{engine.RunFailed, engine.RunRevoked}})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, h := range hs {
		ids = append(ids, h.ID)
	}
	if want := []string{runID(24), runID(18), runID(12), runID(6), runID(0)}; !reflect.DeepEqual(ids, want) {
		t.Errorf("failed runs of flow even = %v; want %v", ids, want)
	}
}

// pages reads a list to its end, page by page.
func pages(t *testing.T, s runner.Store, q runner.RunQuery) []string {
	t.Helper()
	var ids []string
	for {
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return ids
		}
		for _, h := range page {
			if h.Document != nil {
				t.Fatal("a list carries documents")
			}
			ids = append(ids, h.ID)
		}
		q.Before = page[len(page)-1].ID
	}
}

func testLive(t *testing.T, s runner.Store) {
	commit(t, s, first("r1", 3), first("r2", 4), first("r3", 5))
	other := first("r4", 6)
	other.New.Digest, other.New.Document = "sha256:9", []byte(`{"other":true}`)
	commit(t, s, other, last("r2", 5, 5, engine.RunSucceeded))
	live, err := s.Live(t.Context())
	if err != nil || len(live) != 3 {
		t.Fatalf("Live = %+v, %v; want 3", live, err)
	}
	for i, want := range []struct {
		id  string
		seq uint64
		doc string
	}{{"r1", 3, `{"format":"culm.flow/v1"}`}, {"r3", 5, `{"format":"culm.flow/v1"}`}, {"r4", 6, `{"other":true}`}} {
		if h := live[i]; h.ID != want.id || h.Seq != want.seq || string(h.Document) != want.doc || h.EndedAt != nil {
			t.Errorf("live[%d] = %+v; want %+v", i, h, want)
		}
	}
}

func testTimers(t *testing.T, s runner.Store) {
	at := func(sec int) time.Time { return epoch().Add(time.Duration(sec) * time.Second) }
	with := func(b runner.Batch, ts ...runner.TimerChange) runner.Batch {
		b.Timers = ts
		return b
	}
	want := func(ts ...runner.Timer) {
		t.Helper()
		got, err := s.Timers(t.Context())
		if err != nil || !reflect.DeepEqual(got, ts) {
			t.Errorf("Timers = %+v, %v; want %+v", got, err, ts)
		}
	}
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	commit(t, s,
		with(first("r1", 2), runner.TimerChange{Node: "a", Epoch: 1, Due: at(30)}, runner.TimerChange{Node: "b", Epoch: 2, Due: at(10)}),
		with(first("r2", 2), runner.TimerChange{Node: "a", Epoch: 1, Due: far}))
	want(runner.Timer{Run: "r1", Node: "b", Epoch: 2, Due: at(10)}, runner.Timer{Run: "r1", Node: "a", Epoch: 1, Due: at(30)},
		runner.Timer{Run: "r2", Node: "a", Epoch: 1, Due: far})
	commit(t, s, with(next("r1", 3, 3), runner.TimerChange{Node: "b", Epoch: 3, Due: at(40)}, runner.TimerChange{Node: "a", Epoch: 1}))
	want(runner.Timer{Run: "r1", Node: "b", Epoch: 3, Due: at(40)}, runner.Timer{Run: "r2", Node: "a", Epoch: 1, Due: far})
	commit(t, s, with(next("r1", 4, 4), runner.TimerChange{Node: "b", Epoch: 2}, runner.TimerChange{Node: "none", Epoch: 2}))
	want(runner.Timer{Run: "r1", Node: "b", Epoch: 3, Due: at(40)}, runner.Timer{Run: "r2", Node: "a", Epoch: 1, Due: far})
	commit(t, s, last("r2", 3, 3, engine.RunRevoked))
	want(runner.Timer{Run: "r1", Node: "b", Epoch: 3, Due: at(40)})
}

func testHammer(t *testing.T, s runner.Store) {
	const clients, commits = 8, 40
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() { hammer(t, s, c, commits) })
	}
	wg.Wait()
}

// hammer commits to a run of its own, right and wrong batches, and sees each time that
// what was acknowledged is there.
func hammer(t *testing.T, s runner.Store, client, commits int) {
	run := fmt.Sprintf("run-%d", client)
	if err := s.Commit(t.Context(), []runner.Batch{first(run, 1)}); err != nil {
		t.Errorf("%s: %v", run, err)
		return
	}
	seq := uint64(1)
	for i := range commits {
		if i%7 == client%7 { // what is refused must not spoil the others' commits
			wantIs(t, "a gap", s.Commit(t.Context(), []runner.Batch{next(run, seq+2, seq+3)}), runner.ErrSequence)
		}
		n := uint64(1 + i%3)
		if err := s.Commit(t.Context(), []runner.Batch{next(run, seq+1, seq+n)}); err != nil {
			t.Errorf("%s at %d: %v", run, seq, err)
			return
		}
		seq += n
		if h, err := s.Run(t.Context(), run); err != nil || h.Seq != seq {
			t.Errorf("%s: head at %d, %v; committed %d", run, h.Seq, err, seq)
			return
		}
	}
	rs, err := s.Records(t.Context(), run, 0, 0)
	if err != nil {
		t.Error(err)
		return
	}
	wantRecords(t, rs, append([]engine.Record{started(run)}, records(2, seq)...))
}

func testDoneContext(t *testing.T, s runner.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantIs(t, "commit", s.Commit(ctx, []runner.Batch{first("r1", 2)}), context.Canceled)
	if _, err := s.Run(t.Context(), "r1"); !errors.Is(err, runner.ErrNotFound) {
		t.Errorf("Run = %v", err)
	}
}

func testReopen(t *testing.T, d Driver) {
	s := d.Open(t)
	b := first("r1", 4)
	b.New.StartKey, b.New.StartHash = "k", "h"
	b.Timers = []runner.TimerChange{{Node: "n", Epoch: 2, Due: epoch()}}
	commit(t, s, b, first("r2", 2))
	commit(t, s, last("r2", 3, 3, engine.RunSucceeded))
	before := everything(t, s)
	s = d.Reopen(t, s)
	defer func() { closeStore(t, s) }()
	if after := everything(t, s); after != before {
		t.Errorf("after opening again:\n%s\nbefore:\n%s", after, before)
	}
	commit(t, s, next("r1", 5, 6))
	wantIs(t, "a gap", s.Commit(t.Context(), []runner.Batch{next("r1", 8, 8)}), runner.ErrSequence)
}

// everything is what a store holds, as text.
func everything(t *testing.T, s runner.Store) string {
	t.Helper()
	live, err1 := s.Live(t.Context())
	list, err2 := s.List(t.Context(), runner.RunQuery{})
	timers, err3 := s.Timers(t.Context())
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	histories := map[string][]engine.Record{}
	for _, h := range list {
		rs, err := s.Records(t.Context(), h.ID, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		histories[h.ID] = rs
	}
	return text(t, []any{live, list, timers, histories})
}

func wantIs(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v; want %v", what, got, want)
	}
}

func wantSeq(t *testing.T, s runner.Store, run string, seq uint64) {
	t.Helper()
	h, err := s.Run(t.Context(), run)
	rs, errRecords := s.Records(t.Context(), run, 0, 0)
	if err != nil || errRecords != nil || h.Seq != seq || uint64(len(rs)) != seq {
		t.Errorf("%s is at %d with %d records (%v, %v); want %d", run, h.Seq, len(rs), err, errRecords, seq)
	}
}

// wantRecords compares what records say; a store may keep them in any form.
func wantRecords(t *testing.T, got, want []engine.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("records %s; want %s", span(got), span(want))
		return
	}
	for i := range got {
		if reflect.TypeOf(got[i].Data) != reflect.TypeOf(want[i].Data) || text(t, got[i]) != text(t, want[i]) {
			t.Errorf("record %d: got\n%s\nwant\n%s", i, text(t, got[i]), text(t, want[i]))
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Errorf("encode %T: %v", v, err)
	}
	return string(b)
}

func span(rs []engine.Record) string {
	if len(rs) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d..%d (%d)", rs[0].Seq, rs[len(rs)-1].Seq, len(rs))
}
