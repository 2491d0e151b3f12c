package gateway

import (
	"crypto/tls"
	"errors"
	"net/http"
	"sync"

	"github.com/culmhq/culm/host/secrets"
)

// maxCertified bounds how many client certificates have connections at once; one more
// closes the idle ones of all.
const maxCertified = 64

// certified are the transports with client certificates, by version of the credential: a
// connection that was opened as one client is never used as another. Safe for concurrent
// use.
type certified struct {
	mu sync.Mutex
	m  map[certifiedKey]*http.Transport
}

// certifiedKey names the version of a credential, and what it is used over.
type certifiedKey struct {
	id   string
	base *http.Transport
}

var errCertificate = errors.New("gateway: the client certificate cannot be used")

// with returns base with the client certificate of a credential.
func (x *certified) with(base *http.Transport, cred *secrets.Credential) (*http.Transport, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t, ok := x.m[certifiedKey{cred.ID, base}]; ok {
		return t, nil
	}
	pair, err := tls.X509KeyPair([]byte(cred.Certificate), []byte(cred.PrivateKey.Reveal()))
	if err != nil {
		return nil, errCertificate // the cause may quote it
	}
	if len(x.m) >= maxCertified {
		x.close()
		x.m = nil
	}
	if x.m == nil {
		x.m = map[certifiedKey]*http.Transport{}
	}
	t := base.Clone()
	t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	x.m[certifiedKey{cred.ID, base}] = t
	return t, nil
}

// closeIdle drops the idle connections.
func (x *certified) closeIdle() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.close()
}

func (x *certified) close() {
	for _, t := range x.m {
		t.CloseIdleConnections()
	}
}

// via returns base with the client certificate of a credential, which may be nil.
func (t *transport) via(base *http.Transport, cred *secrets.Credential) (*http.Transport, error) {
	if cred == nil || cred.Certificate == "" {
		return base, nil
	}
	return t.certified.with(base, cred)
}

// close drops the idle connections.
func (t *transport) close() {
	t.http.CloseIdleConnections()
	t.trusting.closeIdle()
	t.certified.closeIdle()
}
