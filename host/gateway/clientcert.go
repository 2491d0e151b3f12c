package gateway

import (
	"crypto/tls"
	"errors"

	"github.com/culmhq/culm/host/secrets"
)

// certifiedKey names the version of a credential, and what it is used over.
type certifiedKey struct {
	id   string
	base *line
}

var errCertificate = errors.New("gateway: the client certificate cannot be used")

// via returns base with the client certificate of a credential, which may be nil.
func (t *transport) via(base *line, cred *secrets.Credential) (*line, error) {
	if cred == nil || cred.Certificate == "" {
		return base, nil
	}
	return t.certified.get(certifiedKey{cred.ID, base}, base, func(c *line) error {
		pair, err := tls.X509KeyPair([]byte(cred.Certificate), []byte(cred.PrivateKey.Reveal()))
		if err != nil {
			return errCertificate // the cause may quote it
		}
		c.tls.Certificates = []tls.Certificate{pair}
		return nil
	})
}

// close drops the idle connections.
func (t *transport) close() {
	t.line.idle.closeAll()
	t.trusting.closeIdle()
	t.certified.closeIdle()
}
