// Package audit says who did what: one chained log of the calls that went through the
// gateway, the refused ones too, and of what administrators changed. Every entry holds
// the hash of the one before, so that none can be changed, taken out or put in unseen;
// signed anchors outside the log show when its end was cut off (docs/audit.md). The
// package knows no database and no HTTP.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// FormatVersion is the version of an entry's JSON. A reader refuses a higher one.
const FormatVersion = 1

// Kind says what an entry is about.
type Kind string

// The kinds of entries.
const (
	KindCall  Kind = "call"  // a call to an operation of a system
	KindAdmin Kind = "admin" // somebody changed, or tried to change, what Culm allows
	// KindCallback is what an outside system called back with: that it was stored, or came
	// when it was of no use, or that its run did not take it.
	KindCallback Kind = "callback"
	KindLog      Kind = "log" // the log itself: it began, it was shortened, its end was missing
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{KindCall, KindAdmin, KindCallback, KindLog} }

// Outcome says in a word how it ended.
type Outcome string

// The outcomes.
const (
	OutcomeOK      Outcome = "ok"      // it was done; the system's answer was taken as a success
	OutcomeRefused Outcome = "refused" // a rule or limit of Culm did not let it happen
	OutcomeFailed  Outcome = "failed"  // it was tried and went wrong
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome { return []Outcome{OutcomeOK, OutcomeRefused, OutcomeFailed} }

// Entry is one line of the log. It holds no value of a parameter, no secret, and of a
// credential only its id. Fields that do not concern the kind are zero.
type Entry struct {
	// Version, Seq and Prev are set by Seal. Seq counts from 1 without gaps; Prev is
	// the hash of the entry before in hex, 64 zeros for the first.
	Version int    `json:"v"`
	Seq     int64  `json:"seq"`
	Prev    string `json:"prev"`
	// At is when it began, in UTC.
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// Actor is who acted, or on whose behalf a run goes; OnBehalfOf is for whom the
	// actor says to act.
	Actor      string `json:"actor,omitempty"`
	OnBehalfOf string `json:"on_behalf_of,omitempty"`
	// Source is where the request came from; nil where there was none, as for what a run
	// does and for commands on the machine itself.
	Source *Source `json:"source,omitempty"`
	// Project is empty for what concerns the installation.
	Project string  `json:"project,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Code is that of the failure or refusal.
	Code string `json:"code,omitempty"`

	// Run to Digest say which plugin call made a call.
	Run       string `json:"run,omitempty"`
	Flow      string `json:"flow,omitempty"`
	Node      string `json:"node,omitempty"`
	Iteration int    `json:"iteration,omitempty"`
	Attempt   int    `json:"attempt,omitempty"`
	Call      int    `json:"call,omitempty"`
	Plugin    string `json:"plugin,omitempty"`
	Digest    string `json:"digest,omitempty"`

	System    string `json:"system,omitempty"`
	Operation string `json:"operation,omitempty"`
	Method    string `json:"method,omitempty"`
	// Credential is the id of the credential that was used.
	Credential string `json:"credential,omitempty"`
	// RequestHash is that of the whole request without the credential.
	RequestHash string `json:"request_hash,omitempty"`
	// Status is that of the HTTP answer; zero where there was none.
	Status  int               `json:"status,omitempty"`
	Failure *contract.Failure `json:"failure,omitempty"`
	// Replayed says that the journal answered and nothing was sent; SecretEcho that the
	// system sent a secret back, which was taken out.
	Replayed   bool `json:"replayed,omitempty"`
	SecretEcho bool `json:"secret_echo,omitempty"`
	// DurationUS is in microseconds.
	DurationUS int64 `json:"duration_us,omitempty"`

	// Action is what was done, such as "systems.put"; Subject names what it was done to,
	// Detail says what was asked for, where that is no secret.
	Action  string            `json:"action,omitempty"`
	Subject map[string]string `json:"subject,omitempty"`
	Detail  json.RawMessage   `json:"detail,omitempty"`
}

// Line is an entry as it is stored and exported: the very bytes that were hashed.
type Line struct {
	Entry json.RawMessage `json:"entry"`
	// Hash is the SHA-256 of Entry in hex.
	Hash string `json:"hash"`
	// Differs names a column of the store that does not say what Entry says; empty is
	// good.
	Differs string `json:"-"`
}

// Head is a place of the chain: an entry's number and hash. The zero Head is before the
// first entry.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// genesis is what the first entry has in place of the hash of the one before.
func genesis() string { return hex.EncodeToString(make([]byte, sha256.Size)) }

// hash returns the hash that the entry after h has to name.
func (h Head) hash() string {
	if h.Seq == 0 {
		return genesis()
	}
	return h.Hash
}

// Seal puts e behind head and returns what is to be stored, and the new head.
func Seal(head Head, e Entry) (Line, Head, error) {
	e.Version, e.Seq, e.Prev = FormatVersion, head.Seq+1, head.hash()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the bytes are as other programs would write them
	if err := enc.Encode(e); err != nil {
		return Line{}, head, fmt.Errorf("audit: encode an entry: %w", err)
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	l := Line{Entry: body, Hash: sum(body)}
	return l, Head{Seq: e.Seq, Hash: l.Hash}, nil
}

func sum(body []byte) string {
	s := sha256.Sum256(body)
	return hex.EncodeToString(s[:])
}

// OutcomeOf says how a call with that failure ended.
func OutcomeOf(f *contract.Failure) Outcome {
	switch {
	case f == nil:
		return OutcomeOK
	case f.Origin == contract.OriginSystem, f.Origin == contract.OriginHost:
		return OutcomeFailed
	default:
		return OutcomeRefused
	}
}
