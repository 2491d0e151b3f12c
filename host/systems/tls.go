package systems

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"
)

// TLS says how the certificate of a system is verified, beyond the default: that it is
// for the host of the base URL and signed by an authority that the machine knows. That it
// is verified cannot be turned off.
type TLS struct {
	// CA holds the certificates, in PEM, of the authorities that may sign the system's;
	// those of the machine then count no more.
	CA string `json:"ca,omitempty"`
	// ServerName is the name that the certificate must be for, where it is not the host of
	// the base URL.
	ServerName string `json:"server_name,omitempty"`
}

// maxCABytes bounds the certificates of authorities.
const maxCABytes = 256 << 10

// Roots returns the authorities, or nil where the machine's count.
func (t TLS) Roots() (*x509.CertPool, error) {
	if t.CA == "" {
		return nil, nil //nolint:nilnil // as crypto/tls has it: nil stands for the machine's
	}
	if len(t.CA) > maxCABytes {
		return nil, flawed(CodeTooLong, "must not be larger than %d bytes", maxCABytes)
	}
	pool, found := x509.NewCertPool(), 0
	for rest := []byte(t.CA); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if found == 0 || strings.TrimSpace(string(rest)) != "" {
				return nil, flawed(CodeCertificates, "must be certificates in PEM, and nothing else")
			}
			return pool, nil
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, flawed(CodeCertificates, "holds something else than certificates")
		}
		pool.AddCert(cert)
		found++
	}
}

// TokenTLS says how the certificate of the token server is verified: by the authorities of the
// system, under the name of its own host, or of the system's where the two are one.
func (s *System) TokenTLS() TLS {
	out := s.TLS
	base, err := url.Parse(s.BaseURL)
	if tokens, bad := url.Parse(s.Auth.TokenURL); err != nil || bad != nil || !strings.EqualFold(base.Host, tokens.Host) {
		out.ServerName = ""
	}
	return out
}

func (t TLS) validate(c check, s *System) {
	if t == (TLS{}) {
		return
	}
	encrypted := func(u string) bool { return strings.HasPrefix(strings.ToLower(u), "https:") }
	c.that(encrypted(s.BaseURL) || t.ServerName == "" && s.Auth.Type == AuthOAuth2 && encrypted(s.Auth.TokenURL), CodeOnlyHTTPS, "is only for a base URL that starts with https://")
	if _, err := t.Roots(); err != nil {
		c.in("ca").broken(err)
	}
	if t.ServerName != "" {
		if err := validHost(t.ServerName, false); err != nil {
			c.in("server_name").broken(err)
		}
	}
}
