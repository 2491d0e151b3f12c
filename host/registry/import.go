package registry

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/host/systems/openapi"
	"github.com/culmhq/culm/pdk/contract"
)

func itoa(i int) string { return strconv.Itoa(i) }

// The choices of an import for operations that are new in it.
const (
	EnableNone = "none" // all are disabled, until they are enabled one by one
	EnableRead = "read" // those that only read are enabled
	EnableAll  = "all"
)

// The choices for imported operations that the document has no more.
const (
	RemovedDisable = "disable" // they stay, disabled, with their grants
	RemovedDelete  = "delete"  // they go, with their grants
)

// ImportRequest imports the operations of a system from an OpenAPI document, or finds out what
// that would change.
type ImportRequest struct {
	Project string       `json:"-"`
	Actor   engine.Actor `json:"-"`
	// ID is that of the system; empty takes the id of the contract.
	ID string `json:"id"`
	// Document is an OpenAPI 3.0 or 3.1 document, JSON or YAML, as text. Contract names one
	// that is shipped instead.
	Document string `json:"document,omitempty"`
	Contract string `json:"contract,omitempty"`
	// BaseURL is where the system is; empty keeps the stored one, or takes the first server of
	// the document.
	BaseURL string `json:"base_url,omitempty"`
	// Title, Auth, Limits and Success replace those that are stored, or that a new system gets.
	Title   *contract.Text   `json:"title,omitempty"`
	Auth    *systems.Auth    `json:"auth,omitempty"`
	Limits  *systems.Limits  `json:"limits,omitempty"`
	Success *systems.Success `json:"success,omitempty"`
	// Enable is none (also when empty), read or all: which new operations are enabled.
	Enable string `json:"enable,omitempty"`
	// Removed is disable (also when empty) or delete.
	Removed string `json:"removed,omitempty"`
	// Apply stores the result. Version must be the one that the difference was to: 0 for a new
	// system.
	Apply   bool `json:"apply,omitempty"`
	Version int  `json:"version,omitempty"`
}

// ImportResult is what an import changes, or has changed.
type ImportResult struct {
	Difference
	Applied bool `json:"applied"`
	// Document says what was read.
	Document ImportedDocument `json:"document"`
	// Skipped are the operations, and the parts of operations, that cannot be called.
	Skipped []openapi.Skipped `json:"skipped"`
}

// ImportedDocument says what was read.
type ImportedDocument struct {
	OpenAPI    string   `json:"openapi"`
	Title      string   `json:"title"`
	Version    string   `json:"version"`
	Digest     string   `json:"digest"`
	Servers    []string `json:"servers"`
	Operations int      `json:"operations"`
}

// Import imports a system, or says what an import would change. What OpenAPI does not say and
// an administrator has set stays: limits, rules of success, retry classes and risks of
// operations that keep their method.
func (s *Service) Import(ctx context.Context, r ImportRequest) (ImportResult, error) {
	none := ImportResult{}
	if err := s.o.Projects.Exists(ctx, r.Project); err != nil {
		return none, err
	}
	if err := r.check(); err != nil {
		return none, err
	}
	preset, err := r.read()
	if err != nil {
		return none, err
	}
	doc, err := openapi.Read(preset.Document)
	if err != nil {
		return none, badDocument(err)
	}
	before, err := s.Document(ctx, r.Project, r.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return none, err
	}
	after := r.build(before, doc, preset)
	if ps := after.Validate(); len(ps) > 0 {
		return none, invalid(ps)
	}
	p, err := s.plan(ctx, r.Project, r.Actor, ActionImport, after, true)
	if err != nil {
		return none, err
	}
	out := ImportResult{
		Difference: p.difference(), Skipped: doc.Skipped, Document: ImportedDocument{
			doc.OpenAPI, doc.Title, doc.Version, doc.Digest, doc.Servers, len(doc.Operations),
		},
	}
	if out.Skipped == nil {
		out.Skipped = []openapi.Skipped{}
	}
	if out.Document.Servers == nil {
		out.Document.Servers = []string{}
	}
	if !r.Apply {
		return out, nil
	}
	if r.Version != p.from {
		return none, s.conflict(ctx, r.Project, r.ID)
	}
	row, err := s.carryOut(ctx, p)
	if err != nil {
		return none, err
	}
	out.Applied, out.Version = true, row.Version
	return out, nil
}

func (r *ImportRequest) check() error {
	switch {
	case (r.Document == "") == (r.Contract == ""):
		return refused("/document", CodeImportSource, "either a document or the name of a shipped contract is needed")
	case !slices.Contains([]string{"", EnableNone, EnableRead, EnableAll}, r.Enable):
		return fault.At("/enable", "must be none, read or all").Because("CHOICE")
	case !slices.Contains([]string{"", RemovedDisable, RemovedDelete}, r.Removed):
		return fault.At("/removed", "must be disable or delete").Because("CHOICE")
	case r.ID == "" && r.Contract == "":
		return refused("/id", CodeImportID, "the id of the system is needed")
	}
	return nil
}

// read returns the document with what is known of its system besides.
func (r *ImportRequest) read() (systems.Contract, error) {
	if r.Contract == "" {
		return systems.Contract{Document: []byte(r.Document)}, nil
	}
	c, ok, err := systems.ContractOf(r.Contract)
	switch {
	case err != nil:
		return c, fault.Wrap("read the shipped contract", err)
	case !ok:
		return c, refused("/contract", CodeNoContract, "no contract %q is shipped", r.Contract)
	}
	if r.ID == "" {
		r.ID = r.Contract
	}
	return c, nil
}

func badDocument(err error) error {
	const field = "/document"
	var ps document.Problems
	if errors.As(err, &ps) {
		e := fault.At(field, "the document cannot be read: %s", ps.Error())
		e.Problems = problemsOf(ps)
		for i := range e.Problems {
			// The field that the problem is of is a field of the text, not of the request.
			e.Problems[i].Field = field
		}
		return e
	}
	e := refused(field, CodeUnreadable, "the document %s", err.Error())
	if code, args := systems.CodeOf(err); code != "" {
		e.Problems[0].Code, e.Problems[0].Args = code, args
	}
	return e
}

// build makes the system that the import wants from what is stored, nil for nothing, and what
// was read.
func (r *ImportRequest) build(before *systems.System, doc *openapi.Document, preset systems.Contract) *systems.System {
	after := &systems.System{
		Format: systems.Format, ID: r.ID, Title: contract.T(doc.Title), Auth: doc.Auth, Limits: preset.Limits, Success: preset.Success,
	}
	if preset.Auth.Type != "" {
		after.Auth = preset.Auth
	}
	if !preset.Title.IsZero() {
		after.Title = preset.Title
	}
	if len(doc.Servers) > 0 {
		after.BaseURL = doc.Servers[0]
	}
	if before != nil {
		*after = *before
	}
	r.overrides(after)
	after.Import = &systems.Import{Title: doc.Title, Version: doc.Version, Digest: doc.Digest}
	after.Schemas, after.Operations = maps.Clone(doc.Schemas), nil
	known := map[string]*systems.Operation{}
	if before != nil {
		after.Schemas = withOld(after.Schemas, before.Schemas)
		for i := range before.Operations {
			known[before.Operations[i].ID] = &before.Operations[i]
		}
	}
	for _, o := range doc.Operations {
		if b := known[o.ID]; b != nil {
			keep(&o, b)
			delete(known, o.ID)
		} else if !r.enables(&o) {
			o.Disabled, o.DisabledBy = true, systems.DisabledByImport
		}
		after.Operations = append(after.Operations, o)
	}
	if before != nil {
		after.Operations = append(after.Operations, r.leftOver(before, known)...)
	}
	return after
}

// withOld adds the schemas that the document does not name: hand-written operations may refer
// to them.
func withOld(schemas, before map[string]json.RawMessage) map[string]json.RawMessage {
	if len(before) == 0 {
		return schemas
	}
	out := maps.Clone(before)
	maps.Copy(out, schemas)
	return out
}

// leftOver are the stored operations that the document does not have: those written by hand as
// they are, imported ones disabled or not at all.
func (r *ImportRequest) leftOver(before *systems.System, left map[string]*systems.Operation) []systems.Operation {
	var out []systems.Operation
	for _, o := range before.Operations {
		switch {
		case left[o.ID] == nil, o.Imported && r.Removed == RemovedDelete:
			continue
		case o.Imported:
			o.Disabled, o.DisabledBy = true, systems.DisabledByRemoval
		}
		out = append(out, o)
	}
	return out
}

func (r *ImportRequest) overrides(after *systems.System) {
	if r.BaseURL != "" {
		after.BaseURL = r.BaseURL
	}
	if r.Title != nil {
		after.Title = *r.Title
	}
	if r.Auth != nil {
		after.Auth = *r.Auth
	}
	if r.Limits != nil {
		after.Limits = *r.Limits
	}
	if r.Success != nil {
		after.Success = *r.Success
	}
}

// enables reports whether a new operation starts enabled.
func (r *ImportRequest) enables(o *systems.Operation) bool {
	return r.Enable == EnableAll || r.Enable == EnableRead && o.Risk == systems.RiskRead
}

// keep takes over what an administrator may have set on an operation that stays itself.
func keep(o, before *systems.Operation) {
	if o.Method == before.Method {
		o.Retry, o.Risk, o.KeyHeader = before.Retry, before.Risk, before.KeyHeader
	}
	o.Success = before.Success
	if before.Disabled && before.DisabledBy == systems.DisabledByRemoval {
		// It is back; whether it may be called is looked at anew.
		o.Disabled, o.DisabledBy = true, systems.DisabledByChange
	}
}
