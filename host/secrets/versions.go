package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/gofrs/uuid/v5"
)

// LiveVersions is how many versions of a credential can be used at once: for as long as a
// system is moved from one to the next.
const LiveVersions = 2

// Sealed is a version of a credential as it is stored: nothing in it can be read without
// the key.
type Sealed struct {
	ID, Project, System string
	// Version counts the settings of this project and system, from 1; deleting one does
	// not begin anew.
	Version int
	Cipher  []byte
	SetAt   time.Time
	SetBy   string
	// Primary is set for the one that is used; the other is tried when a system does not
	// take that.
	Primary bool
	// UsedAt is when it was last used, to within minutes; zero is never.
	UsedAt time.Time
}

// Rows stores sealed credentials and secrets, and the canary. Safe for concurrent use.
type Rows interface {
	CredentialRows
	KeyRows
	ValueRows
}

// CredentialRows stores the versions of credentials.
type CredentialRows interface {
	// AddCredential keeps a new version; its Version is the store's choice, and is given to
	// seal before the row is written. The first one of its project and system is the
	// primary. Of the others the primary stays if c is not, the former primary if c is, and
	// none with alone; all the rest is deleted.
	AddCredential(ctx context.Context, c Sealed, alone bool, seal func(Sealed) ([]byte, error)) (Sealed, error)
	// Credentials returns the versions of a project and system, the primary first.
	Credentials(ctx context.Context, project, system string) ([]Sealed, error)
	// ProjectCredentials returns all of a project.
	ProjectCredentials(ctx context.Context, project string) ([]Sealed, error)
	// PromoteCredential makes a version the primary, or returns ErrNoCredential.
	PromoteCredential(ctx context.Context, project, system string, version int) error
	// DeleteCredential removes a version, or all with 0, or returns ErrNoCredential. What is
	// left is the primary then.
	DeleteCredential(ctx context.Context, project, system string, version int) error
	// UsedCredentials notes when versions were used, by id.
	UsedCredentials(ctx context.Context, at map[string]time.Time) error
}

// KeyRows stores what belongs to the key.
type KeyRows interface {
	// Canary returns the sealed canary, or nil before the first start.
	Canary(ctx context.Context) ([]byte, error)
	SaveCanary(ctx context.Context, cipher []byte) error
	// SealedHeads counts everything that is sealed, the canary included, by the first
	// HeadBytes of its ciphertext.
	SealedHeads(ctx context.Context) (map[string]int, error)
	// Rewrap replaces every ciphertext whose sealed data key does not begin with prefix by
	// what seal makes of it, a few rows at a time, so that other writes go on. One that seal
	// has an error for stays as it is, and is counted as bad.
	Rewrap(ctx context.Context, prefix []byte, seal func(cipher []byte) ([]byte, error)) (done, bad int, err error)
	// EachSealed shows every credential and secret.
	EachSealed(ctx context.Context, see Visitor) error
}

// Visitor sees what is sealed; each of its functions is called for the rows of its kind.
type Visitor struct {
	Credential func(Sealed)
	Project    func(ProjectValue)
	Run        func(RunValue)
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Vault sets and reads credentials. Safe for concurrent use.
type Vault struct {
	rows   Rows
	key    *Key
	macKey []byte
	clock  Clock

	o    Options
	file keyFile
	log  *slog.Logger
	bare bare
	// rotating is held while the keys are changed.
	rotating sync.Mutex

	opened opened

	mu   sync.Mutex
	used map[string]time.Time // by id, not stored yet
}

// State is what a version of a credential is good for.
type State string

// The states of a version.
const (
	StatePrimary State = "primary" // used
	StateStandby State = "standby" // tried when the primary is not taken
	// StateStale: it was set for another kind or address, and is not used.
	StateStale State = "stale"
)

// Version is what may be known of a version of a credential.
type Version struct {
	Version int       `json:"version"`
	ID      string    `json:"id"`
	State   State     `json:"state"`
	SetAt   time.Time `json:"set_at"`
	SetBy   string    `json:"set_by"`
	// Fingerprint is the same for the same secret in the same project; it is keyed.
	Fingerprint string `json:"fingerprint"`
	// LastUsedAt is absent for one that was never used, ExpiresAt for one without a
	// certificate.
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
}

// AddOptions say how a version of a credential is added.
type AddOptions struct {
	Actor string
	// Standby leaves the primary what it is: the new one is tried where that fails.
	Standby bool
	// Alone deletes all other versions.
	Alone bool
}

// Set makes a credential the primary one of a system in a project; the former stays as
// the other live one. An *InputError names the field that cannot be accepted.
func (v *Vault) Set(ctx context.Context, t Target, in Input, actor string) error {
	return v.Add(ctx, t, in, AddOptions{Actor: actor})
}

// Add adds a version of a credential. An *InputError names the field that cannot be
// accepted.
func (v *Vault) Add(ctx context.Context, t Target, in Input, o AddOptions) error {
	p, err := accept(t, in)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("secrets: make an id: %w", err)
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return errors.New("secrets: the credential cannot be encoded")
	}
	c := Sealed{ID: id.String(), Project: t.Project, System: t.System, SetAt: v.clock.Now(), SetBy: o.Actor, Primary: !o.Standby}
	_, err = v.rows.AddCredential(ctx, c, o.Alone, func(row Sealed) ([]byte, error) { return v.key.Seal(plain, row.associated()) })
	v.opened.forget(t.Project, t.System)
	if err != nil {
		return fmt.Errorf("secrets: set the credential of %s: %w", t.System, err)
	}
	return nil
}

// Credential returns the credential of a system in a project, with its other live
// version: the project's own, or else that of the installation, or ErrNoCredential. One
// that was set for another type or address is none.
func (v *Vault) Credential(ctx context.Context, t Target) (*Credential, error) {
	for _, project := range []string{t.Project, Installation} {
		all, err := v.rows.Credentials(ctx, project, t.System)
		if err != nil {
			return nil, fmt.Errorf("secrets: read the credential of %s: %w", t.System, err)
		}
		var found *Credential
		for _, c := range all {
			o, err := v.openVersion(c)
			if err != nil {
				return nil, err
			}
			switch {
			case !o.payload.fits(t):
			case found == nil:
				found = o.credential
			default:
				both := *found // what is kept open is shared
				both.Standby = o.credential
				found = &both
			}
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, ErrNoCredential
}

// IsSet reports whether Credential would find one.
func (v *Vault) IsSet(ctx context.Context, t Target) (bool, error) {
	switch _, err := v.Credential(ctx, t); {
	case errors.Is(err, ErrNoCredential):
		return false, nil
	case err != nil:
		return false, err
	default:
		return true, nil
	}
}

// Versions lists the versions of the credential of a target's own project, the primary
// first, without a value.
func (v *Vault) Versions(ctx context.Context, t Target) ([]Version, error) {
	all, err := v.rows.Credentials(ctx, t.Project, t.System)
	if err != nil {
		return nil, fmt.Errorf("secrets: list the credentials of %s: %w", t.System, err)
	}
	out := make([]Version, 0, len(all))
	for _, c := range all {
		o, err := v.openVersion(c)
		if err != nil {
			return nil, err
		}
		p := o.payload
		row := Version{Version: c.Version, ID: c.ID, State: StateStandby, SetAt: c.SetAt, SetBy: c.SetBy, Fingerprint: v.fingerprint(t.Project, p.Secret+p.PrivateKey)}
		switch {
		case !p.fits(t):
			row.State = StateStale
		case c.Primary:
			row.State = StatePrimary
		}
		if at := v.lastUsed(c); !at.IsZero() {
			row.LastUsedAt = &at
		}
		if at := p.expires(); !at.IsZero() {
			row.ExpiresAt = &at
		}
		out = append(out, row)
	}
	return out, nil
}

// CredentialVersion returns one version of a credential, for a test of it, or
// ErrNoCredential.
func (v *Vault) CredentialVersion(ctx context.Context, t Target, version int) (*Credential, error) {
	all, err := v.rows.Credentials(ctx, t.Project, t.System)
	if err != nil {
		return nil, fmt.Errorf("secrets: read the credential of %s: %w", t.System, err)
	}
	for _, c := range all {
		if c.Version != version {
			continue
		}
		o, err := v.openVersion(c)
		if err != nil {
			return nil, err
		}
		if o.payload.fits(t) {
			return o.credential, nil
		}
	}
	return nil, ErrNoCredential
}

// Promote makes a version of a credential the primary, or returns ErrNoCredential.
func (v *Vault) Promote(ctx context.Context, project, system string, version int) error {
	defer v.opened.forget(project, system)
	if err := v.rows.PromoteCredential(ctx, project, system, version); err != nil {
		return fmt.Errorf("secrets: promote a credential of %s: %w", system, err)
	}
	return nil
}

// Delete removes a version of the credential of a system in a project, or all with 0, or
// returns ErrNoCredential.
func (v *Vault) Delete(ctx context.Context, project, system string, version int) error {
	defer v.opened.forget(project, system)
	if err := v.rows.DeleteCredential(ctx, project, system, version); err != nil {
		return fmt.Errorf("secrets: delete the credential of %s: %w", system, err)
	}
	return nil
}

// Scrubber looks for all credentials of a project and of the installation, those too
// that no system uses any more.
func (v *Vault) Scrubber(ctx context.Context, project string) (*Scrubber, error) {
	var creds []*Credential
	for _, of := range []string{project, Installation} {
		all, err := v.rows.ProjectCredentials(ctx, of)
		if err != nil {
			return nil, fmt.Errorf("secrets: list the credentials of %s: %w", project, err)
		}
		for _, c := range all {
			o, err := v.openVersion(c)
			if err != nil {
				return nil, err
			}
			creds = append(creds, o.credential)
		}
	}
	return NewScrubber(creds...), nil
}

// StoreUses writes down when credentials were used since the last time, and closes those
// that nobody has asked for of late. It is called from time to time.
func (v *Vault) StoreUses(ctx context.Context) error {
	v.opened.rest(v.clock.Now().Add(-openedFor))
	v.mu.Lock()
	used := maps.Clone(v.used)
	v.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	if err := v.rows.UsedCredentials(ctx, used); err != nil {
		return fmt.Errorf("secrets: note the use of credentials: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, at := range used {
		if v.used[id].Equal(at) {
			delete(v.used, id)
		}
	}
	return nil
}

func (v *Vault) note(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.used == nil {
		v.used = map[string]time.Time{}
	}
	v.used[id] = v.clock.Now()
}

func (v *Vault) lastUsed(c Sealed) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	if at, ok := v.used[c.ID]; ok {
		return at.UTC()
	}
	return c.UsedAt
}

// payload opens a version.
func (v *Vault) payload(c Sealed) (payload, error) {
	var p payload
	plain, err := v.key.Open(c.Cipher, c.associated())
	if err != nil {
		v.broken(c.alarm())
		return p, fmt.Errorf("secrets: open the credential of %s: %w", c.System, err)
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fmt.Errorf("secrets: the credential of %s is damaged", c.System)
	}
	return p, nil
}

func (v *Vault) credential(c Sealed, p payload) *Credential {
	cred := &Credential{
		ID: c.ID, Kind: p.Kind, Username: p.Username, Secret: NewSecret(p.Secret), Certificate: p.Certificate, PrivateKey: NewSecret(p.PrivateKey), use: v.note,
	}
	cred.scrub = sync.OnceValue(func() *Scrubber { return NewScrubber(cred) })
	return cred
}

// associated is the data that ties a ciphertext to its row: swapped rows do not open.
func (c Sealed) associated() []byte {
	return fmt.Appendf(nil, "%s|credential|%s|%s|%d", c.Project, c.System, c.ID, c.Version)
}
