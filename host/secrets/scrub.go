package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// minRunBytes is the shortest encoding that is looked for inside another text: below
// it, ordinary text would be hit.
const minRunBytes = 6

// minKeyLineBytes is the shortest line of a private key that is looked for by itself.
const minKeyLineBytes = 16

// Scrubber takes secrets out of texts and of JSON, in the encodings in which a system
// may reflect them. A nil Scrubber changes nothing. It is safe for concurrent use.
type Scrubber struct {
	values []string
	pieces *pieces
}

// NewScrubber looks for the secrets of credentials, and for those of basic also for the
// pair that is sent.
func NewScrubber(cs ...*Credential) *Scrubber {
	s := &Scrubber{}
	if len(cs) > 0 {
		s.pieces = &pieces{}
	}
	for _, c := range cs {
		plain := c.Secret.Reveal()
		s.pieces.add(plain)
		s.add(plain)
		s.addKey(c.PrivateKey.Reveal())
		if c.Kind == KindBasic {
			s.add(c.Username + ":" + plain)
		}
	}
	return s
}

// With returns a scrubber that looks for further values, too. Those shorter than
// MinSecretBytes are left out: they could not be told from ordinary text.
func (s *Scrubber) With(values ...string) *Scrubber {
	more := &Scrubber{}
	if s != nil {
		more.values = append(more.values, s.values...)
		more.pieces = s.pieces
	}
	for _, v := range values {
		if len(v) >= MinSecretBytes {
			more.add(v)
		}
	}
	return more
}

// addKey looks for a private key, and for each of its lines: a system that reflects one
// breaks it up in its own way.
func (s *Scrubber) addKey(key string) {
	if key == "" {
		return
	}
	s.add(key)
	for line := range strings.Lines(key) {
		if line = strings.TrimSpace(line); len(line) >= minKeyLineBytes && !strings.HasPrefix(line, "-----") {
			s.add(line)
		}
	}
}

func (s *Scrubber) add(value string) {
	for _, e := range encodings(value) {
		if len(e) >= minRunBytes && !slices.Contains(s.values, e) {
			s.values = append(s.values, e)
		}
	}
	// Longer ones first: one secret may be a part of another.
	slices.SortStableFunc(s.values, func(a, b string) int { return len(b) - len(a) })
}

// Text scrubs a text. Nearly always there is nothing in it: then it costs a search for
// each value and no more.
func (s *Scrubber) Text(in string) string {
	if s == nil {
		return in
	}
	var pairs []string
	for _, v := range s.values {
		if strings.Contains(in, v) {
			pairs = append(pairs, v, Mask)
		}
	}
	if pairs != nil {
		in = strings.NewReplacer(pairs...).Replace(in)
	}
	return s.pieces.text(in)
}

// encodings lists the ways in which a value may come back.
func encodings(v string) []string {
	out := make([]string, 0, 21)
	out = append(out, v)
	if !isUnreserved(v) {
		out = append(out, escapes(v)...)
	}
	lower := hex.EncodeToString([]byte(v))
	out = append(out, lower, strings.ToUpper(lower))
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			out = append(out, aligned(enc, v, shift))
		}
	}
	return out
}

// isUnreserved reports whether every way of escaping a value leaves it as it is, as it does
// with nearly every token.
func isUnreserved(v string) bool {
	for i := range len(v) {
		c := v[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' && c != '~' {
			return false
		}
	}
	return true
}

// escapes lists a value as JSON, URLs and HTML write it.
func escapes(v string) []string {
	js, _ := json.Marshal(v) // a string always marshals
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	inner := func(b []byte) string { return strings.Trim(strings.TrimSpace(string(b)), `"`) }
	slashes := func(s string) string { return strings.ReplaceAll(s, "/", `\/`) }
	return []string{
		inner(js), inner(plain.Bytes()), slashes(inner(js)), slashes(inner(plain.Bytes())),
		url.QueryEscape(v), url.PathEscape(v), lowerEscapes(url.QueryEscape(v)), lowerEscapes(url.PathEscape(v)),
		strings.ReplaceAll(url.QueryEscape(v), "+", "%20"),
		html.EscapeString(v),
	}
}

// aligned is the part of a base64 text that a value decides alone when it starts shift
// bytes into a group of three: what stands before and after it does not show in it.
func aligned(enc *base64.Encoding, v string, shift int) string {
	text := enc.EncodeToString(append(make([]byte, shift), v...))
	first := []int{0, 2, 3}[shift]
	last := len(text)
	if (shift+len(v))%3 != 0 {
		last-- // the last character also holds bits of what follows
	}
	if first >= last {
		return ""
	}
	return text[first:last]
}

// lowerEscapes writes the hex digits of percent escapes in lower case.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// JSON scrubs a JSON value. One with escapes is written anew first, because any
// character of a secret may be escaped. A secret that was a number leaves no JSON
// behind: what is left is a text then.
func (s *Scrubber) JSON(value []byte) []byte {
	if s == nil {
		return value
	}
	if bytes.IndexByte(value, '\\') >= 0 {
		value = s.unescaped(value)
	}
	in := string(value)
	out := s.Text(in)
	if out == in {
		return value
	}
	return []byte(out)
}

// Any scrubs a text that may be JSON, or hold JSON in its texts. One in which there is
// nothing stays as it is to the byte.
func (s *Scrubber) Any(in string) string {
	if s == nil {
		return in
	}
	if strings.IndexByte(in, '\\') >= 0 && json.Valid([]byte(in)) {
		clean := s.unescaped([]byte(in))
		if bytes.Equal(clean, (&Scrubber{}).unescaped([]byte(in))) {
			return s.Text(in)
		}
		return s.Text(string(clean))
	}
	return s.Text(in)
}

// unescaped scrubs every text of a JSON value after decoding it.
func (s *Scrubber) unescaped(body []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return body
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s.walk(v)); err != nil {
		return body
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (s *Scrubber) walk(v any) any {
	switch x := v.(type) {
	case string:
		if strings.IndexByte(x, '\\') >= 0 && strings.IndexAny(x, `{["`) == 0 {
			return s.Any(x) // JSON in a text
		}
		return s.Text(x)
	case []any:
		for i := range x {
			x[i] = s.walk(x[i])
		}
		return x
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			out[s.Text(k)] = s.walk(item)
		}
		return out
	default:
		return v
	}
}
