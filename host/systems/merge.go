package systems

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Kind says what happened to an operation between two versions of a system.
type Kind string

// The kinds of changes.
const (
	Added   Kind = "added"
	Changed Kind = "changed"
	Removed Kind = "removed"
)

// Change is what a new version of a system does to one operation.
type Change struct {
	Operation string `json:"operation"`
	Kind      Kind   `json:"kind"`
	Title     string `json:"title"`
	Group     string `json:"group,omitempty"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Risk      Risk   `json:"risk"`
	// Fields are the differences of a changed operation.
	Fields []FieldChange `json:"fields,omitempty"`
	// Wider says that it reaches or takes more than before, or that this cannot be ruled out.
	Wider bool `json:"wider"`
	// WasEnabled and Enabled are before and after; a removed operation is not enabled after.
	WasEnabled bool `json:"was_enabled"`
	Enabled    bool `json:"enabled"`
	// Plugins are those that were granted the operation.
	Plugins []string `json:"plugins,omitempty"`
}

// Merge makes the version of a system that follows before from the one that somebody wants,
// so that nothing can be called that could not be before and that nobody decided on. It
// returns what it changes, in the order of the operations' ids. before is nil for a new system;
// granted are the plugins by operation; after is changed in place.
//
//   - An operation that is switched off stays so: a document cannot switch it on.
//   - One that becomes wider is switched off when it is granted to anybody, and when strict,
//     because the document comes from outside, in any case.
//   - One that is new and has grants, of an earlier life, is switched off.
func Merge(before, after *System, granted map[string][]string, strict bool) []Change {
	old := map[string]*Operation{}
	var shared map[string]json.RawMessage
	if before != nil {
		shared = before.Schemas
		for i := range before.Operations {
			old[before.Operations[i].ID] = &before.Operations[i]
		}
	}
	var out []Change
	kept := map[string]bool{}
	for i := range after.Operations {
		o := &after.Operations[i]
		kept[o.ID] = true
		b := old[o.ID]
		if b == nil {
			if len(granted[o.ID]) > 0 && !o.Disabled {
				o.Disabled, o.DisabledBy = true, DisabledByChange
			}
			c := change(o, Added, granted[o.ID])
			c.Enabled, c.Wider = !o.Disabled, true
			out = append(out, c)
			continue
		}
		if c, differs := follows(o, Version{b, shared}, after.Schemas, granted[o.ID], strict); differs {
			out = append(out, c)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		if !kept[id] {
			c := change(old[id], Removed, granted[id])
			c.WasEnabled = !old[id].Disabled
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return strings.Compare(a.Operation, b.Operation) })
	return out
}

// follows makes o follow what it was before, and says whether anything differs.
func follows(o *Operation, before Version, shared map[string]json.RawMessage, plugins []string, strict bool) (Change, bool) {
	c := change(o, Changed, plugins)
	c.Fields = Compare(before, Version{o, shared})
	c.Wider, c.WasEnabled = Widens(c.Fields), !before.Disabled
	switch {
	case o.Disabled && o.DisabledBy != "":
	case before.Disabled:
		o.Disabled, o.DisabledBy = true, before.DisabledBy
	case c.Wider && !o.Disabled && (strict || len(plugins) > 0):
		o.Disabled, o.DisabledBy = true, DisabledByChange
	}
	if o.DisabledBy == DisabledByRemoval && before.DisabledBy != DisabledByRemoval {
		c.Fields = append(c.Fields, FieldChange{Field: "disabled_by", From: string(before.DisabledBy), To: string(o.DisabledBy)})
	}
	c.Enabled = !o.Disabled
	return c, len(c.Fields) > 0 || c.Enabled != c.WasEnabled
}

func change(o *Operation, k Kind, plugins []string) Change {
	return Change{
		Operation: o.ID, Kind: k, Title: o.Title.In("en"), Group: o.Group, Method: o.Method, Path: o.Path, Risk: o.Risk, Plugins: plugins,
	}
}
