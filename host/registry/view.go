package registry

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// View is a system as a project sees it. It holds no credential.
type View struct {
	ID    string        `json:"id"`
	Title contract.Text `json:"title"`
	Doc   contract.Text `json:"doc,omitzero"`
	// Version counts the changes of the system, from 1.
	Version       int             `json:"version"`
	UpdatedAt     time.Time       `json:"updated_at"`
	UpdatedBy     string          `json:"updated_by"`
	BaseURL       string          `json:"base_url"`
	Auth          systems.Auth    `json:"auth"`
	Limits        systems.Limits  `json:"limits,omitzero"`
	Success       systems.Success `json:"success,omitzero"`
	Import        *systems.Import `json:"import,omitempty"`
	CredentialSet bool            `json:"credential_set"`
	// Groups are the groups of the operations by name, the empty one first.
	Groups     []Group         `json:"groups"`
	Operations []OperationView `json:"operations"`
}

// Group counts the operations of a group.
type Group struct {
	Name       string `json:"name"`
	Operations int    `json:"operations"`
	Enabled    int    `json:"enabled"`
}

// OperationView is an operation as a list shows it.
type OperationView struct {
	ID         string             `json:"id"`
	Title      contract.Text      `json:"title"`
	Group      string             `json:"group,omitempty"`
	Method     string             `json:"method"`
	Path       string             `json:"path"`
	Retry      systems.Retry      `json:"retry"`
	Risk       systems.Risk       `json:"risk"`
	Enabled    bool               `json:"enabled"`
	DisabledBy systems.DisabledBy `json:"disabled_by,omitempty"`
	Imported   bool               `json:"imported,omitempty"`
}

// OperationDetail is everything about an operation. Its schemas stand alone: what they
// refer to is in their $defs.
type OperationDetail struct {
	OperationView
	System       string              `json:"system"`
	Doc          contract.Text       `json:"doc,omitzero"`
	Parameters   []systems.Parameter `json:"parameters"`
	Body         json.RawMessage     `json:"body,omitempty"`
	BodyRequired bool                `json:"body_required,omitempty"`
	// Form is a JSON Schema of an object with the properties params and body: what a call
	// of the operation takes.
	Form            json.RawMessage `json:"form"`
	Response        json.RawMessage `json:"response,omitempty"`
	ResponseHeaders []string        `json:"response_headers,omitempty"`
	KeyHeader       string          `json:"key_header,omitempty"`
	// Success is the operation's own or that of its system.
	Success systems.Success `json:"success,omitzero"`
	// Plugins are those that were granted the operation.
	Plugins []string `json:"plugins"`
}

func viewOperation(o *systems.Operation) OperationView {
	return OperationView{
		ID: o.ID, Title: o.Title, Group: o.Group, Method: o.Method, Path: o.Path, Retry: o.Retry, Risk: o.Risk,
		Enabled: !o.Disabled, DisabledBy: o.DisabledBy, Imported: o.Imported,
	}
}

func (s *Service) view(ctx context.Context, row Stored) (View, error) {
	c, err := s.compiled.get(row)
	if err != nil {
		return View{}, err
	}
	doc := c.System
	v := View{
		ID: doc.ID, Title: doc.Title, Doc: doc.Doc, Version: row.Version, UpdatedAt: row.UpdatedAt, UpdatedBy: row.UpdatedBy,
		BaseURL: doc.BaseURL, Auth: doc.Auth, Limits: doc.Limits, Success: doc.Success, Import: doc.Import,
		Operations: make([]OperationView, len(doc.Operations)), Groups: groupsOf(doc.Operations),
	}
	if v.Auth.Type == "" {
		v.Auth.Type = systems.AuthNone
	}
	if v.Auth.Type != systems.AuthNone {
		if v.CredentialSet, err = s.o.Credentials.IsSet(ctx, Target(row.Project, doc)); err != nil {
			return View{}, fault.Wrap("look for the credential", err)
		}
	}
	for i := range doc.Operations {
		v.Operations[i] = viewOperation(&doc.Operations[i])
	}
	return v, nil
}

func groupsOf(ops []systems.Operation) []Group {
	at := map[string]int{}
	out := []Group{}
	for i := range ops {
		o := &ops[i]
		n, ok := at[o.Group]
		if !ok {
			n = len(out)
			at[o.Group] = n
			out = append(out, Group{Name: o.Group})
		}
		out[n].Operations++
		if !o.Disabled {
			out[n].Enabled++
		}
	}
	slices.SortFunc(out, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return out
}
