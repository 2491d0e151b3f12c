package document

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// syntaxKind is a kind of mistake that the YAML reader reports in a sentence of its own.
type syntaxKind struct {
	// pattern matches the sentence; its group, where it has one, is what the mistake names.
	pattern *regexp.Regexp
	code    string
	// say is the sentence that is told instead.
	say string
	// ofParser says that it comes from the second stage of the reader, whose lines count
	// from 0: the first stage adds the one.
	ofParser bool
}

// syntaxKinds are the mistakes that the reader knows; the first that matches counts. It has
// no codes for them: a test holds each against the library's sentence.
//
//nolint:gochecknoglobals // an immutable list
var syntaxKinds = []syntaxKind{
	{regexp.MustCompile(`^found a tab character`), CodeYAMLTab, "a tab cannot indent: use spaces", false},
	{regexp.MustCompile(`^found character that cannot start any token`), CodeYAMLCharacter, "a value cannot start with this character: put it in quotes", false},
	{regexp.MustCompile(`^mapping values are not allowed in this context`), CodeYAMLColon, "a colon cannot stand here: put the text in quotes, or check the indentation", false},
	{regexp.MustCompile(`^block sequence entries are not allowed in this context`), CodeYAMLList, "an item of a list cannot start on this line", false},
	{regexp.MustCompile(`^could not find expected ':'`), CodeYAMLNoColon, "a colon is missing behind the key", false},
	{regexp.MustCompile(`^did not find expected ',' or '(.)'`), CodeYAMLBracket, "a comma or the closing %s is missing", true},
	{regexp.MustCompile(`^did not find expected (?:key|'-' indicator|<document start>)`), CodeYAMLIndent, "this line, or what follows it, does not fit: check the indentation, the quotes and the brackets", true},
	{regexp.MustCompile(`^did not find expected node content`), CodeYAMLValue, "a value is missing", true},
	{regexp.MustCompile(`^found unexpected (?:end of stream|document indicator)`), CodeYAMLQuotes, "the text in quotes does not end", false},
	{regexp.MustCompile(`^(?:found unknown escape character|found invalid Unicode character escape code|did not find expected hexdecimal number)`), CodeYAMLEscape, "an escape in the quotes does not exist: write a backslash twice", false},
	{regexp.MustCompile(`^(?:did not find expected comment or line break|found an indentation indicator equal to 0)`), CodeYAMLBlock, "only a sign of indentation may follow | or >", false},
	{regexp.MustCompile(`^(?:unknown anchor|did not find expected alphabetic or numeric character)`), CodeAnchor, "anchors and aliases are not allowed", false},
	{regexp.MustCompile(`^(?:found undefined tag handle|did not find (?:expected '!'|the expected '>'|expected tag URI))`), CodeYAMLTag, "tags are not allowed", false},
	{regexp.MustCompile(`^(?:found (?:unknown directive|unexpected non-alphabetical|incompatible YAML|extremely long version|duplicate %)|could not find expected directive|did not find expected (?:digit|version number|whitespace))`), CodeYAMLDirective, "lines that start with %% are not allowed", false},
	{regexp.MustCompile(`^(?:control characters are not allowed|(?:invalid|incomplete|unexpected|expected|found an incorrect) .*(?:UTF-8|UTF-16|Unicode|surrogate|sequence))`), CodeYAMLCharacters, "holds a character that cannot be read: the text must be UTF-8", false},
	{regexp.MustCompile(`^exceeded max depth`), CodeDeep, "nested more than %d deep", false},
}

// linePattern takes the line off a sentence of the reader, which names none for the first.
var linePattern = regexp.MustCompile(`^line (\d+): `)

// syntaxProblem says what is wrong with a text that is no YAML.
func syntaxProblem(data []byte, err error) Problem {
	sentence, line := plain(err), 1
	m := linePattern.FindStringSubmatch(sentence)
	if m != nil {
		sentence = sentence[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
	}
	for _, k := range syntaxKinds {
		names := k.pattern.FindStringSubmatch(sentence)
		if names == nil {
			continue
		}
		p := k.problem(names[1:])
		switch {
		case k.code == CodeYAMLCharacters:
			line = unreadable(data)
		case k.ofParser && m != nil:
			line++
		case strings.HasPrefix(sentence, "unknown anchor"):
			line = 0 // the reader does not say
		}
		p.Line = min(line, lines(data))
		return p
	}
	p := Coded(CodeSyntax, "%s", sentence)
	p.Line = min(line, lines(data))
	return p
}

func (k syntaxKind) problem(names []string) Problem {
	if k.code == CodeDeep {
		return Coded(k.code, k.say, MaxDepth)
	}
	args := make([]any, len(names))
	for i, a := range names {
		args[i] = a
	}
	return Coded(k.code, k.say, args...)
}

// lines counts those of a text: a mistake that is noticed behind the last is told of it.
func lines(data []byte) int {
	return 1 + bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n"))
}

// unreadable is the line, from 1, of the first character that YAML does not allow; 0 where
// it cannot be found, in a text that is not UTF-8.
func unreadable(data []byte) int {
	for at := 0; at < len(data); {
		r, n := utf8.DecodeRune(data[at:])
		control := r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff
		if control || r == utf8.RuneError && n == 1 {
			return 1 + bytes.Count(data[:at], []byte("\n"))
		}
		at += n
	}
	return 0
}

// plain takes the library's prefix off a syntax error, which names its own line.
func plain(err error) string {
	var te *yaml.TypeError
	if errors.As(err, &te) {
		return strings.Join(te.Errors, "; ")
	}
	return strings.TrimPrefix(err.Error(), "yaml: ")
}
