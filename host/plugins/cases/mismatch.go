package cases

import (
	"fmt"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/pdk/contract"
)

// Mismatch is one thing that was not as expected. Its text, also in JSON, is an English
// sentence; other languages make their own of the fields.
type Mismatch struct {
	// Code is stable, and Args are what the sentence names, "a", "b" and so on.
	Code    string
	Args    map[string]string
	Message string
	// Failure is what came in the place of what was expected, nil where nothing did. Why is
	// the reason of one that the host makes itself, with its code.
	Failure *contract.Failure
	Why     *document.Problem
	// Exchange is the call of the gateway that differs, from 1, of the operation Of; 0 for
	// what is not in one.
	Exchange int
	Of       string
	// Call is the call of the plugin, from 1, for Reason; 0 where the case has one only.
	Call   int
	Reason contract.Reason
}

// String is the sentence.
func (m Mismatch) String() string {
	said := m.Message
	if m.Exchange > 0 {
		said = fmt.Sprintf("call %d of the gateway (%s) %s", m.Exchange, m.Of, said)
	}
	if m.Call > 0 {
		said = fmt.Sprintf("call %d (%s): %s", m.Call, m.Reason, said)
	}
	return said
}

// MarshalText writes the sentence.
func (m Mismatch) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// mismatch makes one; args are those of the sentence and, named a, b and so on, of the code.
func mismatch(code, format string, args ...any) Mismatch {
	p := document.Coded(code, format, args...)
	return Mismatch{Code: p.Code, Args: p.Args, Message: p.Message}
}

// because adds the failure that came instead, and why the host made it, if it did.
func (m Mismatch) because(format string, f *contract.Failure, why *document.Problem) Mismatch {
	m.Message += fmt.Sprintf(format, f)
	m.Failure, m.Why = f, why
	return m
}
