package secrets_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/store"
)

const canary = "c4nary-hunter2-secret"

// holder holds a secret as other types do: exported, unexported, nested, by pointer.
type holder struct {
	Token  secrets.Secret
	hidden secrets.Secret
	Inner  struct{ Deep secrets.Secret }
	ByName map[string]secrets.Secret
	Ref    *secrets.Secret
}

func newHolder() holder {
	s := secrets.NewSecret(canary)
	h := holder{Token: s, hidden: s, ByName: map[string]secrets.Secret{"a": s}, Ref: &s}
	h.Inner.Deep = s
	return h
}

func TestSecretShowsAsMaskEverywhere(t *testing.T) {
	t.Parallel()
	s, h := secrets.NewSecret(canary), newHolder()
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %v"} {
		args := []any{s}
		if strings.HasPrefix(verb, "%T") {
			args = append(args, s)
		}
		shown = append(shown, fmt.Sprintf(verb, args...))
		if !strings.HasPrefix(verb, "%T") {
			shown = append(shown, fmt.Sprintf(verb, h), fmt.Sprintf(verb, &h), fmt.Sprintf(verb, []holder{h}))
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		l := slog.New(handler)
		l.Info("x", slog.Any("secret", s), slog.Any("holder", h), slog.Any("pointer", &h))
		l.With(slog.Any("secret", &s)).Error("x", slog.Any("error", fmt.Errorf("bad %v: %w", s, errors.New(s.String()))))
	}
	for _, v := range []any{s, h, &h, map[string]any{"a": s}} {
		js, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(js))
	}
	shown = append(shown, log.String(), s.String(), s.GoString(), fmt.Errorf("%w %v", errors.New("x"), h).Error())
	for _, text := range shown {
		for _, leak := range []string{canary, "hunter2", fmt.Sprintf("%x", canary), "99 52 110"} {
			if strings.Contains(text, leak) {
				t.Errorf("%q shows the secret", text)
			}
		}
	}
	if shown[0] != secrets.Mask || s.Reveal() != canary || h.hidden.Reveal() != canary {
		t.Errorf("got %q and %q", shown[0], s.Reveal())
	}
	if js, err := json.Marshal(s); err != nil || string(js) != `"***"` {
		t.Errorf("as JSON: %s %v", js, err)
	}
	var zero secrets.Secret
	if !zero.IsZero() || zero.Reveal() != "" || zero.String() != secrets.Mask {
		t.Error("the zero value is not the empty secret")
	}
}

// place is a data directory with its key.
type place struct {
	dir  string
	db   *sqlite.DB
	rows store.Secrets
}

func open(t *testing.T, dir string) place {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "db", "culm.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := store.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return place{dir, db, s.Secrets()}
}

func (p place) key() string { return filepath.Join(p.dir, "keys", "key") }

func (p place) vault(t *testing.T) *secrets.Vault {
	t.Helper()
	v, err := secrets.Open(t.Context(), p.key(), p.rows, clock{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func target(system string) secrets.Target {
	return secrets.Target{Project: "ops", System: system, Kind: secrets.KindBearer, Origin: "https://a"}
}

func token(s string) secrets.Input { return secrets.Input{Token: secrets.NewSecret(s)} }

func TestCredentialComesBackAfterARestart(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	if err := p.vault(t).Set(t.Context(), target("a"), token(canary), "ada"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(p.key())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key file has the mode %v, %v", info.Mode(), err)
	}
	again := p.vault(t)
	c, err := again.Credential(t.Context(), target("a"))
	if err != nil || c.Secret.Reveal() != canary || c.Kind != secrets.KindBearer || c.ID == "" {
		t.Fatalf("got %+v, %v", c, err)
	}
	// Setting it again makes a new version with a new id.
	if err := again.Set(t.Context(), target("a"), token("another-secret"), "ada"); err != nil {
		t.Fatal(err)
	}
	if d, err := again.Credential(t.Context(), target("a")); err != nil || d.Secret.Reveal() != "another-secret" || d.ID == c.ID {
		t.Fatalf("got %+v, %v", d, err)
	}
	if err := again.Delete(t.Context(), "ops", "a", 0); err != nil {
		t.Fatal(err)
	}
	if ok, err := again.IsSet(t.Context(), target("a")); ok || err != nil {
		t.Fatalf("after deletion: %v, %v", ok, err)
	}
}

func TestCredentialIsForOneProjectSystemKindAndOrigin(t *testing.T) {
	t.Parallel()
	v := open(t, t.TempDir()).vault(t)
	if err := v.Set(t.Context(), target("a"), token(canary), "ada"); err != nil {
		t.Fatal(err)
	}
	for _, other := range []secrets.Target{
		{Project: "other", System: "a", Kind: secrets.KindBearer, Origin: "https://a"},
		{Project: "ops", System: "b", Kind: secrets.KindBearer, Origin: "https://a"},
		{Project: "ops", System: "a", Kind: secrets.KindAPIKey, Origin: "https://a"},
		{Project: "ops", System: "a", Kind: secrets.KindBearer, Origin: "https://evil"},
	} {
		if _, err := v.Credential(t.Context(), other); !errors.Is(err, secrets.ErrNoCredential) {
			t.Errorf("%+v: %v", other, err)
		}
	}
}

func TestWrongInputIsRefusedWithoutItsValue(t *testing.T) {
	t.Parallel()
	v := open(t, t.TempDir()).vault(t)
	secret := secrets.NewSecret
	for name, c := range map[string]struct {
		kind  secrets.Kind
		in    secrets.Input
		field string
	}{
		"nothing":            {secrets.KindBearer, secrets.Input{}, "/token"},
		"too short":          {secrets.KindBearer, token("abc"), "/token"},
		"too long":           {secrets.KindBearer, token(strings.Repeat("x", 20000)), "/token"},
		"a line break":       {secrets.KindBearer, token(canary + "\r\nX: y"), "/token"},
		"a user name":        {secrets.KindAPIKey, secrets.Input{Username: "a", Token: secret(canary)}, "/username"},
		"a password":         {secrets.KindBearer, secrets.Input{Password: secret(canary), Token: secret(canary)}, "/password"},
		"no user name":       {secrets.KindBasic, secrets.Input{Password: secret(canary)}, "/username"},
		"a colon":            {secrets.KindBasic, secrets.Input{Username: "a:b", Password: secret(canary)}, "/username"},
		"no password":        {secrets.KindBasic, secrets.Input{Username: "a"}, "/password"},
		"a token for basic":  {secrets.KindBasic, secrets.Input{Username: "a", Token: secret(canary)}, "/token"},
		"a system with none": {"none", token(canary), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := target("a")
			to.Kind = c.kind
			err := v.Set(t.Context(), to, c.in, "ada")
			var input *secrets.InputError
			if !errors.As(err, &input) || input.Field != c.field || strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// Rows that change places do not open.
func TestSwappedRowsDoNotOpen(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	v := p.vault(t)
	for _, system := range []string{"a", "b"} {
		if err := v.Set(t.Context(), target(system), token(canary+system), "ada"); err != nil {
			t.Fatal(err)
		}
	}
	read := func(system string) secrets.Sealed {
		t.Helper()
		all, err := p.rows.Credentials(t.Context(), "ops", system)
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %d rows, %v", system, len(all), err)
		}
		return all[0]
	}
	a, b := read("a"), read("b")
	for name, forged := range map[string]secrets.Sealed{
		"the cipher alone": {ID: b.ID, Project: "ops", System: "b", Cipher: a.Cipher},
		"with its id":      {ID: a.ID, Project: "ops", System: "b", Cipher: a.Cipher},
	} {
		if err := p.rows.DeleteCredential(t.Context(), "ops", "b", 0); err != nil {
			t.Fatal(err)
		}
		if name == "with its id" {
			if err := p.rows.DeleteCredential(t.Context(), "ops", "a", 0); err != nil {
				t.Fatal(err)
			}
		}
		forged.SetAt = time.Unix(0, 0)
		if _, err := p.rows.AddCredential(t.Context(), forged, true, func(secrets.Sealed) ([]byte, error) { return forged.Cipher, nil }); err != nil {
			t.Fatal(err)
		}
		if c, err := v.Credential(t.Context(), target("b")); err == nil || errors.Is(err, secrets.ErrNoCredential) {
			t.Errorf("%s: got %+v, %v", name, c, err)
		}
	}
}

// What is kept open holds for the bytes of its row alone: rows that change places, or are
// changed in place, fail at the next call and not at the next start.
func TestARowThatIsChangedWhileItsCredentialIsOpenDoesNotOpen(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	v := p.vault(t)
	for _, system := range []string{"a", "b"} {
		if err := v.Set(t.Context(), target(system), token(canary+system), "ada"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if c, err := v.Credential(t.Context(), target(system)); err != nil || c.Secret.Reveal() != canary+system {
				t.Fatalf("%s: %+v, %v", system, c, err)
			}
		}
	}
	for _, change := range []string{
		`UPDATE credential_versions SET cipher = (SELECT cipher FROM credential_versions WHERE system = 'a') WHERE system = 'b'`,
		`UPDATE credential_versions SET cipher = CAST(substr(cipher, 1, length(cipher) - 1) || x'00' AS BLOB)`,
	} {
		err := p.db.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
			_, err := tx.ExecContext(ctx, change)
			return err
		})
		if err == nil { // so that the store looks again
			err = p.rows.UsedCredentials(t.Context(), map[string]time.Time{"nobody": time.Unix(1, 0)})
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, err := v.Credential(t.Context(), target("b")); err == nil || errors.Is(err, secrets.ErrNoCredential) {
			t.Errorf("after %s: got %+v, %v", change, c, err)
		}
	}
}

func TestStartIsRefusedWithoutTheRightKey(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	if err := p.vault(t).Set(t.Context(), target("a"), token(canary), "ada"); err != nil {
		t.Fatal(err)
	}
	right, err := os.ReadFile(p.key())
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name string, want error) {
		t.Helper()
		if _, err := secrets.Open(t.Context(), p.key(), p.rows, clock{}); !errors.Is(err, want) || err == nil {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if err := os.Remove(p.key()); err != nil {
		t.Fatal(err)
	}
	refused("missing", secrets.ErrKeyMissing)
	if _, err := os.Stat(p.key()); !errors.Is(err, os.ErrNotExist) {
		t.Error("a new key was made over stored secrets")
	}
	other := open(t, t.TempDir())
	other.vault(t)
	wrong, err := os.ReadFile(other.key())
	if err != nil {
		t.Fatal(err)
	}
	put := func(data []byte, mode os.FileMode) {
		t.Helper()
		_ = os.Remove(p.key())
		if err := os.WriteFile(p.key(), data, mode); err != nil {
			t.Fatal(err)
		}
	}
	put(wrong, 0o600)
	refused("of another installation", secrets.ErrWrongKey)
	put(right, 0o640)
	refused("readable by others", secrets.ErrKeyMode)
	put([]byte(`{"hunter2":1}`), 0o600)
	if _, err := secrets.Open(t.Context(), p.key(), p.rows, clock{}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("damaged: %v", err)
	}
	put(right, 0o600)
	if c, err := p.vault(t).Credential(t.Context(), target("a")); err != nil || c.Secret.Reveal() != canary {
		t.Fatalf("with the right key again: %v", err)
	}
}

type clock struct{}

func (clock) Now() time.Time { return time.Now() }
