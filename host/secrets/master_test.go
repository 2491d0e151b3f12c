package secrets_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/secrets"
)

const (
	masterHex    = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	masterBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	otherMaster  = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"
)

// masters is the surroundings of a vault with a master key.
func masters(t *testing.T, content string, mode os.FileMode) (dir string, out secrets.Outside) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "master"), []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"MASTER": strings.TrimSpace(content), "OTHER": otherMaster, "CREDENTIALS_DIRECTORY": dir}
	return dir, secrets.Outside{Getenv: func(name string) string { return env[name] }}
}

// The key file is encrypted with a master key from a variable, a file or a credential of
// systemd, and one that is not encrypted yet becomes so at the next start.
func TestTheKeyFileIsEncryptedWithAMasterKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source, content string
		mode            os.FileMode
	}{
		"variable": {"env:MASTER", masterHex, 0o600}, "file": {"file:DIR/master", masterBase64 + "\n", 0o400},
		"credential": {"credential:master", strings.TrimRight(masterBase64, "="), 0o440},
	} {
		for _, fresh := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " fresh=", fresh), func(t *testing.T) {
				t.Parallel()
				p := open(t, t.TempDir())
				dir, out := masters(t, c.content, c.mode)
				source, err := secrets.ParseSource(strings.Replace(c.source, "DIR", dir, 1))
				if err != nil {
					t.Fatal(err)
				}
				var ref string
				if !fresh {
					ref = fill(t, p.vault(t))
				}
				v, err := p.with(t, secrets.Options{Master: source, Outside: out})
				if err != nil {
					t.Fatal(err)
				}
				if fresh {
					ref = fill(t, v)
				}
				opens(t, v, ref)
				if s, err := v.Rotate(t.Context()); err != nil || !s.Encrypted || s.MasterKey != source.String() {
					t.Errorf("%+v, %v", s, err)
				}
				text, err := os.ReadFile(p.key())
				info, e := os.Stat(p.key())
				if err != nil || e != nil || info.Mode().Perm() != 0o600 || !bytes.Contains(text, []byte("encryptedKeyset")) || bytes.Contains(text, []byte("keyData")) {
					t.Errorf("the key file is %s", text)
				}
				if _, err := p.with(t, secrets.Options{}); !errors.Is(err, secrets.ErrMasterUnset) {
					t.Errorf("without a master key: %v", err)
				}
				again, err := p.with(t, secrets.Options{Master: source, Outside: out})
				if err != nil {
					t.Fatal(err)
				}
				opens(t, again, ref)
				if names, err := filepath.Glob(filepath.Join(filepath.Dir(p.key()), ".key-*")); err != nil || len(names) > 0 {
					t.Errorf("left behind: %v", names)
				}
			})
		}
	}
}

// K10: without the right master key the start is refused, and nothing is changed; what is
// no key is never repeated in the refusal.
func TestAWrongMasterKeyIsRefused(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	_, out := masters(t, masterHex, 0o600)
	right := secrets.Source{Kind: secrets.SourceEnv, Name: "MASTER"}
	v, err := p.with(t, secrets.Options{Master: right, Outside: out})
	if err != nil {
		t.Fatal(err)
	}
	ref := fill(t, v)
	before, err := os.ReadFile(p.key())
	if err != nil {
		t.Fatal(err)
	}
	loose, _ := masters(t, masterHex, 0o644)
	bad, outBad := masters(t, canary, 0o600)
	for name, c := range map[string]struct {
		source secrets.Source
		out    secrets.Outside
		want   error
	}{
		"another key":         {secrets.Source{Kind: secrets.SourceEnv, Name: "OTHER"}, out, secrets.ErrWrongMaster},
		"no such variable":    {secrets.Source{Kind: secrets.SourceEnv, Name: "NONE"}, out, secrets.ErrMasterMissing},
		"no such file":        {secrets.Source{Kind: secrets.SourceFile, Name: loose + "/none"}, out, secrets.ErrMasterMissing},
		"readable by others":  {secrets.Source{Kind: secrets.SourceFile, Name: loose + "/master"}, out, secrets.ErrKeyMode},
		"no such credential":  {secrets.Source{Kind: secrets.SourceCredential, Name: "none"}, out, secrets.ErrMasterMissing},
		"no credentials":      {secrets.Source{Kind: secrets.SourceCredential, Name: "master"}, secrets.Outside{Getenv: func(string) string { return "" }}, secrets.ErrMasterMissing},
		"a password":          {secrets.Source{Kind: secrets.SourceEnv, Name: "MASTER"}, outBad, nil},
		"a password, in file": {secrets.Source{Kind: secrets.SourceFile, Name: bad + "/master"}, out, nil},
	} {
		_, err := p.with(t, secrets.Options{Master: c.source, Outside: c.out})
		if err == nil || c.want != nil && !errors.Is(err, c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if now, err := os.ReadFile(p.key()); err != nil || !bytes.Equal(now, before) {
			t.Fatalf("%s: the key file was changed", name)
		}
	}
	// The former master key is named while the new one takes over.
	other := secrets.Source{Kind: secrets.SourceEnv, Name: "OTHER"}
	for _, o := range []secrets.Options{{Master: other, Former: right, Outside: out}, {Master: other, Outside: out}} {
		if v, err = p.with(t, o); err != nil {
			t.Fatal(err)
		}
		opens(t, v, ref)
	}
	if _, err := p.with(t, secrets.Options{Master: right, Outside: out}); !errors.Is(err, secrets.ErrWrongMaster) {
		t.Errorf("with the former one: %v", err)
	}
}

func TestSourcesOfMasterKeysAreRead(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"env:CULM_MASTER_KEY", "file:/etc/culm/master.key", "credential:culm-master-key"} {
		if s, err := secrets.ParseSource(good); err != nil || s.String() != good {
			t.Errorf("%s: %v, %v", good, s, err)
		}
	}
	if s, err := secrets.ParseSource(""); err != nil || s.String() != "none" {
		t.Errorf("nothing: %v, %v", s, err)
	}
	for _, bad := range []string{masterHex, "env:", "env:A B", "env:A=B", "file:relative", "file:", "credential:../x", "credential:", "none:", "vault:x", canary} {
		if s, err := secrets.ParseSource(bad); err == nil || len(bad) > 12 && strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v, %v", bad, s, err)
		}
	}
}
