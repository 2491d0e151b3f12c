package gateway

import (
	"encoding/json"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// scrub takes the values of a credential out of everything that a plugin sees.
func scrub(s *secrets.Scrubber, r contract.GatewayResponse) contract.GatewayResponse {
	if len(r.Headers) > 0 {
		clean := make(map[string]string, len(r.Headers))
		for k, v := range r.Headers {
			clean[k] = s.Text(v)
		}
		r.Headers = clean
	}
	r.Text = s.Text(r.Text)
	if r.Failure != nil {
		f := *r.Failure
		f.Message = s.Text(f.Message)
		r.Failure = &f
	}
	if len(r.Body) > 0 {
		if clean := s.JSON(r.Body); json.Valid(clean) {
			r.Body = clean
		} else {
			r.Body, r.Text = nil, string(clean)
		}
	}
	return r
}
