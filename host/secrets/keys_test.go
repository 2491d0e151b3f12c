package secrets_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/secrets"
)

// with opens the vault with options.
func (p place) with(t *testing.T, o secrets.Options) (*secrets.Vault, error) {
	t.Helper()
	if o.KeyFile == "" {
		o.KeyFile = p.key()
	}
	if o.Rows == nil {
		o.Rows = p.rows
	}
	o.Clock = clock{}
	return secrets.OpenWith(t.Context(), o)
}

// fill keeps one secret of each kind and returns the reference of that of a run.
func fill(t *testing.T, v *secrets.Vault) string {
	t.Helper()
	if err := v.Set(t.Context(), target("a"), token(canary), "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.SetProject(t.Context(), "ops", "TOKEN", secrets.NewSecret("project-"+canary), "ada"); err != nil {
		t.Fatal(err)
	}
	ref, err := v.PutRun(t.Context(), "ops", "run1", "password", secrets.NewSecret("run-"+canary))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// opens fails unless everything that fill kept can be read.
func opens(t *testing.T, v *secrets.Vault, ref string) {
	t.Helper()
	if c, err := v.Credential(t.Context(), target("a")); err != nil || c.Secret.Reveal() != canary {
		t.Errorf("credential: %v", err)
	}
	for r, want := range map[string]string{secrets.ProjectRef("TOKEN"): "project-" + canary, ref: "run-" + canary} {
		if s, err := v.Resolve(t.Context(), "ops", r); err != nil || s.Reveal() != want {
			t.Errorf("%s: %v", r, err)
		}
	}
	if c, err := v.Verify(t.Context()); err != nil || c.Opened != 3 || len(c.Broken) != 0 {
		t.Errorf("verified %+v, %v", c, err)
	}
}

// ciphers returns everything that is sealed, by table and row.
func (p place) ciphers(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for table, key := range map[string]string{
		"secret_canary": "''", "secret_mac_key": "''", "credential_versions": "system||version", "project_secrets": "name", "run_secrets": "name||version",
	} {
		rows, err := p.db.Read().QueryContext(t.Context(), "SELECT "+key+", cipher FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var cipher []byte
			if err := rows.Scan(&id, &cipher); err != nil {
				t.Fatal(err)
			}
			out[table+" "+id] = cipher
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
	}
	return out
}

func (p place) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	err := p.db.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A change of keys seals the data keys anew and leaves the values as they are; the former
// key can be retired then.
func TestAChangeOfKeysSealsTheDataKeysAnew(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	v := p.vault(t)
	ref := fill(t, v)
	handle := v.Handle(secrets.Attempt{Project: "ops", Run: "run1", Node: "a"}, ref)
	before := p.ciphers(t)
	first, err := v.Keys(t.Context())
	if err != nil || len(first.Keys) != 1 || first.Keys[0].Sealed != 5 || first.Encrypted || first.MasterKey != "none" {
		t.Fatalf("%+v, %v", first, err)
	}
	s, err := v.Rotate(t.Context())
	if err != nil || len(s.Keys) != 2 || s.Pending != 0 || !s.Keys[1].Primary || s.Keys[1].Sealed != 5 || s.Keys[0].Sealed != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	for row, after := range p.ciphers(t) {
		n := 4 + binary.BigEndian.Uint32(after)
		if bytes.Equal(before[row][:n], after[:n]) || !bytes.Equal(before[row][n:], after[n:]) {
			t.Errorf("%s: the data key has to change, and the value to stay", row)
		}
	}
	opens(t, v, ref)
	if _, err := v.Retire(t.Context(), s.Keys[1].ID); !errors.Is(err, secrets.ErrKeyInUse) {
		t.Errorf("the primary key is retired: %v", err)
	}
	for _, id := range []string{"", "x", "1", "99999999999999999999"} {
		if _, err := v.Retire(t.Context(), id); !errors.Is(err, secrets.ErrNoKey) {
			t.Errorf("key %q: %v", id, err)
		}
	}
	if s, err = v.Retire(t.Context(), first.Keys[0].ID); err != nil || len(s.Keys) != 1 || !s.Keys[0].Primary {
		t.Fatalf("%+v, %v", s, err)
	}
	opens(t, v, ref)
	again := p.vault(t)
	opens(t, again, ref)
	if again.Handle(secrets.Attempt{Project: "ops", Run: "run1", Node: "a"}, ref) != handle {
		t.Error("the handles of attempts under way changed")
	}
}

// What the program before this one sealed opens, and takes part in a change of keys.
func TestWhatAnEarlierProgramSealedOpens(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/before_rotation.json")
	if err != nil {
		t.Fatal(err)
	}
	var was struct {
		Key                      json.RawMessage
		Canary, Ref, Handle      string
		MACKey                   string `json:"mac_key"`
		Credential, Project, Run struct {
			ID, Cipher string
			Version    int
		}
	}
	if err := json.Unmarshal(text, &was); err != nil {
		t.Fatal(err)
	}
	raw := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p := open(t, t.TempDir())
	if err := errors.Join(os.MkdirAll(filepath.Dir(p.key()), 0o700), os.WriteFile(p.key(), was.Key, 0o600)); err != nil {
		t.Fatal(err)
	}
	p.exec(t, `INSERT INTO secret_canary (id, cipher) VALUES (1, ?)`, raw(was.Canary))
	p.exec(t, `INSERT INTO secret_mac_key (id, cipher) VALUES (1, ?)`, raw(was.MACKey))
	p.exec(t, `INSERT INTO credential_versions (project, system, version, id, cipher, set_at, set_by, is_primary) VALUES ('ops', 'a', ?, ?, ?, 0, 'ada', 1)`,
		was.Credential.Version, was.Credential.ID, raw(was.Credential.Cipher))
	p.exec(t, `INSERT INTO project_secrets (project, name, version, cipher, fingerprint, set_at, set_by) VALUES ('ops', 'TOKEN', ?, ?, '', 0, 'ada')`,
		was.Project.Version, raw(was.Project.Cipher))
	p.exec(t, `INSERT INTO run_secrets (project, run, name, version, cipher, set_at) VALUES ('ops', 'run1', 'password', ?, ?, 0)`, was.Run.Version, raw(was.Run.Cipher))
	v := p.vault(t)
	opens(t, v, was.Ref)
	if got := v.Handle(secrets.Attempt{Project: "ops", Run: "run1", Node: "a"}, was.Ref); got != was.Handle {
		t.Errorf("the handle is %s, want %s", got, was.Handle)
	}
	if s, err := v.Rotate(t.Context()); err != nil || s.Pending != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	opens(t, v, was.Ref)
}

// dying is a store that fails in the middle of a change of keys.
type dying struct {
	secrets.Rows
	left int
}

var errDied = errors.New("died")

func (d *dying) Rewrap(ctx context.Context, prefix []byte, seal func([]byte) ([]byte, error)) (int, int, error) {
	done, bad, err := d.Rows.Rewrap(ctx, prefix, func(cipher []byte) ([]byte, error) {
		if d.left--; d.left < 0 {
			return nil, errDied // the row stays as it is
		}
		return seal(cipher)
	})
	if d.left < 0 {
		err = errDied
	}
	return done, bad, err
}

// A change of keys that a crash interrupts, after however many rows, is finished at the
// next start; in between everything opens.
func TestAnInterruptedChangeOfKeysIsFinishedAtTheNextStart(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			p := open(t, t.TempDir())
			v, err := p.with(t, secrets.Options{Rows: &dying{p.rows, n}})
			if err != nil {
				t.Fatal(err)
			}
			ref := fill(t, v)
			if _, err := v.Rotate(t.Context()); n < 5 && !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			opens(t, v, ref) // the process that failed goes on
			if s, err := v.Keys(t.Context()); err != nil || s.Pending != max(0, 5-n) {
				t.Fatalf("%+v, %v", s, err)
			} else if _, err := v.Retire(t.Context(), s.Keys[0].ID); n < 5 && !errors.Is(err, secrets.ErrKeyInUse) {
				t.Fatalf("a key that rows need is retired: %v", err)
			}
			again := p.vault(t)
			if s, err := again.Keys(t.Context()); err != nil || s.Pending != 0 {
				t.Fatalf("after the start %+v, %v", s, err)
			}
			opens(t, again, ref)
		})
	}
}

// The keys are changed again and again while secrets are set and read.
func TestKeysChangeWhileSecretsAreUsed(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	v := p.vault(t)
	ref := fill(t, v)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("S%d", i)
				value := fmt.Sprintf("value-%d-%d", i, n)
				_, err := v.SetProject(t.Context(), "ops", name, secrets.NewSecret(value), "ada")
				if s, e := v.Resolve(t.Context(), "ops", secrets.ProjectRef(name)); err != nil || e != nil || s.Reveal() != value {
					t.Errorf("%s: %v %v", name, err, e)
					return
				}
				if _, err := v.Resolve(t.Context(), "ops", ref); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		s, err := v.Rotate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Retire(t.Context(), s.Keys[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	wg.Wait()
	if c, err := p.vault(t).Verify(t.Context()); err != nil || c.Opened != 7 || len(c.Broken) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// K10: a key file from before a change of keys does not open what was sealed since; the
// start is refused, and changes nothing.
func TestAnOldKeyFileIsRefused(t *testing.T) {
	t.Parallel()
	p := open(t, t.TempDir())
	v := p.vault(t)
	fill(t, v)
	old, err := os.ReadFile(p.key())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.key(), old, 0o600); err != nil {
		t.Fatal(err)
	}
	before := p.ciphers(t)
	if _, err := p.with(t, secrets.Options{}); !errors.Is(err, secrets.ErrWrongKey) {
		t.Errorf("all rows need the new key: %v", err)
	}
	partly := open(t, t.TempDir())
	if v, err = partly.with(t, secrets.Options{Rows: &dying{partly.rows, 2}}); err != nil {
		t.Fatal(err)
	}
	fill(t, v)
	first, err := os.ReadFile(partly.key())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Rotate(t.Context()); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	if err := os.WriteFile(partly.key(), first, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := partly.with(t, secrets.Options{}); !errors.Is(err, secrets.ErrOldKeyFile) {
		t.Errorf("some rows need the new key: %v", err)
	}
	if !same(before, p.ciphers(t)) {
		t.Error("the refused start changed something")
	}
	if now, err := os.ReadFile(p.key()); err != nil || !bytes.Equal(now, old) {
		t.Error("the refused start changed the key file")
	}
}

func same(a, b map[string][]byte) bool {
	for k := range a {
		if !bytes.Equal(a[k], b[k]) {
			return false
		}
	}
	return len(a) == len(b)
}

// K12: something that is not encrypted refuses the start, in whatever table it is.
func TestSecretsThatAreNotEncryptedRefuseTheStart(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"secret_canary", "secret_mac_key", "credential_versions", "project_secrets", "run_secrets"} {
		for name, plain := range map[string]string{"plain": canary, "short": "abc", "like a ciphertext": "\x00\x00\x00\x43" + canary + strings.Repeat("x", 80)} {
			t.Run(table+" "+name, func(t *testing.T) {
				t.Parallel()
				p := open(t, t.TempDir())
				fill(t, p.vault(t))
				p.exec(t, `UPDATE `+table+` SET cipher = ?`, []byte(plain))
				before := p.ciphers(t)
				_, err := p.with(t, secrets.Options{})
				if !errors.Is(err, secrets.ErrUnsealed) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v", err)
				}
				if !same(before, p.ciphers(t)) {
					t.Error("the refused start changed something")
				}
			})
		}
	}
}

// swapped is a vault with the secrets of two projects; somebody changes a row of its.
func swapped(t *testing.T, change string) (v *secrets.Vault, alarms *[]secrets.Alarm) {
	t.Helper()
	p := open(t, t.TempDir())
	alarms = &[]secrets.Alarm{}
	v, err := p.with(t, secrets.Options{Alarm: func(a secrets.Alarm) { *alarms = append(*alarms, a) }})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, v)
	for _, project := range []string{"ops", "other"} {
		if _, err := v.SetProject(t.Context(), project, "MINE", secrets.NewSecret("mine-"+project), "eve"); err != nil {
			t.Fatal(err)
		}
		if _, err := v.PutRun(t.Context(), project, "of-"+project, "password", secrets.NewSecret("mine-"+project)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.PutRun(t.Context(), "ops", "run1", "password", secrets.NewSecret("second")); err != nil {
		t.Fatal(err)
	}
	p.exec(t, change)
	return v, alarms
}

// K09: in every table, the ciphertext of one row does not open in another, and somebody is
// told which row it is.
func TestASwappedRowRaisesTheAlarm(t *testing.T) {
	t.Parallel()
	const (
		token  = "(SELECT cipher FROM project_secrets WHERE project = 'ops' AND name = 'TOKEN')"
		ofRun  = "(SELECT cipher FROM run_secrets WHERE run = 'run1' AND version = 1)"
		runRef = "culm-secret://run/"
	)
	mine := secrets.ProjectRef("MINE")
	for name, c := range map[string]struct {
		change, project, ref string
		alarm                secrets.Alarm
	}{
		"another name":    {`UPDATE project_secrets SET cipher = ` + token + ` WHERE project = 'ops' AND name = 'MINE'`, "ops", mine, secrets.Alarm{Kind: "project", Project: "ops", ID: "MINE", Version: 1}},
		"another project": {`UPDATE project_secrets SET cipher = ` + token + ` WHERE project = 'other'`, "other", mine, secrets.Alarm{Kind: "project", Project: "other", ID: "MINE", Version: 1}},
		"another kind":    {`UPDATE project_secrets SET cipher = ` + ofRun + ` WHERE project = 'other'`, "other", mine, secrets.Alarm{Kind: "project", Project: "other", ID: "MINE", Version: 1}},
		"another number":  {`UPDATE project_secrets SET version = 7 WHERE project = 'other'`, "other", mine, secrets.Alarm{Kind: "project", Project: "other", ID: "MINE", Version: 7}},
		"another run": {
			`UPDATE run_secrets SET cipher = ` + ofRun + ` WHERE run = 'of-ops'`, "ops", runRef + "of-ops/password/1",
			secrets.Alarm{Kind: "run", Project: "ops", ID: "of-ops/password", Version: 1},
		},
		"a run of another project": {
			`UPDATE run_secrets SET project = 'other' WHERE run = 'run1' AND version = 1`, "other", runRef + "run1/password/1",
			secrets.Alarm{Kind: "run", Project: "other", ID: "run1/password", Version: 1},
		},
		"an earlier value": {
			`UPDATE run_secrets SET cipher = ` + ofRun + ` WHERE run = 'run1' AND version = 2`, "ops", runRef + "run1/password/2",
			secrets.Alarm{Kind: "run", Project: "ops", ID: "run1/password", Version: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, alarms := swapped(t, c.change)
			if s, err := v.Resolve(t.Context(), c.project, c.ref); err == nil {
				t.Errorf("opened as %q", s.Reveal())
			}
			if len(*alarms) != 1 || (*alarms)[0] != c.alarm {
				t.Errorf("alarms %+v", *alarms)
			}
			if got, err := v.Verify(t.Context()); err != nil || len(got.Broken) != 1 || got.Broken[0] != c.alarm {
				t.Errorf("verified %+v, %v", got, err)
			}
		})
	}
	v, alarms := swapped(t, `UPDATE credential_versions SET cipher = `+token)
	if _, err := v.Credential(t.Context(), target("a")); err == nil {
		t.Error("a credential opened from the row of a secret")
	}
	if len(*alarms) != 1 || (*alarms)[0] != (secrets.Alarm{Kind: "credential", Project: "ops", ID: "a", Version: 1}) {
		t.Errorf("alarms %+v", *alarms)
	}
	// A change of keys does not give up on the others.
	if s, err := v.Rotate(t.Context()); err != nil || s.Pending != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}
