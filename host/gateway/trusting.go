package gateway

import (
	"net/http"

	"github.com/culmhq/culm/host/systems"
)

// trust returns base, with the authorities and the name of a system.
func (t *transport) trust(base *http.Transport, how systems.TLS) (*http.Transport, error) {
	if how == (systems.TLS{}) {
		return base, nil
	}
	return t.trusting.get(how, base, func(c *http.Transport) error {
		roots, err := how.Roots()
		if err != nil {
			return err
		}
		if roots != nil {
			c.TLSClientConfig.RootCAs = roots
		}
		c.TLSClientConfig.ServerName = how.ServerName
		return nil
	})
}
