package registry

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/systems"
)

// OperationQuery asks for operations of a system.
type OperationQuery struct {
	Project, System string
	// Search are words that the id, a title, the path or the group of an operation holds, each
	// of them.
	Search string
	// Group is that of the operations; nil asks for all.
	Group *string
	// State is enabled, disabled, changed (disabled until somebody has looked at a change),
	// or empty for all.
	State string
	Page  page.Query
}

// Operations returns a page of a system's operations by id.
func (s *Service) Operations(ctx context.Context, q OperationQuery) (page.Of[OperationView], error) {
	none := page.Of[OperationView]{}
	size, err := q.Page.Size()
	if err != nil {
		return none, err
	}
	after := ""
	if _, err := q.Page.After(&after); err != nil {
		return none, err
	}
	if !slices.Contains([]string{"", "enabled", "disabled", "changed"}, q.State) {
		return none, fault.At("/state", "must be enabled, disabled or changed").Because("CHOICE")
	}
	c, err := s.System(ctx, q.Project, q.System)
	if err != nil {
		return none, err
	}
	words := strings.Fields(strings.ToLower(q.Search))
	out := []OperationView{}
	for i := range c.System.Operations {
		if o := &c.System.Operations[i]; o.ID > after && q.wants(o) && mentions(o, words) {
			out = append(out, viewOperation(o))
		}
	}
	slices.SortFunc(out, func(a, b OperationView) int { return strings.Compare(a.ID, b.ID) })
	out = out[:min(len(out), size+1)]
	return page.Cut(out, size, func(v OperationView) any { return v.ID })
}

func (q OperationQuery) wants(o *systems.Operation) bool {
	if q.Group != nil && o.Group != *q.Group {
		return false
	}
	switch q.State {
	case "enabled":
		return !o.Disabled
	case "disabled":
		return o.Disabled
	case "changed":
		return o.Disabled && o.DisabledBy == systems.DisabledByChange
	}
	return true
}

func mentions(o *systems.Operation, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(strings.Join([]string{o.ID, o.Title.En, o.Title.Zh, o.Path, o.Group, o.Method}, "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// Operation returns everything about an operation, or a fault.NotFound.
func (s *Service) Operation(ctx context.Context, project, system, id string) (OperationDetail, error) {
	c, err := s.System(ctx, project, system)
	if err != nil {
		return OperationDetail{}, err
	}
	o, ok := c.Operation(id)
	if !ok {
		return OperationDetail{}, fault.Missing("operation", id)
	}
	grants, err := s.o.Repository.SystemGrants(ctx, project, system)
	if err != nil {
		return OperationDetail{}, fault.Wrap("read grants", err)
	}
	d := OperationDetail{
		OperationView: viewOperation(o.Operation), System: system, Doc: o.Doc, BodyRequired: o.BodyRequired,
		Parameters: make([]systems.Parameter, len(o.Parameters)), ResponseHeaders: o.ResponseHeaders, KeyHeader: o.KeyHeader,
		Success: c.SuccessOf(o), Plugins: plugins(grants)[id],
	}
	if d.Plugins == nil {
		d.Plugins = []string{}
	}
	whole := func(raw json.RawMessage) json.RawMessage {
		if len(raw) == 0 || err != nil {
			return nil
		}
		raw, err = o.Whole(raw)
		return raw
	}
	d.Body, d.Response = whole(o.Operation.Body), whole(o.Response)
	for i, p := range o.Parameters {
		p.Schema = whole(p.Schema)
		d.Parameters[i] = p
	}
	if err == nil {
		d.Form, err = o.Form()
	}
	return d, fault.Wrap("write the schemas of the operation", err)
}

// OperationForm returns the JSON Schema of what a call of an operation takes, an object with
// the properties params and body, and whether the operation is switched on; or a
// fault.NotFound.
func (s *Service) OperationForm(ctx context.Context, project, system, id string) (json.RawMessage, bool, error) {
	c, err := s.System(ctx, project, system)
	if err != nil {
		return nil, false, err
	}
	o, ok := c.Operation(id)
	if !ok {
		return nil, false, fault.Missing("operation", id)
	}
	form, err := o.Form()
	return form, !o.Disabled, fault.Wrap("write the form of the operation", err)
}

// EnableRequest switches operations of a system on or off.
type EnableRequest struct {
	Project, System string
	Actor           engine.Actor
	// Operations are their ids; Group, if not nil, adds all of a group.
	Operations []string
	Group      *string
	Enabled    bool
}

// Enable switches operations on or off: all, or none when one does not exist.
func (s *Service) Enable(ctx context.Context, r EnableRequest) (View, error) {
	row, err := s.o.Repository.System(ctx, r.Project, r.System)
	if err != nil {
		return View{}, fault.Wrap("read system", err)
	}
	c, err := s.compiled.get(row)
	if err != nil {
		return View{}, err
	}
	doc := *c.System
	doc.Operations = slices.Clone(doc.Operations)
	wanted := map[string]bool{}
	for i, id := range r.Operations {
		if _, ok := c.Operation(id); !ok {
			f := fault.Missing("operation", id)
			f.Field = "/operations/" + itoa(i)
			return View{}, f
		}
		wanted[id] = true
	}
	var switched []string
	for i := range doc.Operations {
		o := &doc.Operations[i]
		if !wanted[o.ID] && (r.Group == nil || o.Group != *r.Group) || !o.Disabled == r.Enabled {
			continue
		}
		o.Disabled, o.DisabledBy = !r.Enabled, ""
		switched = append(switched, o.ID)
	}
	if len(switched) == 0 {
		return s.view(ctx, row)
	}
	next, err := s.stored(r.Project, r.Actor, &doc, row.Version+1)
	if err != nil {
		return View{}, err
	}
	e := Entry{Version: next.Version, Action: ActionEnable, At: next.UpdatedAt, Actor: next.UpdatedBy, Digest: next.Digest}
	if switched = switched[:min(len(switched), summaryMax)]; r.Enabled {
		e.Summary.Enabled = switched
	} else {
		e.Summary.Disabled = switched
	}
	ok, err := s.o.Repository.PutSystem(ctx, next, e)
	switch {
	case err != nil:
		return View{}, fault.Wrap("store system", err)
	case !ok:
		return View{}, s.conflict(ctx, r.Project, r.System)
	}
	return s.view(ctx, next)
}
