package plugins

import (
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// Module is one installed version of a plugin. It is a value: whoever holds one holds
// the module as it was when it was asked for.
type Module struct {
	Plugin  string `json:"plugin"`
	Version string `json:"version"`
	// Digest is "sha256:" and the hex hash of the module.
	Digest   string             `json:"digest"`
	Manifest *contract.Manifest `json:"manifest,omitempty"`
	Bytes    int64              `json:"bytes"`
	// InstalledAt and InstalledBy are of its first installation.
	InstalledAt time.Time `json:"installed_at"`
	InstalledBy string    `json:"installed_by"`
	// Latest marks the version that new runs take.
	Latest bool  `json:"latest"`
	State  State `json:"state"`
	// Held says why the module waits for a review; empty in other states.
	Held []Hold `json:"held,omitempty"`
	// Signatures are those by keys that this installation trusts.
	Signatures []Signature `json:"signatures"`
	// Shipped says that the module came with the binary.
	Shipped bool `json:"shipped"`
	// Trusted says that the module was shipped, or is signed by a trusted key.
	Trusted bool `json:"trusted"`
	// Loaded is what the module takes in memory at the moment; nil when it is not loaded,
	// which the first call changes.
	Loaded *Loaded `json:"loaded,omitempty"`
	// Envelopes are the signatures as they came, also those that do not count.
	Envelopes [][]byte `json:"-"`
}

// Loaded is what a module takes in memory while it is ready to be called, in bytes.
type Loaded struct {
	// ServerBytes is about what it takes in the server itself: its native code, the image
	// of its memory and the memories that are kept for the next calls.
	ServerBytes int64 `json:"server_bytes"`
	// Workers counts its worker processes, WorkerBytes is their resident memory together.
	Workers     int   `json:"workers"`
	WorkerBytes int64 `json:"worker_bytes"`
}

// Signature is a signature that counts: its key is trusted and may sign this plugin.
type Signature struct {
	KeyID     string `json:"key_id"`
	Publisher string `json:"publisher"`
}

// State is how far a module may be used. The zero value lets nothing run.
type State string

// The states of a module.
const (
	// StatePending waits for a review: nothing runs it.
	StatePending State = "pending"
	// StateActive may be run.
	StateActive State = "active"
	// StateWithdrawn is run for runs that started with it, and by no new one.
	StateWithdrawn State = "withdrawn"
	// StateBlocked is not run by anything any more, from the next node on.
	StateBlocked State = "blocked"
)

// Hold is one reason why a module waits for a review.
type Hold struct {
	Code HoldCode `json:"code"`
	// Detail names what it is about, by code: "system/operation", "limit.name", the
	// publisher before, or the plugin with the similar name.
	Detail string `json:"detail"`
}

// HoldCode is the machine-readable reason of a Hold. Codes are stable.
type HoldCode string

// The reasons for a review.
const (
	// HoldNeeds: the version asks for an operation that the one before did not ask for.
	HoldNeeds HoldCode = "ASKS_OPERATION"
	// HoldLimits: the version asks for more of a limit than the one before.
	HoldLimits HoldCode = "ASKS_LIMIT"
	// HoldPublisher: the version before is signed by a publisher who did not sign this one.
	HoldPublisher HoldCode = "PUBLISHER_CHANGED"
	// HoldName: the name of a new plugin can be taken for that of an installed one.
	HoldName HoldCode = "NAME_CONFUSABLE"
)

// Event is one thing that was done with a plugin or a key, or that was refused.
type Event struct {
	// ID is in the order of the events; zero before the event is stored.
	ID    int64        `json:"id"`
	At    time.Time    `json:"at"`
	Actor engine.Actor `json:"actor"`
	Kind  EventKind    `json:"kind"`
	// Plugin, Version and Digest are empty for an event of a key.
	Plugin  string `json:"plugin,omitempty"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest,omitempty"`
	// Detail is the reason that was given, or why it was refused.
	Detail string `json:"detail,omitempty"`
}

// EventKind is what an event is about.
type EventKind string

// The kinds of events.
const (
	EventInstalled  EventKind = "installed"
	EventHeld       EventKind = "held"
	EventRefused    EventKind = "refused"
	EventApproved   EventKind = "approved"
	EventActivated  EventKind = "activated"
	EventRolledBack EventKind = "rolled_back"
	EventWithdrawn  EventKind = "withdrawn"
	EventBlocked    EventKind = "blocked"
	EventSigned     EventKind = "signed"
	EventKeyRevoked EventKind = "key_revoked"
)
