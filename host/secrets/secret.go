// Package secrets keeps the credentials of outside systems: sealed at rest, readable
// by the gateway only, and masked wherever a value could be printed by accident.
package secrets

import (
	"fmt"
	"io"
	"log/slog"
)

// Mask stands for a secret wherever one would be shown.
const Mask = "***"

// Secret is a value that shows as Mask in every format, encoding and log. Only Reveal
// gives the value. The zero value is the empty secret. It is immutable.
type Secret struct {
	// A pointer, because fmt prints the content of unexported fields without asking
	// the type, and of a nested pointer only the address.
	v *string
}

// NewSecret makes a secret of a value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal returns the value. The caller must not store, log or return it.
func (s Secret) Reveal() string {
	if s.v == nil {
		return ""
	}
	return *s.v
}

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String returns Mask.
func (Secret) String() string { return Mask }

// GoString returns Mask.
func (Secret) GoString() string { return Mask }

// Format writes Mask for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// MarshalJSON writes Mask as a text.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }

// MarshalText returns Mask.
func (Secret) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// MarshalYAML returns Mask.
func (Secret) MarshalYAML() (any, error) { return Mask, nil }

// LogValue returns Mask.
func (Secret) LogValue() slog.Value { return slog.StringValue(Mask) }
