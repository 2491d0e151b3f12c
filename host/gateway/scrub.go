package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// minRunBytes is the shortest encoding that is looked for inside another text: below
// it, ordinary text would be hit.
const minRunBytes = 6

// scrubber takes secrets out of what comes back, in the encodings in which a system may
// reflect them. A nil scrubber changes nothing.
type scrubber struct {
	values []string
	// hit is set when one was found.
	hit bool
}

// newScrubber looks for texts.
func newScrubber(values ...string) *scrubber {
	seen := map[string]bool{}
	s := &scrubber{}
	for _, v := range values {
		for _, e := range encodings(v) {
			if len(e) >= minRunBytes && !seen[e] {
				seen[e] = true
				s.values = append(s.values, e)
			}
		}
	}
	// Longer ones first: one secret may be a part of another.
	slices.SortStableFunc(s.values, func(a, b string) int { return len(b) - len(a) })
	return s
}

// text scrubs a text. Nearly always there is nothing in it: then it costs a search for
// each value and no more.
func (s *scrubber) text(in string) string {
	var pairs []string
	for _, v := range s.values {
		if strings.Contains(in, v) {
			pairs = append(pairs, v, secrets.Mask)
		}
	}
	if pairs == nil {
		return in
	}
	s.hit = true
	return strings.NewReplacer(pairs...).Replace(in)
}

// Scrub puts secrets.Mask in the place of every secret in a JSON value, in the encodings
// in which a system may reflect one. A value that is none without it becomes a text.
func Scrub(raw json.RawMessage, values []secrets.Secret) json.RawMessage {
	if len(values) == 0 {
		return raw
	}
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = v.Reveal()
	}
	clean, text := newScrubber(plain...).json(raw, "")
	if clean == nil {
		return marshalText(text)
	}
	return clean
}

// encodings lists the ways in which a value may come back.
func encodings(v string) []string {
	js, _ := json.Marshal(v) // a string always marshals
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	inner := func(b []byte) string { return strings.Trim(strings.TrimSpace(string(b)), `"`) }
	slashes := func(s string) string { return strings.ReplaceAll(s, "/", `\/`) }
	out := []string{
		v, inner(js), inner(plain.Bytes()), slashes(inner(js)), slashes(inner(plain.Bytes())),
		url.QueryEscape(v), url.PathEscape(v), lowerEscapes(url.QueryEscape(v)), lowerEscapes(url.PathEscape(v)),
		strings.ReplaceAll(url.QueryEscape(v), "+", "%20"),
		html.EscapeString(v),
		hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v))),
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			out = append(out, aligned(enc, v, shift))
		}
	}
	return out
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

// response scrubs everything that a plugin sees.
func (s *scrubber) response(r contract.GatewayResponse) contract.GatewayResponse {
	if s == nil {
		return r
	}
	if len(r.Headers) > 0 {
		clean := make(map[string]string, len(r.Headers))
		for k, v := range r.Headers {
			clean[k] = s.text(v)
		}
		r.Headers = clean
	}
	r.Text = s.text(r.Text)
	if r.Failure != nil {
		f := *r.Failure
		f.Message = s.text(f.Message)
		r.Failure = &f
	}
	if len(r.Body) > 0 {
		r.Body, r.Text = s.json(r.Body, r.Text)
	}
	return r
}

// json scrubs a JSON body. One with escapes is written anew first, because any
// character of a secret may be escaped. A secret that was a number leaves no JSON
// behind: then the body is text.
func (s *scrubber) json(body json.RawMessage, text string) (json.RawMessage, string) {
	if bytes.IndexByte(body, '\\') >= 0 {
		body = s.unescaped(body)
	}
	clean := s.text(string(body))
	if !json.Valid([]byte(clean)) {
		return nil, clean
	}
	return json.RawMessage(clean), text
}

// unescaped scrubs every text of a JSON value after decoding it.
func (s *scrubber) unescaped(body json.RawMessage) json.RawMessage {
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

func (s *scrubber) walk(v any) any {
	switch x := v.(type) {
	case string:
		return s.text(x)
	case []any:
		for i := range x {
			x[i] = s.walk(x[i])
		}
		return x
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			out[s.text(k)] = s.walk(item)
		}
		return out
	default:
		return v
	}
}
