package systems

import "regexp"

// Callbacks says how a system proves that a callback is its own, besides the token in the
// URL. The zero value asks for the token alone.
type Callbacks struct {
	// Signature asks for an HMAC-SHA256 of each callback; see docs/callbacks.md.
	Signature *CallbackSignature `json:"signature,omitempty"`
}

// CallbackSignature is how a system signs its callbacks.
type CallbackSignature struct {
	// Secret names the secret of the project that both sides know.
	Secret string `json:"secret"`
	// Header, TimestampHeader and NonceHeader carry the signature in hex, the seconds since
	// 1970 and a text that is used once; empty means X-Culm-Signature, X-Culm-Timestamp and
	// X-Culm-Nonce.
	Header          string `json:"header,omitempty"`
	TimestampHeader string `json:"timestamp_header,omitempty"`
	NonceHeader     string `json:"nonce_header,omitempty"`
}

// WithDefaults returns the signature with the names that it leaves out.
func (s CallbackSignature) WithDefaults() CallbackSignature {
	for _, h := range []struct {
		name *string
		is   string
	}{{&s.Header, "X-Culm-Signature"}, {&s.TimestampHeader, "X-Culm-Timestamp"}, {&s.NonceHeader, "X-Culm-Nonce"}} {
		if *h.name == "" {
			*h.name = h.is
		}
	}
	return s
}

// secretName is what the name of a project's secret may be.
var secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func (b Callbacks) validate(c check) {
	if b.Signature == nil {
		return
	}
	c = c.in("signature")
	s := b.Signature.WithDefaults()
	c.in("secret").that(secretName.MatchString(s.Secret), CodeSecretName, "must be the name of a secret of the project")
	c.in("header").that(headerName.MatchString(s.Header), CodeHeaderName, "must be the name of a header")
	c.in("timestamp_header").that(headerName.MatchString(s.TimestampHeader), CodeHeaderName, "must be the name of a header")
	c.in("nonce_header").that(headerName.MatchString(s.NonceHeader), CodeHeaderName, "must be the name of a header")
}
