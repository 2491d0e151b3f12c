package gateway

import (
	"bytes"
	"encoding/json"
	"maps"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// scrub takes secrets out of everything that a plugin sees, and tells whether there was
// one.
func scrub(s *secrets.Scrubber, r contract.GatewayResponse) (clean contract.GatewayResponse, echoed bool) {
	text := func(in string) string {
		out := s.Text(in)
		echoed = echoed || out != in
		return out
	}
	own := false
	for k, v := range r.Headers {
		clean := text(v)
		if clean == v { // nearly always
			continue
		}
		if !own {
			own, r.Headers = true, maps.Clone(r.Headers)
		}
		r.Headers[k] = clean
	}
	r.Text = text(r.Text)
	r.RequestID = text(r.RequestID)
	if r.Failure != nil {
		f := *r.Failure
		f.Message, f.RequestID = text(f.Message), text(f.RequestID)
		r.Failure = &f
	}
	if len(r.Body) > 0 {
		clean := s.JSON(r.Body)
		if bytes.Equal(clean, r.Body) { // nearly always; it was valid before
			return r, echoed
		}
		echoed = echoed || bytes.Count(clean, []byte(secrets.Mask)) > bytes.Count(r.Body, []byte(secrets.Mask))
		if json.Valid(clean) {
			r.Body = clean
		} else {
			r.Body, r.Text = nil, string(clean)
		}
	}
	return r, echoed
}

// Scrub puts secrets.Mask in the place of every secret in a JSON value, in the encodings
// in which a system may reflect one: those that s looks for, which may be nil, and the
// values. What is no JSON without it becomes a text.
func Scrub(raw json.RawMessage, s *secrets.Scrubber, values []secrets.Secret) json.RawMessage {
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = v.Reveal()
	}
	clean := s.With(plain...).JSON(raw)
	if !json.Valid(clean) {
		return marshalText(string(clean))
	}
	return clean
}
