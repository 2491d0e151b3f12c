// Package strict reads JSON that plugins write, to the letter: what two readers could
// understand in two ways is refused.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// DepthMax bounds the nesting of JSON that a plugin writes, in levels.
const DepthMax = 64

// ErrJSON is what an error of Check wraps.
var ErrJSON = errors.New("not acceptable JSON")

// Check reports why b is not one JSON value that every reader understands the same way:
// RFC 8259 to the letter, no member twice in an object, no lone surrogates, valid UTF-8,
// at most DepthMax levels. Of b the error holds the name of a member at most.
func Check(b []byte) error {
	s := scanner{b: b}
	s.space()
	s.value(0)
	s.space()
	if s.err == nil && s.pos != len(b) {
		s.fail("text behind the value")
	}
	return s.err
}

// Decode decodes a value that Check accepts, without unknown fields.
func Decode(raw []byte, into any) error {
	if err := Check(raw); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// scanner walks JSON text. The first error sticks.
type scanner struct {
	b   []byte
	pos int
	err error
}

func (s *scanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %s at byte %d", ErrJSON, what, s.pos)
	}
}

// peek returns the next byte, 0 at the end or after an error.
func (s *scanner) peek() byte {
	if s.err != nil || s.pos >= len(s.b) {
		return 0
	}
	return s.b[s.pos]
}

func (s *scanner) space() {
	for s.pos < len(s.b) {
		switch s.b[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// value reads one value at the given depth.
func (s *scanner) value(depth int) {
	if s.err != nil {
		return
	}
	if s.pos >= len(s.b) {
		s.fail("unexpected end")
		return
	}
	switch s.peek() {
	case '{':
		s.object(depth)
	case '[':
		s.array(depth)
	case '"':
		s.text()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		s.number()
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		s.fail("unexpected character")
	}
}

// enter goes one level down.
func (s *scanner) enter(depth int) {
	if depth >= DepthMax {
		s.fail(fmt.Sprintf("more than %d levels", DepthMax))
	}
	s.pos++
}

func (s *scanner) object(depth int) {
	s.enter(depth)
	s.space()
	if s.peek() == '}' {
		s.pos++
		return
	}
	seen := map[string]struct{}{}
	for s.err == nil {
		s.space()
		if s.peek() != '"' {
			s.fail("expected the name of a member")
			return
		}
		from := s.pos
		s.text()
		s.unique(seen, from)
		s.space()
		s.expect(':')
		s.space()
		s.value(depth + 1)
		s.space()
		if s.peek() == '}' {
			s.pos++
			return
		}
		s.expect(',')
	}
}

// unique refuses a member name that was seen before; names are compared decoded.
func (s *scanner) unique(seen map[string]struct{}, from int) {
	if s.err != nil {
		return
	}
	var name string
	if err := json.Unmarshal(s.b[from:s.pos], &name); err != nil {
		s.fail("malformed name")
		return
	}
	if _, twice := seen[name]; twice {
		s.fail(fmt.Sprintf("member %.40q occurs twice", name))
	}
	seen[name] = struct{}{}
}

func (s *scanner) array(depth int) {
	s.enter(depth)
	s.space()
	if s.peek() == ']' {
		s.pos++
		return
	}
	for s.err == nil {
		s.space()
		s.value(depth + 1)
		s.space()
		if s.peek() == ']' {
			s.pos++
			return
		}
		s.expect(',')
	}
}

func (s *scanner) expect(c byte) {
	if s.peek() != c {
		s.fail("expected " + string(rune(c)))
		return
	}
	s.pos++
}

func (s *scanner) word(w string) {
	if len(s.b)-s.pos < len(w) || string(s.b[s.pos:s.pos+len(w)]) != w {
		s.fail("unexpected character")
		return
	}
	s.pos += len(w)
}

// text reads a string.
func (s *scanner) text() {
	s.pos++
	for s.err == nil {
		switch c := s.peek(); {
		case s.pos >= len(s.b):
			s.fail("unexpected end")
		case c == '"':
			s.pos++
			return
		case c < 0x20:
			s.fail("control character in a string")
		case c == '\\':
			s.escape()
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, n := utf8.DecodeRune(s.b[s.pos:])
			if r == utf8.RuneError && n == 1 {
				s.fail("not UTF-8")
			}
			s.pos += n
		}
	}
}

// escape reads an escape sequence, a surrogate pair as one.
func (s *scanner) escape() {
	s.pos++
	c := s.peek()
	s.pos++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		r := s.hex4()
		if r >= 0xdc00 && r <= 0xdfff {
			s.fail("lone surrogate")
		}
		if r >= 0xd800 && r <= 0xdbff {
			if s.peek() != '\\' || s.pos+1 >= len(s.b) || s.b[s.pos+1] != 'u' {
				s.fail("lone surrogate")
				return
			}
			s.pos += 2
			if low := s.hex4(); low < 0xdc00 || low > 0xdfff {
				s.fail("lone surrogate")
			}
		}
	default:
		s.fail("unknown escape")
	}
}

func (s *scanner) hex4() (v uint32) {
	for range 4 {
		c := s.peek()
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | uint32(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | uint32(c|0x20-'a'+10)
		default:
			s.fail("malformed escape")
			return 0
		}
		s.pos++
	}
	return v
}

func (s *scanner) number() {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else {
		s.digits()
	}
	if s.peek() == '.' {
		s.pos++
		s.digits()
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		s.digits()
	}
}

func (s *scanner) digits() {
	from := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	if s.pos == from {
		s.fail("malformed number")
	}
}
