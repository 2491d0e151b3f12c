package audit_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/audit"
)

func at(n int) time.Time {
	return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
}

// written makes a log of n entries.
func written(t *testing.T, n int) ([]audit.Line, []audit.Head) {
	t.Helper()
	var lines []audit.Line
	var heads []audit.Head
	var head audit.Head
	for i := range n {
		var l audit.Line
		var err error
		l, head, err = audit.Seal(head, audit.Entry{At: at(i), Kind: audit.KindAdmin, Action: fmt.Sprintf("a<%d>", i), Outcome: audit.OutcomeOK})
		if err != nil {
			t.Fatal(err)
		}
		lines, heads = append(lines, l), append(heads, head)
	}
	return lines, heads
}

func read(lines []audit.Line) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// forge seals everything from an entry on anew, as somebody would who can write the
// database and knows how the log is made.
func forge(t *testing.T, lines []audit.Line, from int, change func(*audit.Entry)) []audit.Line {
	t.Helper()
	out := slices.Clone(lines[:from])
	var head audit.Head
	if from > 0 {
		head = audit.Head{Seq: int64(from), Hash: lines[from-1].Hash}
	}
	for i, l := range lines[from:] {
		var e audit.Entry
		if err := json.Unmarshal(l.Entry, &e); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			change(&e)
		}
		var err error
		if l, head, err = audit.Seal(head, e); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func TestALogThatSomebodyChangedIsFound(t *testing.T) {
	t.Parallel()
	lines, heads := written(t, 20)
	for name, tc := range map[string]struct {
		change func([]audit.Line) []audit.Line
		places []audit.Head
		want   []string
	}{
		"as it was written": {func(l []audit.Line) []audit.Line { return l }, []audit.Head{heads[4], heads[19]}, nil},
		"an entry edited": {func(l []audit.Line) []audit.Line {
			l[7].Entry = json.RawMessage(strings.Replace(string(l[7].Entry), "a<7>", "b<7>", 1))
			return l
		}, nil, []string{"8 CHANGED"}},
		"an entry edited, and its hash": {func(l []audit.Line) []audit.Line {
			e := forge(t, l, 7, func(e *audit.Entry) { e.Action = "b" })
			l[7] = e[7]
			return l
		}, nil, []string{"9 BROKEN"}},
		"an entry and all hashes behind it": {func(l []audit.Line) []audit.Line {
			return forge(t, l, 7, func(e *audit.Entry) { e.Action = "b" })
		}, []audit.Head{heads[10]}, []string{"11 REPLACED"}},
		"an entry taken out": {func(l []audit.Line) []audit.Line { return slices.Delete(l, 7, 8) }, nil, []string{"9 BROKEN"}},
		"two exchanged": {func(l []audit.Line) []audit.Line {
			l[7], l[8] = l[8], l[7]
			return l
		}, nil, []string{"8 BROKEN", "9 BROKEN", "10 BROKEN"}},
		"one put in twice":      {func(l []audit.Line) []audit.Line { return slices.Insert(l, 8, l[7]) }, nil, []string{"8 BROKEN"}},
		"the end cut off":       {func(l []audit.Line) []audit.Line { return l[:12] }, []audit.Head{heads[14]}, []string{"15 END_MISSING"}},
		"everything taken away": {func([]audit.Line) []audit.Line { return nil }, []audit.Head{heads[14]}, []string{"15 END_MISSING"}},
		"the beginning cut off": {func(l []audit.Line) []audit.Line { return l[3:] }, nil, []string{"4 START_MISSING"}},
		"no entry": {func(l []audit.Line) []audit.Line {
			l[5].Entry = json.RawMessage(`[]`)
			return l
		}, nil, []string{"6 UNREADABLE"}},
		"a newer version": {func(l []audit.Line) []audit.Line {
			l[5].Entry = json.RawMessage(strings.Replace(string(l[5].Entry), `"v":1`, `"v":2`, 1))
			return l
		}, nil, []string{"6 UNREADABLE"}},
		"an index that lies": {func(l []audit.Line) []audit.Line {
			l[5].Differs = "actor"
			return l
		}, nil, []string{"6 INDEX_DIFFERS"}},
		"places that contradict": {func(l []audit.Line) []audit.Line { return l }, []audit.Head{heads[3], {Seq: 4, Hash: "00"}}, []string{"4 REPLACED", "4 REPLACED"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := audit.Verify(read(tc.change(slices.Clone(lines))), tc.places)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, fmt.Sprintf("%d %s", f.Seq, f.Code))
			}
			if !slices.Equal(got, tc.want) || r.OK() != (tc.want == nil) {
				t.Errorf("found %v, want %v", got, tc.want)
			}
			if tc.want == nil && r.Anchors != len(tc.places) {
				t.Errorf("%d anchors", r.Anchors)
			}
		})
	}
}

// TestEveryByteOfALogCounts changes each byte of a small log, in turn.
func TestEveryByteOfALogCounts(t *testing.T) {
	t.Parallel()
	lines, heads := written(t, 4)
	for n := range lines {
		for i := range lines[n].Entry {
			changed := slices.Clone(lines)
			changed[n].Entry = slices.Clone(lines[n].Entry)
			changed[n].Entry[i] ^= 1
			r, err := audit.Verify(read(changed), heads[3:])
			if err != nil {
				t.Fatal(err)
			}
			if r.OK() {
				t.Fatalf("entry %d byte %d: not found", n+1, i)
			}
		}
	}
}

// TestTheFormatOfAnEntryStays holds the bytes that hashes are made of: a log that was
// written is verified for ever.
func TestTheFormatOfAnEntryStays(t *testing.T) {
	t.Parallel()
	l, _, err := audit.Seal(audit.Head{}, audit.Entry{
		At: at(0), Kind: audit.KindCall, Actor: "local", Project: "demo", Outcome: audit.OutcomeOK, Run: "r", Flow: "f", Node: "n",
		Iteration: 1, Attempt: 2, Call: 3, Plugin: "http", Digest: "sha256:00", System: "s<1>", Operation: "read", Method: "GET",
		Credential: "c", RequestHash: "h", Status: 200, DurationUS: 1500,
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"v":1,"seq":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","at":"2026-11-22T09:00:00Z","kind":"call",` +
		`"actor":"local","project":"demo","outcome":"ok","run":"r","flow":"f","node":"n","iteration":1,"attempt":2,"call":3,"plugin":"http",` +
		`"digest":"sha256:00","system":"s<1>","operation":"read","method":"GET","credential":"c","request_hash":"h","status":200,"duration_us":1500}`
	if string(l.Entry) != want || l.Hash != "f3a62a3a8fc3c6543a0fd743119c79ee9b8ae056f04ce0bec32dabfe079dc6d4" {
		t.Errorf("%s\n%s", l.Entry, l.Hash)
	}
}
