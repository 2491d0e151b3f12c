package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// Target is what the credential of a system in a project is for.
func Target(project string, s *systems.System) secrets.Target {
	kind := secrets.Kind(s.Auth.Type)
	if kind == "" {
		kind = secrets.KindNone
	}
	return secrets.Target{
		Project: project, System: s.ID, Kind: kind, Origin: s.Origin(), Binding: s.Binding(), Certificate: s.Auth.NeedsCertificate(),
	}
}

// target is Target for a system that is ready to be called.
func target(project string, c *systems.Compiled) secrets.Target {
	auth := &c.System.Auth
	return secrets.Target{
		Project: project, System: c.System.ID, Kind: secrets.Kind(cmp.Or(auth.Type, systems.AuthNone)), Origin: c.Origin, Binding: c.Binding,
		Certificate: auth.NeedsCertificate(),
	}
}

// credentials finds the credential of a system and makes requests with it.
type credentials struct {
	store  Credentials
	tokens *tokens
	signer signer
	log    *slog.Logger
}

// credential finds the credential of the system and scrubs what comes back from it.
// The transport puts it on the request when nothing looks at the request any more.
//
// A system that does not take the credential (401) has done nothing. Even so a call is
// made again, with a new token or with the other live version of the credential, only
// when its operation is safe to repeat: who answers 401 may be somebody on the way, after
// the system did its work. The calls that follow profit from the new token in any case. A
// client that the token server does not take has sent nothing yet: then the other version
// is always tried.
func credential(k *credentials, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		sys := c.system.System
		if !sys.Auth.NeedsCredential() {
			return next(ctx, c)
		}
		cred, err := k.store.Credential(ctx, target(c.caller.Project, c.system))
		switch {
		case errors.Is(err, secrets.ErrNoCredential):
			return failed(fault(contract.OriginGateway, CodeCredentialMissing, "no credential is set for the system at its present address"))
		case err != nil:
			return failed(unavailable(ctx, k.log, "the credential cannot be read", err))
		}
		res := k.with(ctx, c, cred, next)
		if !refused(res) || res.Failure == nil && c.op.Retry != systems.RetrySafe {
			return res
		}
		if c.isKept && res.Failure == nil {
			if res = k.with(ctx, c, cred, next); !refused(res) {
				return res
			}
		}
		if cred.Standby != nil {
			return k.with(ctx, c, cred.Standby, next)
		}
		return res
	}
}

// refused reports whether a credential was not taken.
func refused(r contract.GatewayResponse) bool {
	return r.Status == http.StatusUnauthorized || r.Failure != nil && r.Failure.Code == CodeCredentialRefused
}

// with makes the call with one version of the credential.
func (k *credentials) with(ctx context.Context, c *call, cred *secrets.Credential, next handler) contract.GatewayResponse {
	c.credential, c.authorize, c.isKept = cred, nil, false
	s := cred.Scrubber()
	auth := &c.system.System.Auth
	var t token
	if cred.Kind == secrets.KindOAuth2 {
		var f *contract.Failure
		if t, c.isKept, f = k.tokens.token(ctx, c, cred); f != nil {
			res, _ := scrub(s, failed(f))
			return res
		}
		s = t.scrubber
	}
	c.authorize = func(r *http.Request, body []byte) {
		k.signer.authorize(r, auth, cred, signed{token: t.value, user: c.caller.Operator, body: body})
	}
	res, echoed := scrub(s, next(ctx, c))
	c.authorize = nil
	c.echoed = c.echoed || echoed
	if t.value != "" && res.Status == http.StatusUnauthorized {
		k.tokens.drop(auth, cred, t.value)
	}
	return res
}
