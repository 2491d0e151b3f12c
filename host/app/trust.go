package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/signing"
)

// TrustFile is the name of the file of trusted keys inside the data directory.
const TrustFile = "trust.yaml"

// TrustDocument is the file of trusted keys.
type TrustDocument struct {
	Keys []TrustedKey `json:"keys"`
}

// TrustedKey is a key whose signatures on plugins count.
type TrustedKey struct {
	// Publisher is whom the key belongs to, for people.
	Publisher string `json:"publisher"`
	// Key is the public key in PEM.
	Key string `json:"key"`
	// Plugins are patterns of the plugin ids that belong to the publisher ("acme-*").
	Plugins []string `json:"plugins,omitempty"`
	// Revoked ends the trust in the key and keeps its names from others.
	Revoked bool `json:"revoked,omitempty"`
}

// readTrust reads the trusted keys of an installation. A missing file inside the data
// directory trusts nobody; one that was named must be there.
func readTrust(cfg config.Config) (plugins.Trust, error) {
	t := plugins.Trust{Policy: plugins.Policy(cfg.Trust.Policy)}
	file := cfg.Trust.Keys
	if file == "" {
		file = filepath.Join(cfg.Data, TrustFile)
	}
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && cfg.Trust.Keys == "" {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("app: trusted keys: %w", err)
	}
	if t.Keys, err = ParseTrust(content); err != nil {
		return t, fmt.Errorf("app: trusted keys: %s: %w", file, err)
	}
	return t, nil
}

// ParseTrust reads a file of trusted keys, strictly.
func ParseTrust(content []byte) ([]plugins.Key, error) {
	var doc TrustDocument
	if _, err := document.Decode(content, &doc); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []plugins.Key
	for i, k := range doc.Keys {
		public, err := signing.ParsePublic([]byte(k.Key))
		if err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
		id := signing.KeyID(public)
		if k.Publisher == "" || seen[id] {
			return nil, fmt.Errorf("keys[%d]: a key has a publisher, and stands in the file once", i)
		}
		seen[id] = true
		for _, p := range k.Plugins {
			if _, err := path.Match(p, ""); err != nil || p == "" {
				return nil, fmt.Errorf("keys[%d]: %q is no pattern of plugin ids", i, p)
			}
		}
		out = append(out, plugins.Key{ID: id, Publisher: k.Publisher, Public: public, Plugins: k.Plugins, Revoked: k.Revoked})
	}
	return out, nil
}
