package gateway

import (
	"github.com/culmhq/culm/host/systems"
)

// trust returns base, with the authorities and the name of a system.
func (t *transport) trust(base *line, how systems.TLS) (*line, error) {
	if how == (systems.TLS{}) {
		return base, nil
	}
	return t.trusting.get(how, base, func(c *line) error {
		roots, err := how.Roots()
		if err != nil {
			return err
		}
		if roots != nil {
			c.tls.RootCAs = roots
		}
		c.tls.ServerName = how.ServerName
		return nil
	})
}
