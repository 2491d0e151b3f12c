package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"
)

// Secrets says where the keys of secrets are, and how long secrets are kept.
type Secrets struct {
	// KeyFile is the file of the keys; empty means secrets.key inside the data directory.
	KeyFile string `yaml:"key_file"`
	// MasterKey is where the key comes from that the key file is encrypted with: env:NAME,
	// file:/PATH or credential:NAME (of systemd); empty leaves the file unencrypted.
	MasterKey string `yaml:"master_key"`
	// FormerMasterKey is where the one before comes from, until the file was encrypted anew.
	FormerMasterKey string `yaml:"former_master_key"`
	// Keep is how long the secrets of a run are kept after its end.
	Keep time.Duration `yaml:"keep"`
}

// MaxSecretsKeep bounds how long the secrets of an ended run may be kept.
const MaxSecretsKeep = 30 * 24 * time.Hour

// masterKeyPattern is what names the source of a master key; host/secrets reads it.
var masterKeyPattern = regexp.MustCompile(`^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+|credential:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

// Path returns the path of the key file, for a data directory.
func (s *Secrets) Path(data string) string {
	if s.KeyFile == "" {
		return filepath.Join(data, "secrets.key")
	}
	return s.KeyFile
}

// check tells add what is wrong with each field. What stands where a source should is not
// repeated: it may be the key itself.
func (s *Secrets) check(add func(string, error)) {
	add("secrets.key_file", checkPath(s.KeyFile, false))
	add("secrets.master_key", checkMasterKey(s.MasterKey))
	add("secrets.former_master_key", checkMasterKey(s.FormerMasterKey))
	if s.Keep < 0 || s.Keep > MaxSecretsKeep {
		add("secrets.keep", fmt.Errorf("%s is not between 0s and %s", s.Keep, MaxSecretsKeep))
	}
}

func checkMasterKey(s string) error {
	if !masterKeyPattern.MatchString(s) {
		return errors.New("is none of env:NAME, file:/PATH and credential:NAME")
	}
	return nil
}
