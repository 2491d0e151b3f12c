package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// credential finds the credential of the system and scrubs what comes back from it.
// The transport puts it on the request when nothing looks at the request any more.
func credential(store Credentials, log *slog.Logger, next handler) handler {
	return func(ctx context.Context, c *call) contract.GatewayResponse {
		sys := c.system.System
		if sys.Auth.Type == "" || sys.Auth.Type == systems.AuthNone {
			return next(ctx, c)
		}
		target := secrets.Target{Project: c.caller.Project, System: sys.ID, Kind: secrets.Kind(sys.Auth.Type), Origin: sys.Origin()}
		cred, err := store.Credential(ctx, target)
		switch {
		case errors.Is(err, secrets.ErrNoCredential):
			return failed(fault(contract.OriginGateway, CodeCredentialMissing, "no credential is set for the system at its present address"))
		case err != nil:
			return failed(unavailable(ctx, log, "the credential cannot be read", err))
		}
		c.credential = cred
		res, echoed := scrub(secrets.NewScrubber(cred), next(ctx, c))
		c.echoed = c.echoed || echoed
		return res
	}
}

// authorize puts the credential on a request.
func authorize(r *http.Request, sys *systems.System, cred *secrets.Credential) {
	if cred == nil {
		return
	}
	switch cred.Kind {
	case secrets.KindBasic:
		r.SetBasicAuth(cred.Username, cred.Secret.Reveal())
	case secrets.KindBearer:
		r.Header.Set("Authorization", "Bearer "+cred.Secret.Reveal())
	case secrets.KindAPIKey:
		r.Header.Set(sys.Auth.Header, cred.Secret.Reveal())
	}
}
