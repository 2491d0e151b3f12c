package gateway

import (
	"crypto/tls"
	"errors"
	"net/http"
	"sync"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
)

// maxCertified bounds how many client certificates have connections at once; one more
// closes the idle ones of all.
const maxCertified = 64

// certified are the transports with client certificates, by version of the credential: a
// connection that was opened as one client is never used as another. Safe for concurrent
// use.
type certified struct {
	mu sync.Mutex
	m  map[string]*http.Transport
}

var errCertificate = errors.New("gateway: the client certificate cannot be used")

// with returns base with the client certificate of a credential.
func (x *certified) with(base *http.Transport, cred *secrets.Credential) (*http.Transport, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t, ok := x.m[cred.ID]; ok {
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
		x.m = map[string]*http.Transport{}
	}
	t := base.Clone()
	t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	x.m[cred.ID] = t
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

// via returns what a call of a system with a credential, which may be nil, goes through.
func (t *transport) via(_ *systems.Compiled, cred *secrets.Credential) (*http.Transport, error) {
	if cred == nil || cred.Certificate == "" {
		return t.http, nil
	}
	return t.certified.with(t.http, cred)
}

// close drops the idle connections.
func (t *transport) close() {
	t.http.CloseIdleConnections()
	t.certified.closeIdle()
}
