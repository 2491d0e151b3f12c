// Package systems describes the outside systems that the gateway may call: where a
// system is, how it is authenticated to, and which operations it offers. A system is
// a document that people write in YAML or JSON (format culm.system/v1); some are
// shipped with the program.
package systems

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/pdk/contract"
)

// Format is the format of the system documents that this package reads.
const Format = "culm.system/v1"

// DefaultKeyHeader is the header that carries the key of a keyed operation.
const DefaultKeyHeader = "Idempotency-Key"

// System is a registered outside API.
type System struct {
	// Format is the constant Format; another one is refused.
	Format string `json:"format"`
	// ID is a lower-case letter, then up to 63 of [a-z0-9-].
	ID    string        `json:"id"`
	Title contract.Text `json:"title"`
	Doc   contract.Text `json:"doc,omitzero"`
	// BaseURL is http or https, with a host, an optional port and path, and nothing
	// else.
	BaseURL string `json:"base_url"`
	Auth    Auth   `json:"auth,omitzero"`
	TLS     TLS    `json:"tls,omitzero"`
	Limits  Limits `json:"limits,omitzero"`
	// Trace sends a W3C traceparent with every call of a run, so that the system's own spans
	// belong to the run's trace. It tells the system an id and no more. Off by default.
	Trace bool `json:"trace,omitempty"`
	// Callbacks says how the system proves that a callback is its own.
	Callbacks Callbacks `json:"callbacks,omitzero"`
	// Success holds for the operations that have no rule of their own.
	Success Success `json:"success,omitzero"`
	// Schemas are JSON Schemas that those of the operations refer to, as #/$defs/NAME.
	Schemas map[string]json.RawMessage `json:"schemas,omitempty"`
	// Import says what the imported operations come from.
	Import     *Import     `json:"import,omitempty"`
	Operations []Operation `json:"operations"`
}

// Import names the document that operations were imported from.
type Import struct {
	// Title and Version are those of the document, Digest is "sha256:" and its hash in hex.
	Title   string `json:"title,omitempty"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest,omitempty"`
}

// Retry says whether a call may be made again.
type Retry string

// The retry classes. An operation must name one.
const (
	RetrySafe  Retry = "safe"  // it only reads, or repeating it changes nothing
	RetryKeyed Retry = "keyed" // the system drops a repetition with the same key, or it is idempotent
	RetryNever Retry = "never" // a repetition may do it twice
)

// Risk says what an operation can do to the system, for people who grant it.
type Risk string

// The risks. An operation must name one.
const (
	RiskRead        Risk = "read"
	RiskWrite       Risk = "write"
	RiskDestructive Risk = "destructive"
)

// Operation is one named call of a system.
type Operation struct {
	// ID is a lower-case letter, then up to 63 of [a-z0-9_].
	ID    string        `json:"id"`
	Title contract.Text `json:"title"`
	Doc   contract.Text `json:"doc,omitzero"`
	// Group is what the operation is listed under: a few words; empty is fine.
	Group string `json:"group,omitempty"`
	// Disabled keeps everybody from calling the operation, whatever was granted. A
	// document can switch an operation off; only an administrator's own act switches it on.
	Disabled bool `json:"disabled,omitempty"`
	// DisabledBy says why a disabled operation is; empty is by hand.
	DisabledBy DisabledBy `json:"disabled_by,omitempty"`
	// Imported says that the operation comes from the document that System.Import names.
	Imported bool `json:"imported,omitempty"`
	// Method is GET, HEAD, POST, PUT, PATCH or DELETE.
	Method string `json:"method"`
	// Path is appended to the base URL; {name} stands for a path parameter and must
	// be a whole segment.
	Path       string      `json:"path"`
	Parameters []Parameter `json:"parameters,omitempty"`
	// Body is the JSON Schema of the JSON body; absent means that the operation
	// takes none. "x-secret": true marks a text in it that may be a secret of a flow.
	Body json.RawMessage `json:"body,omitempty"`
	// BodyRequired refuses a call without a body.
	BodyRequired bool `json:"body_required,omitempty"`
	// Response is the JSON Schema of a successful answer. It informs people and forms; no
	// answer is refused for it.
	Response json.RawMessage `json:"response,omitempty"`
	// ResponseHeaders names the headers that a plugin sees.
	ResponseHeaders []string `json:"response_headers,omitempty"`
	Retry           Retry    `json:"retry"`
	// KeyHeader carries the key of a keyed operation; empty means DefaultKeyHeader.
	KeyHeader string `json:"key_header,omitempty"`
	Risk      Risk   `json:"risk"`
	// Success says which answers mean that the call did its work; the zero value stands for
	// that of the system.
	Success Success `json:"success,omitzero"`
}

// DisabledBy says what switched an operation off.
type DisabledBy string

// What switches operations off besides people.
const (
	// DisabledByImport: it is new, and the import did not choose it.
	DisabledByImport DisabledBy = "import"
	// DisabledByChange: what it does or takes was changed beyond what was granted.
	DisabledByChange DisabledBy = "change"
	// DisabledByRemoval: the document that it was imported from has it no more.
	DisabledByRemoval DisabledBy = "removal"
)

// Place says where a parameter travels.
type Place string

// The places of parameters.
const (
	InPath   Place = "path"
	InQuery  Place = "query"
	InHeader Place = "header"
	// InCompute is nowhere: the value is only what a secret is computed with.
	InCompute Place = "compute"
)

// ArrayStyle says how a query parameter with several values is written.
type ArrayStyle string

// The array styles. The zero value stands for ArrayRepeat.
const (
	ArrayRepeat ArrayStyle = "repeat" // filter=a&filter=b
	ArrayComma  ArrayStyle = "comma"  // filter=a,b
)

// Parameter is a declared parameter of an operation.
type Parameter struct {
	// Name is the parameter's name in the call, and on the wire unless Wire is set.
	Name string        `json:"name"`
	In   Place         `json:"in"`
	Doc  contract.Text `json:"doc,omitzero"`
	// Wire is the name on the wire where it differs ("match[]").
	Wire     string `json:"wire,omitempty"`
	Required bool   `json:"required,omitempty"`
	// Schema is the JSON Schema of the value: text, number, boolean or a list of
	// these; absent means a text.
	Schema     json.RawMessage `json:"schema,omitempty"`
	ArrayStyle ArrayStyle      `json:"array_style,omitempty"`
	// Secret says that the value may be a secret of a flow, which the gateway puts in.
	// Only query and header parameters can be: a path is written into every log.
	Secret bool `json:"secret,omitempty"`
	// Compute, for a secret parameter, says what is sent in place of the secret.
	Compute *Compute `json:"compute,omitempty"`
}

// WireName is the name of the parameter on the wire.
func (p *Parameter) WireName() string {
	if p.Wire != "" {
		return p.Wire
	}
	return p.Name
}

// Origin is scheme, host and port of the base URL in lower case: what a credential is
// bound to.
func (s *System) Origin() string {
	u, err := url.Parse(s.BaseURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// Operation returns the operation with that id, or false.
func (s *System) Operation(id string) (*Operation, bool) {
	for i := range s.Operations {
		if s.Operations[i].ID == id {
			return &s.Operations[i], true
		}
	}
	return nil, false
}

// Parse reads a system document from YAML or JSON and validates it. The error is of
// type document.Problems: everything that is wrong, with line and field.
func Parse(data []byte) (*System, error) {
	var s System
	src, err := document.Decode(data, &s)
	if err != nil {
		return nil, err
	}
	if ps := s.Validate(); len(ps) > 0 {
		return nil, src.Locate(ps)
	}
	return &s, nil
}
