package engine

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/culmhq/culm/pdk/contract"
)

// What comes from outside is cleaned before it gets into a record, so that a record
// that is written and read back is the same record: JSON without white space, not too
// deep, text that is UTF-8, instants that JSON can hold.

// cleanJSON returns raw without white space, or false when it is not JSON that a
// record can hold.
func cleanJSON(raw json.RawMessage) (json.RawMessage, bool) {
	deepest, spaces := scanJSON(raw)
	if deepest > jsonDepthMax || !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, false
	}
	if spaces {
		raw = compactJSON(raw)
	}
	return raw, true
}

// scanJSON tells how deep a value nests, and whether it holds white space outside of
// strings.
func scanJSON(raw json.RawMessage) (deepest int, spaces bool) {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = quoteEnd(raw, i+1)
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case ' ', '\n', '\t', '\r':
			spaces = true
		}
	}
	return deepest, spaces
}

// quoteEnd returns the index of the quote that ends a string, or the length.
func quoteEnd(raw json.RawMessage, i int) int {
	for ; i < len(raw) && raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i
}

// cleanObject is cleanJSON for a JSON object.
func cleanObject(raw json.RawMessage) (json.RawMessage, bool) {
	raw, ok := cleanJSON(raw)
	return raw, ok && raw[0] == '{'
}

// compactJSON is valid JSON without white space.
func compactJSON(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	b.Grow(len(raw))
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// cleanText is text that is UTF-8.
func cleanText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// cleanFailure is a failure that a record can hold.
func cleanFailure(f *contract.Failure) *contract.Failure {
	c := *f
	for _, s := range []*string{&c.Code, &c.Message, (*string)(&c.Origin), &c.System, &c.Operation, &c.RequestID, (*string)(&c.Hint)} {
		*s = cleanText(*s)
	}
	c.Detail, _ = cleanJSON(f.Detail)
	return &c
}

// cleanWait is a wait that a record can hold.
func cleanWait(w *contract.Wait) *contract.Wait {
	c := *w
	c.Prompt = contract.Text{En: cleanText(w.Prompt.En), Zh: cleanText(w.Prompt.Zh)}
	if c.Prompt.En == "" || c.Prompt.Zh == "" {
		c.Prompt = contract.T(c.Prompt.In("en")) // as it is read back
	}
	if w.At != nil {
		c.At = ptr(cleanTime(*w.At))
	}
	c.Schema, _ = cleanJSON(w.Schema)
	return &c
}

func cleanTime(at time.Time) time.Time { return at.UTC().Round(0) }

// lines are log lines that a record can hold: a time that JSON cannot is that of the
// event.
func (t *step) lines(log []contract.LogLine) []contract.LogLine {
	if len(log) == 0 {
		return nil
	}
	log = slices.Clone(log)
	for i := range log {
		l := &log[i]
		l.At, l.Level, l.Text = cleanTime(l.At), contract.Level(cleanText(string(l.Level))), cleanText(l.Text)
		if year := l.At.Year(); year < 1 || year > 9999 {
			l.At = t.m.At
		}
	}
	return log
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
