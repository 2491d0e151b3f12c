package registry

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// Grant is that a plugin may call an operation.
type Grant struct{ Plugin, Operation string }

// Action says how a version of a system came about.
type Action string

// The actions.
const (
	ActionPut    Action = "put"
	ActionImport Action = "import"
	ActionEnable Action = "enable"
	ActionDelete Action = "delete"
)

// Entry is one line of a system's history.
type Entry struct {
	Version int       `json:"version"`
	Action  Action    `json:"action"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Summary Summary   `json:"summary"`
	// Document is the system document as JSON; absent in lists, for a deletion, and where
	// operations were only switched.
	Document json.RawMessage `json:"document,omitempty"`
	// Revoke are the operations whose grants go with the change.
	Revoke []string `json:"-"`
	Digest string   `json:"-"`
}

// Summary says in short what a version changed.
type Summary struct {
	Added   int `json:"added,omitempty"`
	Changed int `json:"changed,omitempty"`
	Removed int `json:"removed,omitempty"`
	// Enabled and Disabled are the operations that were switched, at most summaryMax of them.
	Enabled  []string `json:"enabled,omitempty"`
	Disabled []string `json:"disabled,omitempty"`
	// Revoked counts the grants that went with removed operations.
	Revoked int `json:"revoked,omitempty"`
	// Fields are the fields of the system itself that were changed.
	Fields []FieldChange `json:"fields,omitempty"`
}

const summaryMax = 200

// FieldChange is a change of a field of a system itself.
type FieldChange struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// PutRequest creates or replaces a system of a project.
type PutRequest struct {
	Project, ID string
	Actor       engine.Actor
	// Document is a system document in YAML or JSON.
	Document []byte
}

// Put creates or replaces a system. A document that is wrong gives a fault.Invalid with the
// first field and, in the message, every problem; its id must be r.ID. An operation that was
// switched off stays so, and one that was granted and becomes wider is switched off; the grants
// of one that goes, go.
func (s *Service) Put(ctx context.Context, r PutRequest) (View, error) {
	p, err := s.planPut(ctx, r)
	if err != nil {
		return View{}, err
	}
	row, err := s.carryOut(ctx, p)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, row)
}

// Diff says what Put would change. It stores nothing.
func (s *Service) Diff(ctx context.Context, r PutRequest) (Difference, error) {
	p, err := s.planPut(ctx, r)
	if err != nil {
		return Difference{}, err
	}
	return p.difference(), nil
}

func (s *Service) planPut(ctx context.Context, r PutRequest) (*plan, error) {
	if err := s.o.Projects.Exists(ctx, r.Project); err != nil {
		return nil, err
	}
	doc, err := systems.Parse(r.Document)
	if err != nil {
		return nil, invalid(err)
	}
	if doc.ID != r.ID {
		return nil, refused("/id", CodeOtherSystem, "the document is of the system %q", doc.ID)
	}
	return s.plan(ctx, r.Project, r.Actor, ActionPut, doc, false)
}

// Difference is what a change does to a system.
type Difference struct {
	System string `json:"system"`
	// Version is the stored one that the difference is to; 0 for a new system.
	Version int              `json:"version"`
	Fields  []FieldChange    `json:"fields"`
	Changes []systems.Change `json:"changes"`
	// Unchanged counts the operations that stay as they are.
	Unchanged int `json:"unchanged"`
}

// plan is a change that was thought through and not stored.
type plan struct {
	project string
	actor   engine.Actor
	action  Action
	before  *systems.System
	// from is the stored version, 0 for a new system; last is the latest that there ever was.
	from, last int
	after      *systems.System
	changes    []systems.Change
	fields     []FieldChange
	grants     []Grant
}

// plan merges a document with what is stored.
func (s *Service) plan(ctx context.Context, project string, actor engine.Actor, action Action, after *systems.System, strict bool) (*plan, error) {
	p := &plan{project: project, actor: actor, action: action, after: after}
	row, err := s.o.Repository.System(ctx, project, after.ID)
	switch {
	case err == nil:
		c, err := s.compiled.get(row)
		if err != nil {
			return nil, err
		}
		p.before, p.from, p.last = c.System, row.Version, row.Version
	case !fault.Is(err, fault.NotFound):
		return nil, fault.Wrap("read system", err)
	default:
		if p.last, err = s.o.Repository.LastVersion(ctx, project, after.ID); err != nil {
			return nil, fault.Wrap("read the system's history", err)
		}
	}
	if p.grants, err = s.o.Repository.SystemGrants(ctx, project, after.ID); err != nil {
		return nil, fault.Wrap("read grants", err)
	}
	p.changes = systems.Merge(p.before, after, plugins(p.grants), strict)
	p.fields = headChanges(p.before, after)
	return p, nil
}

// plugins are those that were granted an operation, by operation.
func plugins(grants []Grant) map[string][]string {
	out := map[string][]string{}
	for _, g := range grants {
		out[g.Operation] = append(out[g.Operation], g.Plugin)
	}
	return out
}

func (p *plan) difference() Difference {
	d := Difference{System: p.after.ID, Version: p.from, Fields: p.fields, Changes: p.changes, Unchanged: len(p.after.Operations)}
	for _, c := range p.changes {
		if c.Kind != systems.Removed {
			d.Unchanged--
		}
	}
	if d.Changes == nil {
		d.Changes = []systems.Change{}
	}
	if d.Fields == nil {
		d.Fields = []FieldChange{}
	}
	return d
}

// headChanges lists the changes of the system itself.
func headChanges(before, after *systems.System) []FieldChange {
	if before == nil {
		return nil
	}
	var out []FieldChange
	add := func(field string, from, to any) {
		f, t := brief(from), brief(to)
		if f != t {
			out = append(out, FieldChange{field, clip(f), clip(t)})
		}
	}
	words := func(field string, from, to contract.Text) {
		f, t := systems.Words(from, to)
		add(field, f, t)
	}
	words("title", before.Title, after.Title)
	words("doc", before.Doc, after.Doc)
	add("base_url", before.BaseURL, after.BaseURL)
	add("auth", before.Auth, after.Auth)
	add("limits", before.Limits, after.Limits)
	add("success", before.Success, after.Success)
	add("tls", before.TLS, after.TLS)
	add("trace", before.Trace, after.Trace)
	add("callbacks", before.Callbacks, after.Callbacks)
	return out
}

// clip shortens a value that a person compares: a list of certificates is long.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// brief writes a value of a document's head, none of which is a secret.
func brief(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	js, err := json.Marshal(v)
	if err != nil || string(js) == "{}" || string(js) == "false" {
		return ""
	}
	return string(js)
}

func (p *plan) summary() (out Summary, revoke []string) {
	out.Fields = p.fields
	for _, c := range p.changes {
		switch c.Kind {
		case systems.Added:
			out.Added++
		case systems.Changed:
			out.Changed++
		case systems.Removed:
			out.Removed++
			out.Revoked += len(c.Plugins)
			revoke = append(revoke, c.Operation)
		}
		switch {
		case c.Kind == systems.Removed || c.Enabled == c.WasEnabled || p.before == nil:
		case c.Enabled:
			out.Enabled = append(out.Enabled, c.Operation)
		default:
			out.Disabled = append(out.Disabled, c.Operation)
		}
	}
	out.Enabled, out.Disabled = out.Enabled[:min(len(out.Enabled), summaryMax)], out.Disabled[:min(len(out.Disabled), summaryMax)]
	return out, revoke
}

// carryOut stores what was planned, unless somebody was faster.
func (s *Service) carryOut(ctx context.Context, p *plan) (Stored, error) {
	row, err := s.stored(p.project, p.actor, p.after, p.last+1)
	if err != nil {
		return Stored{}, err
	}
	summary, revoke := p.summary()
	e := Entry{Version: row.Version, Action: p.action, At: row.UpdatedAt, Actor: row.UpdatedBy, Summary: summary, Document: row.Document, Revoke: revoke, Digest: row.Digest}
	ok, err := s.o.Repository.PutSystem(ctx, row, e)
	if len(revoke) > 0 {
		s.o.Grants.GrantsChanged()
	}
	switch {
	case err != nil:
		return Stored{}, fault.Wrap("store system", err)
	case !ok:
		return Stored{}, s.conflict(ctx, p.project, p.after.ID)
	}
	return row, nil
}

// conflict says that somebody else was faster, and what is stored now.
func (s *Service) conflict(ctx context.Context, project, id string) error {
	f := fault.New(fault.Conflict, "the system %q was changed by somebody else at the same time", id).Because("SYSTEM_CHANGED")
	if v, err := s.Get(ctx, project, id); err == nil {
		f.Current = v
	}
	return f
}

// Ensure registers the systems that the project does not have yet, and leaves the others
// alone.
func (s *Service) Ensure(ctx context.Context, project string, actor engine.Actor, docs []*systems.System) error {
	for _, doc := range docs {
		_, err := s.o.Repository.System(ctx, project, doc.ID)
		if err == nil {
			continue
		}
		if !fault.Is(err, fault.NotFound) {
			return fault.Wrap("read system", err)
		}
		own := *doc
		own.Operations = append([]systems.Operation(nil), doc.Operations...)
		p, err := s.plan(ctx, project, actor, ActionPut, &own, false)
		if err != nil {
			return err
		}
		if _, err := s.carryOut(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRequest deletes a system.
type DeleteRequest struct {
	Project, ID string
	Actor       engine.Actor
	// Revoke deletes a system although plugins were granted operations of it, with those
	// grants.
	Revoke bool
}

// Delete deletes a system. One with grants is a fault.InUse, unless these may go with it.
func (s *Service) Delete(ctx context.Context, r DeleteRequest) error {
	row, err := s.o.Repository.System(ctx, r.Project, r.ID)
	if err != nil {
		return fault.Wrap("read system", err)
	}
	grants, err := s.o.Repository.SystemGrants(ctx, r.Project, r.ID)
	if err != nil {
		return fault.Wrap("read grants", err)
	}
	if len(grants) > 0 && !r.Revoke {
		return fault.New(fault.InUse, "%s granted operations of the system %q; they lose their grants with it", holders(grants), r.ID).Because("SYSTEM_GRANTED")
	}
	row.Version++
	row.UpdatedAt, row.UpdatedBy = s.o.Clock.Now().UTC(), r.Actor.ID
	ok, err := s.o.Repository.DeleteSystem(ctx, row, Entry{
		Version: row.Version, Action: ActionDelete, At: row.UpdatedAt, Actor: row.UpdatedBy, Summary: Summary{Revoked: len(grants)},
	})
	s.o.Grants.GrantsChanged()
	switch {
	case err != nil:
		return fault.Wrap("delete system", err)
	case !ok:
		return s.conflict(ctx, r.Project, r.ID)
	}
	return nil
}

// holders names a few plugins.
func holders(grants []Grant) string {
	seen := map[string]bool{}
	var names []string
	for _, g := range grants {
		if !seen[g.Plugin] {
			seen[g.Plugin] = true
			names = append(names, g.Plugin)
		}
	}
	const most = 5
	if len(names) > most {
		names = append(names[:most], "others")
	}
	if len(names) == 1 {
		return "the plugin " + names[0] + " was"
	}
	return "the plugins " + strings.Join(names, ", ") + " were"
}

// History returns a page of a system's versions, the newest first, also of a system that was
// deleted.
func (s *Service) History(ctx context.Context, project, id string, q page.Query) (page.Of[Entry], error) {
	none := page.Of[Entry]{}
	size, err := q.Size()
	if err != nil {
		return none, err
	}
	before := 0
	if _, err := q.After(&before); err != nil {
		return none, err
	}
	if err := s.o.Projects.Exists(ctx, project); err != nil {
		return none, err
	}
	rows, err := s.o.Repository.SystemVersions(ctx, project, id, before, size+1)
	if err != nil {
		return none, fault.Wrap("read the system's history", err)
	}
	if len(rows) == 0 && before == 0 {
		return none, fault.Missing("system", id)
	}
	return page.Cut(rows, size, func(e Entry) any { return e.Version })
}

// Version returns an entry of the history with its document, or a fault.NotFound.
func (s *Service) Version(ctx context.Context, project, id string, version int) (Entry, error) {
	e, err := s.o.Repository.SystemVersion(ctx, project, id, version)
	return e, fault.Wrap("read a version of the system", err)
}
