package runs

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// Runner drives runs; *runner.Runner is one.
type Runner interface {
	StartRun(ctx context.Context, q runner.StartRequest) (engine.RunView, error)
	Command(ctx context.Context, project, run string, m engine.Meta, e engine.Event) (uint64, error)
	View(ctx context.Context, run string) (engine.RunView, error)
	Records(ctx context.Context, run string, after uint64, limit int) ([]engine.Record, error)
	Head(ctx context.Context, run string) (runner.RunHead, error)
	Inspect(ctx context.Context, project, run string, f func(g *engine.Graph, s *engine.State) error) error
	Lister
}

// Lister lists runs.
type Lister interface {
	List(ctx context.Context, q runner.RunQuery) ([]runner.RunHead, error)
}

// Flows finds drafts and published versions, what is wrong with them, and what their
// subflow nodes name.
type Flows interface {
	Get(ctx context.Context, project, id string) (flows.Detail, error)
	Validate(ctx context.Context, project string, f *engine.Flow) ([]engine.Problem, error)
	Version(ctx context.Context, project, flow string, number int) (flows.Version, error)
	Resolve(ctx context.Context, project string, f *engine.Flow) (flows.Resolved, error)
	Users(ctx context.Context, project, plugin string) ([]flows.User, bool, error)
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
	// Refusal says why a module must not be run now, or is nil.
	Refusal(digest string) *contract.Failure
	// Ungranted reports whether a module can reach nothing outside in the project. It is
	// quick.
	Ungranted(project, plugin, digest string) bool
	// Trusted reports whether a module was shipped or is signed by a trusted key.
	Trusted(digest string) bool
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

// Vault keeps the secrets that runs are given; *secrets.Vault is one.
type Vault interface {
	// PutRun keeps a value and returns the reference that the records hold. A value that
	// cannot be one gives a *secrets.InputError.
	PutRun(ctx context.Context, project, run, name string, value secrets.Secret) (ref string, err error)
	// DropRun deletes the values of a run.
	DropRun(ctx context.Context, run string) error
	// OfRun returns the values that a run was given or handed.
	OfRun(ctx context.Context, project, run string) ([]secrets.Secret, error)
	// Scrubber looks for the credentials of a project.
	Scrubber(ctx context.Context, project string) (*secrets.Scrubber, error)
	// Hash is a keyed hash.
	Hash(text string) string
}

// Handles makes what a plugin gets in place of a secret.
type Handles interface {
	// Handle returns the same handle for the same attempt and reference.
	Handle(a secrets.Attempt, ref string) string
	// Use notes that a run is handed a secret, before it is.
	Use(ctx context.Context, project, run, ref string) error
}

// Modules calls plugin modules; the wasm host is behind it.
type Modules interface {
	// Call runs one call to its end and returns what the module wrote. What goes
	// wrong is an error that holds a *contract.Failure where the host can say whose
	// fault it is. It returns soon after ctx is done.
	Call(ctx context.Context, c ModuleCall) ([]byte, error)
}

// ModuleCall is one call of a module.
type ModuleCall struct {
	// Project is on whose behalf the call is made.
	Project, Plugin, Digest string
	// Export is the function to call, Input the JSON of a contract.Request, or what a
	// foreign module takes. Config is what a foreign module reads as its configuration.
	Export string
	Input  []byte
	Config map[string]string
	// Limits lower those of the host; a zero field takes the host's.
	Limits   contract.Limits
	Services Services
	// RecordBytes, if not zero, has the call recorded in about so many bytes; Recorded
	// then takes the recording before Call returns, if there is one.
	RecordBytes int64
	Recorded    func(*replay.Recording)
}

// Recorder keeps the recordings of calls.
type Recorder interface {
	// Bytes bounds the recording of a call; zero says that none is wanted.
	Bytes() int64
	// Keep takes a recording over. It does not fail.
	Keep(ctx context.Context, c recordings.Call)
}

// Services is what a module reaches through host functions, for one call.
type Services interface {
	Gateway(ctx context.Context, req contract.GatewayRequest) contract.GatewayResponse
	Log(line contract.LogLine)
	Progress(percent int, message string)
	Var(name string) (json.RawMessage, bool)
	SetVar(name string, value json.RawMessage) error
}

// Clock tells the time and waits, as the runner's does.
type Clock = runner.Clock
