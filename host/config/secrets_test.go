package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/config"
)

// What stands where the place of a master key should may be the key: it is not repeated.
func TestSettingsOfSecretsAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set   func(*config.Secrets)
		field string
	}{
		"a key for its place":        {func(s *config.Secrets) { s.MasterKey = "correct-horse" }, "secrets.master_key"},
		"a former key for its place": {func(s *config.Secrets) { s.FormerMasterKey = "file:correct-horse" }, "secrets.former_master_key"},
		"a root":                     {func(s *config.Secrets) { s.KeyFile = "/" }, "secrets.key_file"},
		"before the end":             {func(s *config.Secrets) { s.Keep = -time.Second }, "secrets.keep"},
		"for ever":                   {func(s *config.Secrets) { s.Keep = config.MaxSecretsKeep + 1 }, "secrets.keep"},
	} {
		cfg := config.Default()
		c.set(&cfg.Secrets)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.field) || strings.Contains(err.Error(), "correct-horse") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := config.Secrets{}
	if got := s.Path("data"); got != "data/secrets.key" {
		t.Errorf("the key file is %s", got)
	}
}
