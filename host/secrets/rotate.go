package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

var (
	// ErrNoKey means that there is no such key.
	ErrNoKey = errors.New("secrets: no such key")
	// ErrKeyInUse means that a key is the primary one, or secrets are sealed with it.
	ErrKeyInUse = errors.New("secrets: the key is in use")
)

// KeyInfo is what may be known of a key.
type KeyInfo struct {
	// ID is the number that what is sealed with the key begins with.
	ID      string `json:"id"`
	Primary bool   `json:"primary"`
	// Sealed counts the rows that are sealed with it, the vault's own two included.
	Sealed int `json:"sealed"`
}

// KeyStatus is what may be known of the keys.
type KeyStatus struct {
	Keys []KeyInfo `json:"keys"`
	// File is the path of the key file, MasterKey says where the key comes from that it is
	// encrypted with; "none" is one that is not encrypted.
	File      string `json:"file"`
	MasterKey string `json:"master_key"`
	Encrypted bool   `json:"encrypted"`
	// Pending counts the rows that are not sealed with the primary key.
	Pending int `json:"pending"`
}

// Checked is what a look at all that is sealed found.
type Checked struct {
	// Opened counts the rows that open.
	Opened int `json:"opened"`
	// Broken lists those that do not, at most MaxBroken of them.
	Broken []Alarm `json:"broken"`
}

// MaxBroken bounds Checked.Broken.
const MaxBroken = 100

// Keys tells of the keys and what is sealed with them.
func (v *Vault) Keys(ctx context.Context) (KeyStatus, error) {
	heads, err := v.rows.SealedHeads(ctx)
	if err != nil {
		return KeyStatus{}, fmt.Errorf("secrets: look at what is sealed: %w", err)
	}
	sealed := map[uint32]int{}
	for head, n := range heads {
		if id, err := sealedWith([]byte(head)); err == nil {
			sealed[id] += n
		}
	}
	r := v.key.ring.Load()
	out := KeyStatus{File: v.file.path, MasterKey: v.o.Master.String(), Encrypted: v.file.master != nil}
	for i := range r.handle.Len() {
		e, err := r.handle.Entry(i)
		if err != nil {
			return KeyStatus{}, fmt.Errorf("secrets: list the keys: %w", err)
		}
		k := KeyInfo{ID: strconv.FormatUint(uint64(e.KeyID()), 10), Primary: e.IsPrimary(), Sealed: sealed[e.KeyID()]}
		if !k.Primary {
			out.Pending += k.Sealed
		}
		out.Keys = append(out.Keys, k)
	}
	return out, nil
}

// Rotate makes a new key the primary one and seals all data keys with it, while the vault
// is in use. The keys before stay, and open what was sealed with them, until they are
// retired. The key file changes: what was kept of it elsewhere has to be kept anew.
func (v *Vault) Rotate(ctx context.Context) (KeyStatus, error) {
	v.rotating.Lock()
	defer v.rotating.Unlock()
	m := keyset.NewManagerFromHandle(v.key.ring.Load().handle)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return KeyStatus{}, fmt.Errorf("secrets: make a key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return KeyStatus{}, fmt.Errorf("secrets: make a key the primary one: %w", err)
	}
	// On disk first: nothing may be sealed with a key that a crash would lose.
	if err := v.replaceKeys(m, nil); err != nil {
		return KeyStatus{}, err
	}
	v.log.InfoContext(ctx, "there is a new primary key for secrets: keep the key file anew", slog.Uint64("key", uint64(id)))
	if err := v.rewrap(ctx); err != nil {
		return KeyStatus{}, err
	}
	return v.Keys(ctx)
}

// replaceKeys writes the key file and uses the keys in it from then on. Those in the
// argument are used instead where there are any: they open more.
func (v *Vault) replaceKeys(m *keyset.Manager, used *ring) error {
	h, err := m.Handle()
	if err != nil {
		return fmt.Errorf("secrets: change the keys: %w", err)
	}
	next, err := newRing(h)
	if err != nil {
		return err
	}
	if err := v.file.replace(h); err != nil {
		return err
	}
	if used != nil {
		next.kek, next.data = used.kek, used.data
	}
	v.key.ring.Store(next)
	return nil
}

// rewrap seals all data keys with the primary key. Whoever seals does so inside the write
// to the database, of which there is one at a time: a row that was sealed with the former
// primary is in the database before this looks, or is sealed with the new one.
func (v *Vault) rewrap(ctx context.Context) error {
	done, bad, err := v.rows.Rewrap(ctx, prefixOf(v.key.ring.Load().primary), v.key.Rewrap)
	if err != nil {
		return fmt.Errorf("secrets: seal the data keys anew: %w", err)
	}
	v.log.InfoContext(ctx, "data keys are sealed with the primary key now", slog.Int("rows", done))
	if bad > 0 {
		v.log.ErrorContext(ctx, "there are stored secrets that do not open: their rows were changed (culm keys verify names them)", slog.Int("rows", bad))
	}
	return nil
}

// finishRotation goes on where a change of keys was interrupted.
func (v *Vault) finishRotation(ctx context.Context) error {
	s, err := v.Keys(ctx)
	if err != nil || s.Pending == 0 {
		return err
	}
	return v.rewrap(ctx)
}

// Retire forgets a key, which must not be the primary one, and nothing may be sealed with
// it: ErrKeyInUse otherwise, and ErrNoKey where there is none. What was kept of the
// database from before the change of keys does not open without it.
func (v *Vault) Retire(ctx context.Context, key string) (KeyStatus, error) {
	v.rotating.Lock()
	defer v.rotating.Unlock()
	now := v.key.ring.Load()
	id, err := strconv.ParseUint(key, 10, 32)
	if err != nil || !now.has(uint32(id)) {
		return KeyStatus{}, ErrNoKey
	}
	s, err := v.Keys(ctx)
	if err != nil {
		return KeyStatus{}, err
	}
	for _, k := range s.Keys {
		if k.ID == key && (k.Primary || k.Sealed > 0) {
			return KeyStatus{}, ErrKeyInUse
		}
	}
	m := keyset.NewManagerFromHandle(now.handle)
	if err := m.Delete(uint32(id)); err != nil {
		return KeyStatus{}, fmt.Errorf("secrets: forget a key: %w", err)
	}
	// Whoever read a row before it was sealed anew may still have to open it: this process
	// forgets the key when it ends.
	if err := v.replaceKeys(m, now); err != nil {
		return KeyStatus{}, err
	}
	v.log.InfoContext(ctx, "a key for secrets is retired", slog.Uint64("key", id))
	return v.Keys(ctx)
}

// Verify opens everything that is sealed, and tells what does not open.
func (v *Vault) Verify(ctx context.Context) (Checked, error) {
	out := Checked{Broken: []Alarm{}}
	look := func(cipher, associated []byte, a Alarm) {
		if _, err := v.key.Open(cipher, associated); err == nil {
			out.Opened++
		} else if len(out.Broken) < MaxBroken {
			out.Broken = append(out.Broken, a)
		}
	}
	err := v.rows.EachSealed(ctx, Visitor{
		Credential: func(c Sealed) { look(c.Cipher, c.associated(), c.alarm()) },
		Project:    func(p ProjectValue) { look(p.Cipher, p.associated(), p.alarm()) },
		Run:        func(r RunValue) { look(r.Cipher, r.associated(), r.alarm()) },
	})
	if err != nil {
		return out, fmt.Errorf("secrets: look at what is sealed: %w", err)
	}
	return out, nil
}

// broken tells of a row that did not open.
func (v *Vault) broken(a Alarm) {
	v.log.Error("a stored secret does not open: its row was changed, or put in the place of another one",
		slog.String("kind", a.Kind), slog.String("project", a.Project), slog.String("id", a.ID), slog.Int("version", a.Version))
	if v.o.Alarm != nil {
		v.o.Alarm(a)
	}
}

func (c Sealed) alarm() Alarm { return Alarm{"credential", c.Project, c.System, c.Version} }

func (p ProjectValue) alarm() Alarm { return Alarm{"project", p.Project, p.Name, p.Version} }

func (r RunValue) alarm() Alarm { return Alarm{"run", r.Project, r.Run + "/" + r.Name, r.Version} }
