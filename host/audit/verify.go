package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

// The codes of what Verify finds.
const (
	FoundUnreadable = "UNREADABLE"     // the entry is no entry of a version that is known
	FoundChanged    = "CHANGED"        // the entry is not the one that its hash was made of
	FoundBroken     = "BROKEN"         // the entry does not follow the one before: one was taken out, put in or moved
	FoundIndex      = "INDEX_DIFFERS"  // what the entry is looked up by is not what it says
	FoundStart      = "START_MISSING"  // the log begins later than what it says was deleted
	FoundEnd        = "END_MISSING"    // the log ends before an entry that an anchor proves
	FoundReplaced   = "REPLACED"       // another entry is where an anchor proves one
	FoundForged     = "ANCHOR_INVALID" // an anchor is not signed by the key
)

// foundMax bounds the findings of a report.
const foundMax = 100

// Finding is one thing that is wrong with a log.
type Finding struct {
	// Seq is the number of the entry; of a line that cannot be read, one more than that
	// of the line before.
	Seq     int64  `json:"seq"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Report is what Verify says of a log.
type Report struct {
	// Entries counts what was read; First is the number of the first entry, Head the
	// place of the last.
	Entries int64 `json:"entries"`
	First   int64 `json:"first"`
	Head    Head  `json:"head"`
	// Anchors counts those that were met and agree.
	Anchors int `json:"anchors"`
	// Findings are empty for a log that is as it was written; at most 100.
	Findings []Finding `json:"findings"`
}

// OK reports whether nothing was found.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// Shortened is the Detail of the entry that says which part of the log was deleted
// because of its age.
type Shortened struct {
	// Through is the last entry that was deleted.
	Through Head `json:"through"`
	// Entries counts those that were deleted with it.
	Entries int64 `json:"entries"`
}

// ActionShortened is the action of that entry.
const ActionShortened = "log.shorten"

// Verify reads a log from its oldest entry on and says whether it is as it was written.
// Places are known from elsewhere: from anchors whose signatures are good, or from paper.
// The error is the sequence's own. It keeps nothing but the places in memory.
func Verify(lines iter.Seq2[Line, error], places []Head) (Report, error) {
	v := verifier{places: map[int64]string{}, r: Report{Findings: []Finding{}}}
	for _, p := range places {
		if have, ok := v.places[p.Seq]; ok && have != p.Hash {
			v.found(p.Seq, FoundReplaced, "two places of the log contradict each other")
		}
		v.places[p.Seq] = p.Hash
	}
	for l, err := range lines {
		if err != nil {
			return v.r, err
		}
		v.line(l)
	}
	v.end()
	return v.r, nil
}

// verifier is a log read so far.
type verifier struct {
	r Report
	// places are the hashes that entries must have, by number.
	places map[int64]string
	// begins is the place that the first entry says it follows, cut what the log says
	// was deleted last.
	begins, cut Head
}

func (v *verifier) found(seq int64, code, format string, args ...any) {
	if len(v.r.Findings) < foundMax {
		v.r.Findings = append(v.r.Findings, Finding{seq, code, fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) line(l Line) {
	v.r.Entries++
	var e Entry
	if err := json.Unmarshal(l.Entry, &e); err != nil || e.Version < 1 || e.Version > FormatVersion {
		v.found(v.r.Head.Seq+1, FoundUnreadable, "this is no entry of a version that is known here")
		v.r.Head = Head{Seq: v.r.Head.Seq + 1, Hash: l.Hash}
		return
	}
	got := sum(l.Entry)
	switch {
	case got != l.Hash:
		v.found(e.Seq, FoundChanged, "the entry is not the one that its hash was made of")
	case l.Differs != "":
		v.found(e.Seq, FoundIndex, "the column %s is not what the entry says", l.Differs)
	}
	switch {
	case v.r.Entries == 1:
		v.r.First, v.begins = e.Seq, Head{Seq: e.Seq - 1, Hash: e.Prev}
	case e.Seq != v.r.Head.Seq+1:
		v.found(e.Seq, FoundBroken, "entry %d follows entry %d", e.Seq, v.r.Head.Seq)
	case e.Prev != v.r.Head.Hash:
		v.found(e.Seq, FoundBroken, "the entry before is not the one that this one was written behind")
	}
	if want, ok := v.places[e.Seq]; ok {
		if want == got {
			v.r.Anchors++
		} else {
			v.found(e.Seq, FoundReplaced, "an anchor proves another entry here")
		}
		delete(v.places, e.Seq)
	}
	if e.Kind == KindLog && e.Action == ActionShortened {
		var s Shortened
		if json.Unmarshal(e.Detail, &s) == nil {
			v.cut = s.Through
		}
	}
	// The stored hash, not the right one: a changed entry is one finding, not two.
	v.r.Head = Head{Seq: e.Seq, Hash: l.Hash}
}

// end checks where the log begins and ends.
func (v *verifier) end() {
	first := v.begins.Seq == v.cut.Seq && v.begins.Hash == v.cut.hash()
	if v.r.Entries > 0 && !first {
		v.found(v.r.First, FoundStart, "the log begins with entry %d, and says that it was shortened up to entry %d", v.r.First, v.cut.Seq)
	}
	for seq, hash := range v.places {
		switch {
		case seq > v.r.Head.Seq:
			v.found(seq, FoundEnd, "the log ends with entry %d; an anchor proves that there were %d", v.r.Head.Seq, seq)
		case seq == v.begins.Seq && hash != v.begins.hash():
			v.found(seq, FoundReplaced, "an anchor proves another entry here")
		}
	}
	slices.SortStableFunc(v.r.Findings, func(a, b Finding) int { return cmp.Compare(a.Seq, b.Seq) })
}
