package app

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/pdk/contract"
)

// Shipped is the plugins that lie in a directory with an index: those embedded in the
// binary. It implements plugins.Shipped.
type Shipped struct {
	files   fs.FS
	entries []build.Entry
	// missing names the plugins of the index whose module is not there: the tree
	// was not built completely.
	missing []string
}

// NewShipped reads the index of a directory. A directory without one ships nothing.
func NewShipped(files fs.FS) (*Shipped, error) {
	s := &Shipped{files: files}
	raw, err := fs.ReadFile(files, build.IndexFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("app: shipped plugins: %w", err)
	}
	index, err := build.ReadIndex(raw)
	if err != nil {
		return nil, fmt.Errorf("app: shipped plugins: %w", err)
	}
	for _, e := range index.Plugins {
		switch _, err := fs.Stat(files, e.File); {
		case err == nil:
			s.entries = append(s.entries, e)
		case errors.Is(err, fs.ErrNotExist):
			s.missing = append(s.missing, e.ID)
		default:
			return nil, fmt.Errorf("app: shipped plugins: %w", err)
		}
	}
	return s, nil
}

// Index lists the plugins whose modules are there.
func (s *Shipped) Index() ([]plugins.ShippedPlugin, error) {
	out := make([]plugins.ShippedPlugin, len(s.entries))
	for i, e := range s.entries {
		out[i] = plugins.ShippedPlugin{ID: e.ID, Version: e.Version, Digest: e.Digest}
	}
	return out, nil
}

// Code returns the module of an entry, and refuses one with another digest than the
// index names.
func (s *Shipped) Code(p plugins.ShippedPlugin) ([]byte, error) {
	for _, e := range s.entries {
		if e.Digest != p.Digest {
			continue
		}
		code, err := fs.ReadFile(s.files, e.File)
		if err != nil {
			return nil, fmt.Errorf("app: shipped plugin %s: %w", e.ID, err)
		}
		if got := build.Digest(code); got != e.Digest {
			return nil, fmt.Errorf("app: shipped plugin %s: its module has digest %s, the index names %s: build the plugins again (make plugins)", e.ID, got, e.Digest)
		}
		return code, nil
	}
	return nil, fmt.Errorf("app: no shipped plugin with digest %s", p.Digest)
}

// Missing names the plugins of the index that were not built.
func (s *Shipped) Missing() []string { return s.missing }

// Manifests reads what the shipped plugins offer, without installing them.
func (s *Shipped) Manifests() (Manifests, error) {
	out := Manifests{}
	for _, e := range s.entries {
		code, err := s.Code(plugins.ShippedPlugin{Digest: e.Digest})
		if err != nil {
			return nil, err
		}
		m, err := build.ReadManifest(code)
		if err != nil {
			return nil, fmt.Errorf("app: shipped plugin %s: %w", e.ID, err)
		}
		out[m.ID] = m
	}
	return out, nil
}

// Manifests is a catalogue made of manifests, by plugin id: what a flow is checked
// against where nothing is installed.
type Manifests map[string]contract.Manifest

var _ engine.Catalogue = Manifests{}

// Action returns an action's declaration, or false.
func (m Manifests) Action(plugin, action string) (contract.Action, bool) {
	manifest, ok := m[plugin]
	if !ok {
		return contract.Action{}, false
	}
	a, ok := manifest.Action(action)
	if !ok {
		return contract.Action{}, false
	}
	return *a, true
}
