package client

import (
	"context"
	"net/http"

	"github.com/culmhq/culm/host/secrets"
)

// Keys tells of the keys that secrets are sealed with.
func (c *Client) Keys(ctx context.Context) (secrets.KeyStatus, error) {
	var s secrets.KeyStatus
	return s, c.call(ctx, http.MethodGet, "/keys", nil, nil, &s)
}

// VerifyKeys opens everything that is sealed.
func (c *Client) VerifyKeys(ctx context.Context) (secrets.Checked, error) {
	var r secrets.Checked
	return r, c.call(ctx, http.MethodGet, "/keys/verify", nil, nil, &r)
}

// RotateKeys makes a new key the primary one.
func (c *Client) RotateKeys(ctx context.Context) (secrets.KeyStatus, error) {
	var s secrets.KeyStatus
	return s, c.send(ctx, "/keys/commands", map[string]string{"command": "rotate"}, &s)
}

// RetireKey forgets a key that nothing is sealed with.
func (c *Client) RetireKey(ctx context.Context, key string) (secrets.KeyStatus, error) {
	var s secrets.KeyStatus
	return s, c.send(ctx, "/keys/commands", map[string]string{"command": "retire", "key": key}, &s)
}
