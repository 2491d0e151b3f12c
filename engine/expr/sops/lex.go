package sops

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a word of Python.
type token struct {
	kind  tokenKind
	text  string // of names and operators
	value any    // of numbers and strings
	at    int
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenNumber
	tokenString
	tokenOp
)

// sourceError is what is wrong with a source, and where. The translation reports it as a
// Problem; it is never a Go error.
type sourceError struct {
	at     int
	reason string
}

func errAt(at int, format string, args ...any) *sourceError {
	return &sourceError{at: at, reason: fmt.Sprintf(format, args...)}
}

// lex cuts a source into tokens.
func lex(src string) ([]token, *sourceError) {
	var out []token
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRuneInString(src[i:])
		if unicode.IsSpace(r) {
			i += size
			continue
		}
		t, end, err := lexToken(src, i, r)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		i = end
	}
	return append(out, token{kind: tokenEnd, at: len(src)}), nil
}

// lexToken reads the token that begins at i with r, and returns where it ends.
func lexToken(src string, i int, r rune) (token, int, *sourceError) {
	switch {
	case r == '\'' || r == '"':
		s, end, err := lexString(src, i, false)
		return token{kind: tokenString, value: s, at: i}, end, err
	case isDigit(byte(min(r, 0x7f))) || r == '.' && i+1 < len(src) && isDigit(src[i+1]):
		return lexNumber(src, i)
	case r == '_' || unicode.IsLetter(r):
		return lexWord(src, i)
	}
	op := lexOp(src[i:])
	if op == "" {
		return token{}, 0, errAt(i, "%q is not part of an expression", r)
	}
	return token{kind: tokenOp, text: op, at: i}, i + len(op), nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func lexOp(s string) string {
	for _, op := range []string{"**", "//", "==", "!=", "<=", ">="} {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	if strings.IndexByte("+-*/%<>()[],.:|=", s[0]) >= 0 {
		return s[:1]
	}
	return ""
}

// lexWord reads a name, or a string with a prefix: r"..." and u"...".
func lexWord(src string, at int) (token, int, *sourceError) {
	i := at
	for i < len(src) {
		r, size := utf8.DecodeRuneInString(src[i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i += size
	}
	word := src[at:i]
	if i < len(src) && (src[i] == '"' || src[i] == '\'') {
		switch strings.ToLower(word) {
		case "r", "u":
			s, end, err := lexString(src, i, strings.EqualFold(word, "r"))
			return token{kind: tokenString, value: s, at: at}, end, err
		case "b", "br", "rb", "f", "fr", "rf":
			return token{}, 0, errAt(at, "%s strings are not supported", word)
		}
	}
	return token{kind: tokenName, text: word, at: at}, i, nil
}

func lexNumber(src string, at int) (token, int, *sourceError) {
	i := at
	for i < len(src) && inNumber(src, at, i) {
		i++
	}
	text := strings.ReplaceAll(src[at:i], "_", "")
	if v, ok := numberValue(text); ok {
		return token{kind: tokenNumber, value: v, at: at}, i, nil
	}
	return token{}, 0, errAt(at, "%s is not a number that can be translated", text)
}

// inNumber reports whether the byte at i belongs to the number that begins at at.
func inNumber(src string, at, i int) bool {
	if isAlnum(src[i]) || src[i] == '.' || src[i] == '_' {
		return true
	}
	sign := src[i] == '+' || src[i] == '-'
	return sign && i > at && (src[i-1] == 'e' || src[i-1] == 'E') && !strings.HasPrefix(src[at:], "0x")
}

func numberValue(text string) (any, bool) {
	decimal := text == "0" || text[0] != '0'
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && decimal {
		return n, true
	}
	if len(text) > 2 && text[0] == '0' && isLetterByte(text[1]) {
		n, err := strconv.ParseInt(strings.ToLower(text), 0, 64)
		return n, err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && strings.ContainsAny(text, ".eE") && !strings.ContainsAny(text, "xXpP")
}

func isAlnum(c byte) bool { return isLetterByte(c) || isDigit(c) }

func isLetterByte(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// lexString reads a string that begins with its quote at i.
func lexString(src string, i int, raw bool) (string, int, *sourceError) {
	at := i
	quote := src[i : i+1]
	if strings.HasPrefix(src[i:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	var b strings.Builder
	for i += len(quote); i < len(src); {
		switch {
		case strings.HasPrefix(src[i:], quote):
			if !utf8.ValidString(b.String()) {
				return "", 0, errAt(at, "the string is not valid UTF-8")
			}
			return b.String(), i + len(quote), nil
		case src[i] == '\n' && len(quote) == 1:
			return "", 0, errAt(at, "the string is not closed")
		case src[i] == '\\' && raw && i+1 < len(src):
			b.WriteString(src[i : i+2])
			i += 2
		case src[i] == '\\':
			n, err := unescape(&b, src[i:])
			if err != nil {
				err.at += i
				return "", 0, err
			}
			i += n
		default:
			b.WriteByte(src[i])
			i++
		}
	}
	return "", 0, errAt(at, "the string is not closed")
}

// unescape writes what an escape at the beginning of s stands for, and returns its
// length. An unknown escape stands for itself.
func unescape(b *strings.Builder, s string) (int, *sourceError) {
	if len(s) < 2 {
		return 0, errAt(0, "the string is not closed")
	}
	const from, to = `abfnrtv\'"`, "\a\b\f\n\r\t\v\\'\""
	if at := strings.IndexByte(from, s[1]); at >= 0 {
		b.WriteByte(to[at])
		return 2, nil
	}
	width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	switch {
	case s[1] == '\n':
		return 2, nil
	case width > 0:
		if len(s) < 2+width {
			return 0, errAt(0, "the escape %s is cut off", s)
		}
		n, err := strconv.ParseUint(s[2:2+width], 16, 32)
		if err != nil || !utf8.ValidRune(rune(n)) {
			return 0, errAt(0, "%s is not an escape", s[:2+width])
		}
		b.WriteRune(rune(n))
		return 2 + width, nil
	case '0' <= s[1] && s[1] <= '7' || s[1] == 'N':
		return 0, errAt(0, "the escape %s is not supported", s[:2])
	}
	b.WriteString(s[:2])
	return 2, nil
}
