package wasm

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// jsonDepthMax bounds the nesting of JSON that a plugin writes.
const jsonDepthMax = 64

// errJSON is the sentinel of what checkJSON refuses.
var errJSON = errors.New("not acceptable JSON")

// checkJSON reports why b is not one JSON value that every reader understands the
// same way: RFC 8259 to the letter, no member twice in an object, no lone
// surrogates, valid UTF-8, at most jsonDepthMax levels.
func checkJSON(b []byte) error {
	s := jsonScanner{b: b}
	s.space()
	s.value(0)
	s.space()
	if s.err == nil && s.pos != len(b) {
		s.fail("text behind the value")
	}
	return s.err
}

// jsonScanner walks JSON text. The first error sticks.
type jsonScanner struct {
	b   []byte
	pos int
	err error
}

func (s *jsonScanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %s at byte %d", errJSON, what, s.pos)
	}
}

// peek returns the next byte, 0 at the end or after an error.
func (s *jsonScanner) peek() byte {
	if s.err != nil || s.pos >= len(s.b) {
		return 0
	}
	return s.b[s.pos]
}

func (s *jsonScanner) space() {
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
func (s *jsonScanner) value(depth int) {
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
func (s *jsonScanner) enter(depth int) {
	if depth >= jsonDepthMax {
		s.fail(fmt.Sprintf("more than %d levels", jsonDepthMax))
	}
	s.pos++
}

func (s *jsonScanner) object(depth int) {
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
func (s *jsonScanner) unique(seen map[string]struct{}, from int) {
	if s.err != nil {
		return
	}
	var name string
	if err := json.Unmarshal(s.b[from:s.pos], &name); err != nil {
		s.fail("malformed name")
		return
	}
	if _, twice := seen[name]; twice {
		s.fail("member " + clean(name, 40) + " occurs twice")
	}
	seen[name] = struct{}{}
}

func (s *jsonScanner) array(depth int) {
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

func (s *jsonScanner) expect(c byte) {
	if s.peek() != c {
		s.fail("expected " + string(rune(c)))
		return
	}
	s.pos++
}

func (s *jsonScanner) word(w string) {
	if len(s.b)-s.pos < len(w) || string(s.b[s.pos:s.pos+len(w)]) != w {
		s.fail("unexpected character")
		return
	}
	s.pos += len(w)
}

// text reads a string.
func (s *jsonScanner) text() {
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
func (s *jsonScanner) escape() {
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

func (s *jsonScanner) hex4() (v uint32) {
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

func (s *jsonScanner) number() {
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

func (s *jsonScanner) digits() {
	from := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	if s.pos == from {
		s.fail("malformed number")
	}
}
