// Package recordings keeps what passed the boundary of plugin calls, so that an attempt
// can be made again on another machine: which calls are kept, in how many bytes, for how
// long, and without which secrets. What a recording is says package replay.
package recordings

import (
	"context"
	"encoding/json"
	"time"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// Mode says which calls are kept.
type Mode string

// The modes.
const (
	// Off keeps none, and no call is recorded.
	Off Mode = "off"
	// Failures keeps the calls of attempts that fail or whose outcome is unknown. The
	// calls of an attempt that waits are kept until it is known how it ends.
	Failures Mode = "failures"
	// All keeps every call.
	All Mode = "all"
)

// Policy says what is kept. The zero value keeps nothing.
type Policy struct {
	Mode Mode
	// CallBytes bounds the recording of one call; what comes after is cut off.
	CallBytes int64
	// TotalBytes bounds all of them, as they are stored; the oldest go first.
	TotalBytes int64
	// Age is how long a recording is kept.
	Age time.Duration
}

// CallsMax bounds how many calls of one attempt are kept: the first and the newest.
const CallsMax = 64

// Status is how a call ended for its node.
type Status string

// The statuses.
const (
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Waiting   Status = "waiting"
	Unknown   Status = "unknown"
)

// Place names a plugin call of a run.
type Place struct {
	Project   string `json:"project"`
	Run       string `json:"run"`
	Node      string `json:"node"`
	Iteration int    `json:"iteration"`
	Attempt   int    `json:"attempt"`
	// Phase is "" for execute and resume, cancel, rollback or options for those.
	Phase string `json:"phase,omitempty"`
	// Call is the ordinal of the plugin call within the attempt, from 0.
	Call int `json:"call"`
}

// Choices is the place of a call for the choices of a form field, which belongs to no run:
// Run is empty, Node names the field, and Attempt, which counts from 1, is given when the
// call is stored.
func Choices(project, plugin, action, source string) Place {
	return Place{Project: project, Node: plugin + "/" + action + "/" + source, Phase: string(contract.ReasonOptions)}
}

// Meta is what is known of a recording without reading it.
type Meta struct {
	// ID names the recording; a call that is made again after a crash gets a new one.
	ID string `json:"id"`
	Place
	At     time.Time       `json:"at"`
	Reason contract.Reason `json:"reason"`
	Plugin string          `json:"plugin"`
	Action string          `json:"action"`
	Digest string          `json:"digest"`
	Status Status          `json:"status"`
	// Code is that of the failure, where there was one.
	Code string `json:"code,omitempty"`
	// Events counts the events, Bytes is the size as it is stored.
	Events int   `json:"events"`
	Bytes  int64 `json:"bytes"`
	// Truncated names what is missing because it was over the bound.
	Truncated replay.Part `json:"truncated,omitempty"`
}

// View is a recording with what is known of it.
type View struct {
	Meta
	Recording *replay.Recording `json:"recording"`
}

// Call is a plugin call that ended, as it is handed over to be kept.
type Call struct {
	Place
	Reason         contract.Reason
	Plugin, Action string
	// Form is the JSON Schema of the inputs; values in places that it marks as secret
	// are not kept.
	Form, Inputs json.RawMessage
	Status       Status
	// Failure is why it failed, or nobody knows how it ended.
	Failure *contract.Failure
	// Recording becomes the keeper's.
	Recording *replay.Recording
}

// Row is a recording as it is stored. Body is compressed JSON.
type Row struct {
	Meta
	Body []byte
}

// Batch is what is stored in one transaction: rows, and attempts that ended well and
// whose rows are of no use any more.
type Batch struct {
	Save []Row
	// Settled name attempts; Phase and Call do not count.
	Settled []Place
}

// Repository stores recordings. Safe for concurrent use.
type Repository interface {
	// SaveRecordings stores a batch: a row takes the place of an older one of its place,
	// and of an attempt only the first call and the last CallsMax-1 stay. It returns how
	// many bytes are stored now.
	SaveRecordings(ctx context.Context, b Batch) (int64, error)
	// TrimRecordings removes those from before a time, and the oldest until at most
	// total bytes are left. It returns how many bytes are stored now.
	TrimRecordings(ctx context.Context, before time.Time, total int64) (int64, error)
	// Recordings returns the recordings of a node, or of the choices of a field where run is
	// empty: at most limit of a node with ids after the given one, by id.
	Recordings(ctx context.Context, project, run, node string, after int64, limit int) ([]Meta, error)
	// Recording returns one, or a fault.NotFound.
	Recording(ctx context.Context, project, run, node string, id int64) (Row, error)
}

// Secrets makes the scrubber of a project's secrets.
type Secrets interface {
	Scrubber(ctx context.Context, project string) (*secrets.Scrubber, error)
}

// Clock tells the time and waits. After's second result frees what waiting holds.
type Clock interface {
	Now() time.Time
	After(d time.Duration) (<-chan time.Time, func())
}
