package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
)

func credentialPath(r registry.CredentialRef, more ...string) string {
	parts := []string{r.System, "credential"}
	if r.Default {
		parts = append(parts, "default")
	}
	return systemsPath(r.Project, append(parts, more...)...)
}

// Credential tells what may be known of the credential of a system: never a value.
func (c *Client) Credential(ctx context.Context, r registry.CredentialRef) (registry.CredentialView, error) {
	var out registry.CredentialView
	err := c.call(ctx, http.MethodGet, credentialPath(r), nil, nil, &out)
	return out, err
}

// SetCredential adds a version of the credential of a system, or makes another one the
// primary.
func (c *Client) SetCredential(ctx context.Context, r registry.CredentialRequest) (registry.CredentialView, error) {
	in := map[string]any{}
	for name, v := range map[string]string{
		"username": r.Input.Username, "client_id": r.Input.ClientID, "key_id": r.Input.KeyID, "certificate": r.Input.Certificate,
	} {
		if v != "" {
			in[name] = v
		}
	}
	for name, v := range map[string]secrets.Secret{
		"password": r.Input.Password, "token": r.Input.Token, "secret": r.Input.Secret, "private_key": r.Input.PrivateKey,
	} {
		if !v.IsZero() {
			in[name] = v.Reveal() // a secret shows as *** in JSON
		}
	}
	for name, v := range map[string]bool{"standby": r.Standby, "alone": r.Alone} {
		if v {
			in[name] = true
		}
	}
	if r.Primary != 0 {
		in["primary"] = r.Primary
	}
	var out registry.CredentialView
	err := c.put(ctx, credentialPath(r.CredentialRef), in, &out)
	return out, err
}

// DeleteCredential deletes a version of the credential of a system, or all of a project's
// with 0.
func (c *Client) DeleteCredential(ctx context.Context, r registry.CredentialRef, version int) error {
	path := credentialPath(r)
	if version != 0 {
		path = credentialPath(r, "versions", strconv.Itoa(version))
	}
	var none []byte
	return c.call(ctx, http.MethodDelete, path, nil, nil, &none)
}

// TestCredential tries to reach a system with its credential and says how far that came.
func (c *Client) TestCredential(ctx context.Context, r registry.TestRequest) (registry.ConnectionResult, error) {
	in := map[string]int{}
	if r.Version != 0 {
		in["version"] = r.Version
	}
	var out registry.ConnectionResult
	err := c.send(ctx, credentialPath(r.CredentialRef, "test"), in, &out)
	return out, err
}
