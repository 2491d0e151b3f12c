package binary

import "fmt"

// Kind says why a module was refused.
type Kind int

// The kinds of refusal.
const (
	// Malformed means that the bytes are not a module of the supported format.
	Malformed Kind = iota + 1
	// OverLimit means that a well-formed module is larger than a limit allows.
	OverLimit
)

// Error is a refusal of a module. Offset is the position in the module at which
// it was noticed, or -1 where it concerns the module as a whole.
type Error struct {
	Kind   Kind
	Offset int
	Text   string
}

// Error returns the text with the offset.
func (e *Error) Error() string {
	if e.Offset < 0 {
		return e.Text
	}
	return fmt.Sprintf("%s (at byte %d)", e.Text, e.Offset)
}

func malformed(offset int, format string, args ...any) *Error {
	return &Error{Kind: Malformed, Offset: offset, Text: fmt.Sprintf(format, args...)}
}

func overLimit(what string, got, limit uint64) *Error {
	return &Error{Kind: OverLimit, Offset: -1, Text: fmt.Sprintf("%s: %d, the limit is %d", what, got, limit)}
}
