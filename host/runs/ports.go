package runs

import (
	"context"
	"encoding/json"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/pdk/contract"
)

// Flows finds published versions.
type Flows interface {
	Version(ctx context.Context, project, flow string, number int) (flows.Version, error)
}

// Projects finds projects.
type Projects interface {
	Get(ctx context.Context, id string) (projects.Project, error)
}

// Catalogue finds plugins and their pinned modules.
type Catalogue interface {
	Latest(plugin string) (plugins.Module, bool)
	Module(digest string) (plugins.Module, bool)
	Pinned(digests map[string]string) engine.Catalogue
}

// Audit tells which calls the attempts of a node made through the gateway.
type Audit interface {
	// Calls returns them in the order they were made.
	Calls(ctx context.Context, project, run, node string) ([]Call, error)
}

// Gateway opens the gateway of one plugin call.
type Gateway interface {
	Open(c gateway.Caller) gateway.Session
}

// Modules calls plugin modules; the wasm host is behind it.
type Modules interface {
	// Call runs one call to its end. What goes wrong is a *contract.Failure where
	// the host can say whose fault it is. It returns soon after ctx is done.
	Call(ctx context.Context, c ModuleCall, s Services) (contract.Answer, error)
}

// ModuleCall is one call of a module.
type ModuleCall struct {
	Plugin, Digest string
	Manifest       *contract.Manifest
	Request        contract.Request
	// Timeout bounds the wall time; zero takes the host's default.
	Timeout time.Duration
}

// Services is what a module reaches through host functions, for one call. It is
// used by one goroutine at a time.
type Services interface {
	Gateway(ctx context.Context, req contract.GatewayRequest) contract.GatewayResponse
	Log(line contract.LogLine)
	Progress(percent int, message string)
	Var(name string) (json.RawMessage, bool)
	SetVar(name string, value json.RawMessage) error
}
