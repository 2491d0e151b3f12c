package app

import (
	"context"

	"github.com/gofrs/uuid/v5"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/pdk/contract"
)

// TrialRequest is one attempt of a plugin that is not installed.
type TrialRequest struct {
	Project string
	Plugin  string
	Digest  string
	// Grants are the operations that the attempt may call, whatever the catalogue says of
	// a plugin of that name.
	Grants []plugins.Grant
}

// Trial is the gateway of one attempt of a plugin that is not installed: the systems and
// credentials of a project, the policy and the audit of the gateway, and grants of its
// own. Close it when the attempt is over.
type Trial struct {
	gateway *gateway.Gateway
	caller  gateway.Caller
}

// Try opens the gateway for an attempt. The program need not have been started.
func (c *Core) Try(r TrialRequest) (*Trial, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	cfg := c.gateway
	cfg.Grants = fixedGrants(r.Grants)
	return &Trial{gateway.New(cfg), gateway.Caller{
		// A run of its own: the journal must not answer with what an earlier attempt got.
		Project: r.Project, Run: "trial-" + id.String(), Node: "trial", Attempt: 1, Operator: c.Actor().ID, Plugin: r.Plugin, Digest: r.Digest,
	}}, nil
}

// Session returns the gateway of the attempt's next call of the plugin.
func (t *Trial) Session(reason contract.Reason) gateway.Session {
	caller := t.caller
	caller.Reason = reason
	t.caller.Call++
	return t.gateway.Open(caller)
}

// Run is the id under which the attempt stands in the audit.
func (t *Trial) Run() string { return t.caller.Run }

// Close drops the connections.
func (t *Trial) Close() { t.gateway.Close() }

// fixedGrants are grants that no catalogue holds.
type fixedGrants []plugins.Grant

// Granted implements gateway.Grants.
func (g fixedGrants) Granted(_ context.Context, _, _, system, operation string) (bool, error) {
	for _, one := range g {
		if one.System == system && one.Operation == operation {
			return true, nil
		}
	}
	return false, nil
}
