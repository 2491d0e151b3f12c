// Package health counts how plugins do: the calls of each module in each project, how
// many failed and why, how long they took, and which limits they hit. It counts by the
// hour, keeps a week, and survives a restart. What it says is a measurement: what was
// counted in the last seconds before a crash is lost, and no decision of the engine
// rests on it.
package health

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// The bounds of what is kept.
const (
	// Retention is how long an hour is kept.
	Retention = 7 * 24 * time.Hour
	// RowsMax bounds the hours of all modules and projects together; the oldest go first.
	RowsMax = 20_000
	// codesMax bounds the codes of failures that one hour tells apart: plugins choose
	// them. Further ones are counted under codeOther.
	codesMax = 16
	// codeBytesMax bounds the length of a code.
	codeBytesMax = 64
)

// codeOther stands for the codes beyond codesMax.
const codeOther = "OTHER"

// codeCancelled is the code of a call that the host gave up because its run or node was
// ended.
const codeCancelled = "CANCELLED"

// codeUnknown stands for calls of which nobody can say whether they acted.
const codeUnknown = "OUTCOME_UNKNOWN"

// Cell names an hour of a module in a project.
type Cell struct {
	Project, Plugin, Digest string
	// Hour counts from 1970, UTC.
	Hour int64
}

// Counts is what was counted in a cell, or in several.
type Counts struct {
	// Calls counts the calls that ended with an answer; those that the host gave up
	// because their run was ended are in Cancelled instead.
	Calls     uint64 `json:"calls"`
	Failures  uint64 `json:"failures,omitempty"`
	Cancelled uint64 `json:"cancelled,omitempty"`
	// Limits counts the failures by a limit of the host.
	Limits uint64 `json:"limits,omitempty"`
	// Durations and Longest are those of Calls.
	Durations Histogram     `json:"durations,omitempty"`
	Longest   time.Duration `json:"longest_ns,omitempty"`
	// Codes counts the failures by their code.
	Codes map[string]Code `json:"codes,omitempty"`
	// Last is the failure that was seen last, nil when there was none.
	Last *Last `json:"last,omitempty"`
}

// Code is how often a failure happened.
type Code struct {
	Count  uint64          `json:"count"`
	Origin contract.Origin `json:"origin,omitempty"`
}

// Last is where a failure happened.
type Last struct {
	At   time.Time `json:"at"`
	Code string    `json:"code"`
	Run  string    `json:"run"`
	Node string    `json:"node"`
}

// Row is a cell with its counts.
type Row struct {
	Cell   Cell
	Counts Counts
}

// Store keeps rows. It is safe for concurrent use.
type Store interface {
	// AddHealth adds rows to what is kept, forgets the hours before keep, and the oldest
	// ones beyond RowsMax. All of it happens or nothing.
	AddHealth(ctx context.Context, rows []Row, keep int64) error
	// Health returns the rows of a project from an hour on, in no order.
	Health(ctx context.Context, project string, from int64) ([]Row, error)
}

// hourOf is the hour of an instant, since 1970, UTC.
func hourOf(t time.Time) int64 { return t.Unix() / int64(time.Hour/time.Second) }

// hourAt is the beginning of an hour.
func hourAt(hour int64) time.Time { return time.Unix(hour*int64(time.Hour/time.Second), 0).UTC() }

// Merge adds what another one counted.
func (c *Counts) Merge(o *Counts) {
	c.Calls += o.Calls
	c.Failures += o.Failures
	c.Cancelled += o.Cancelled
	c.Limits += o.Limits
	c.Longest = max(c.Longest, o.Longest)
	if len(o.Durations) > 0 {
		if c.Durations == nil {
			c.Durations = Histogram{}
		}
		c.Durations.add(o.Durations)
	}
	for _, code := range slices.Sorted(maps.Keys(o.Codes)) {
		c.count(code, o.Codes[code])
	}
	if o.Last != nil && (c.Last == nil || o.Last.At.After(c.Last.At)) {
		last := *o.Last
		c.Last = &last
	}
}

// count adds failures of one code and returns the code they were counted under.
func (c *Counts) count(code string, n Code) string {
	if c.Codes == nil {
		c.Codes = map[string]Code{}
	}
	if _, known := c.Codes[code]; len(code) > codeBytesMax || !known && len(c.Codes) >= codesMax {
		code, n.Origin = codeOther, ""
	}
	n.Count += c.Codes[code].Count
	c.Codes[code] = n
	return code
}
