package gateway

import (
	"net/http"
	"sync"

	"github.com/culmhq/culm/host/systems"
)

// maxTrusting bounds how many ways of verifying certificates have connections at once; one
// more drops the idle ones of all.
const maxTrusting = 256

// trusting are the transports of systems that verify certificates in a way of their own. A
// connection that was trusted in one way is never used in another. Safe for concurrent use.
type trusting struct {
	mu sync.Mutex
	m  map[systems.TLS]*http.Transport
}

// with returns base, with the authorities and the name of a system.
func (x *trusting) with(base *http.Transport, how systems.TLS) (*http.Transport, error) {
	if how == (systems.TLS{}) {
		return base, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if t, ok := x.m[how]; ok {
		return t, nil
	}
	roots, err := how.Roots()
	if err != nil {
		return nil, err
	}
	if len(x.m) >= maxTrusting {
		x.close()
		x.m = nil
	}
	if x.m == nil {
		x.m = map[systems.TLS]*http.Transport{}
	}
	t := base.Clone()
	if roots != nil {
		t.TLSClientConfig.RootCAs = roots
	}
	t.TLSClientConfig.ServerName = how.ServerName
	x.m[how] = t
	return t, nil
}

// closeIdle drops the idle connections.
func (x *trusting) closeIdle() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.close()
}

func (x *trusting) close() {
	for _, t := range x.m {
		t.CloseIdleConnections()
	}
}
