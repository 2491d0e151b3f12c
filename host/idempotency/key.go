// Package idempotency holds the key that lets a client repeat a creating call
// without creating twice (the Idempotency-Key header).
package idempotency

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
)

// Life is how long a key is remembered.
const Life = 7 * 24 * time.Hour

// ValueMax bounds the length of a key in bytes.
const ValueMax = 255

// Key identifies one creating call. The zero value means that the client sent none.
type Key struct {
	// Value is what the client sent: 1 to ValueMax bytes of visible ASCII.
	Value string
	// Hash is that of the request's body: the same key with another is refused.
	Hash string
}

// New makes a key of a header and a body; an empty header gives the zero Key.
func New(header string, body []byte) (Key, error) {
	if header == "" {
		return Key{}, nil
	}
	if len(header) > ValueMax {
		return Key{}, fault.New(fault.Invalid, "Idempotency-Key is longer than %d bytes", ValueMax)
	}
	for _, c := range []byte(header) {
		if c <= ' ' || c > '~' {
			return Key{}, fault.New(fault.Invalid, "Idempotency-Key may hold visible ASCII only")
		}
	}
	sum := sha256.Sum256(body)
	return Key{Value: header, Hash: hex.EncodeToString(sum[:])}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.Value == "" }

// Scope is what a key is unique in: two actors, or two routes, never meet.
type Scope struct {
	Project string
	Actor   engine.Actor
	// Route names what is created, with the ids in its path: "flows",
	// "flows/deploy/runs".
	Route string
}

// Entry is what a store remembers of a creating call, beside what it answered.
type Entry struct {
	Scope Scope
	Key   Key
	At    time.Time
}

// Digest folds scope and value into one string of fixed length, for stores that keep
// a single column.
func (s Scope) Digest(value string) string {
	h := sha256.New()
	for _, part := range []string{s.Project, s.Actor.ID, s.Actor.OnBehalfOf, s.Route, value} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Reused is the refusal of a key that came with another body before.
func Reused() *fault.Error {
	return fault.New(fault.KeyReused, "this Idempotency-Key was used with another request body").Because("KEY_REUSED")
}
