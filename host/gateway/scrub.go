package gateway

import (
	"bytes"
	"encoding/json"

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
	if len(r.Headers) > 0 {
		clean := make(map[string]string, len(r.Headers))
		for k, v := range r.Headers {
			clean[k] = text(v)
		}
		r.Headers = clean
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
		echoed = echoed || bytes.Count(clean, []byte(secrets.Mask)) > bytes.Count(r.Body, []byte(secrets.Mask))
		switch {
		case bytes.Equal(clean, r.Body): // nearly always; it was valid before
		case json.Valid(clean):
			r.Body = clean
		default:
			r.Body, r.Text = nil, string(clean)
		}
	}
	return r, echoed
}

// Scrub puts secrets.Mask in the place of every secret in a JSON value, in the encodings
// in which a system may reflect one. What is no JSON without it becomes a text.
func Scrub(raw json.RawMessage, values []secrets.Secret) json.RawMessage {
	if len(values) == 0 {
		return raw
	}
	plain := make([]string, len(values))
	for i, v := range values {
		plain[i] = v.Reveal()
	}
	clean := secrets.NewScrubber().With(plain...).JSON(raw)
	if !json.Valid(clean) {
		return marshalText(string(clean))
	}
	return clean
}
