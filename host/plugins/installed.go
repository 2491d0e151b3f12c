package plugins

import (
	"cmp"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Installed is a plugin of the installation with all its versions, also those that
// nothing may run.
type Installed struct {
	ID string `json:"id"`
	// Title, Doc and Icon are those of the version in use, else of the highest one.
	Title contract.Text `json:"title"`
	Doc   contract.Text `json:"doc,omitzero"`
	Icon  string        `json:"icon,omitempty"`
	// Versions have no manifests; the highest is first.
	Versions []Module `json:"versions"`
}

// InstalledQuery asks for plugins of the installation, by id.
type InstalledQuery struct {
	// Search, if not empty, is looked for, without case, in the id, the title and the
	// description of a plugin and of its actions.
	Search string
	Page   page.Query
}

// Installed returns a page of everything that is installed, in whatever state.
func (c *Catalogue) Installed(q InstalledQuery) (page.Of[Installed], error) {
	none := page.Of[Installed]{}
	limit, err := q.Page.Size()
	if err != nil {
		return none, err
	}
	after := ""
	if _, err := q.Page.After(&after); err != nil {
		return none, err
	}
	by := map[string][]Module{}
	c.mu.RLock()
	for _, m := range c.byDigest {
		if m.Plugin > after {
			by[m.Plugin] = append(by[m.Plugin], m)
		}
	}
	c.mu.RUnlock()
	items := []Installed{}
	for id, versions := range by {
		slices.SortFunc(versions, byVersion)
		shown := versions[0].Manifest
		if i := slices.IndexFunc(versions, func(m Module) bool { return m.Latest }); i >= 0 {
			shown = versions[i].Manifest
		}
		if !mentions(shown, q.Search) {
			continue
		}
		for i := range versions {
			versions[i] = c.weighed(versions[i])
			versions[i].Manifest = nil
		}
		items = append(items, Installed{ID: id, Title: shown.Title, Doc: shown.Doc, Icon: shown.Icon, Versions: versions})
	}
	slices.SortFunc(items, func(a, b Installed) int { return cmp.Compare(a.ID, b.ID) })
	return page.Cut(items[:min(len(items), limit+1)], limit, func(i Installed) any { return i.ID })
}

// byVersion puts the highest version first.
func byVersion(a, b Module) int {
	return cmp.Or(compare(b.Version, a.Version), b.InstalledAt.Compare(a.InstalledAt), strings.Compare(a.Digest, b.Digest))
}

// mentions reports whether a manifest has a text in what people look for.
func mentions(m *contract.Manifest, search string) bool {
	search = strings.ToLower(strings.TrimSpace(search))
	if search == "" {
		return true
	}
	texts := []string{m.ID, m.Title.En, m.Title.Zh, m.Doc.En, m.Doc.Zh}
	for i := range m.Actions {
		a := &m.Actions[i]
		texts = append(texts, a.ID, a.Title.En, a.Title.Zh, a.Doc.En, a.Doc.Zh)
	}
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), search) })
}
