package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/gofrs/uuid/v5"
)

// The limits of a credential. A very short secret could not be told from ordinary
// text when answers are scrubbed of it.
const (
	MinSecretBytes = 6
	MaxSecretBytes = 16 << 10
)

// ErrNoCredential means that none is set for the system, or it was set for another base URL.
var ErrNoCredential = errors.New("secrets: no credential")

// InputError is a credential that cannot be accepted. It holds no value.
type InputError struct{ Field, Message string }

// Error reads "/field: message".
func (e *InputError) Error() string { return e.Field + ": " + e.Message }

// Kind is what a system authenticates with; the values are those of a system's auth
// type.
type Kind string

// The kinds of credentials.
const (
	KindBasic  Kind = "basic"   // user name and password
	KindBearer Kind = "bearer"  // token
	KindAPIKey Kind = "api_key" // token in a header of the system's own
)

// Target is what a credential is for.
type Target struct {
	Project, System string
	Kind            Kind
	// Origin is scheme, host and port of the system: a credential is bound to it,
	// because pointing the system elsewhere must not carry the credential along.
	Origin string
}

// Credential is what the gateway authenticates with.
type Credential struct {
	// ID names this version of the credential in the audit.
	ID   string
	Kind Kind
	// Username is set for basic.
	Username string
	// Secret is the password, token or key.
	Secret Secret
}

// Input is a credential as it is typed in: a password (with the user name) for basic,
// a token for bearer and api_key.
type Input struct {
	Username string
	Password Secret
	Token    Secret
}

// Sealed is a credential as it is stored: nothing in it can be read without the key.
type Sealed struct {
	ID, Project, System string
	// Version counts the settings of this project and system, from 1.
	Version int
	Cipher  []byte
	SetAt   time.Time
	SetBy   string
}

// Rows stores sealed credentials and secrets, and the canary. Safe for concurrent use.
type Rows interface {
	// SaveCredential keeps c as the one credential of its project and system. It
	// returns ErrVersion unless c.Version follows the stored one.
	SaveCredential(ctx context.Context, c Sealed) error
	// LoadCredential returns ErrNoCredential when there is none.
	LoadCredential(ctx context.Context, project, system string) (Sealed, error)
	// ProjectCredentials returns all of a project.
	ProjectCredentials(ctx context.Context, project string) ([]Sealed, error)
	// DeleteCredential removes it; none is no error.
	DeleteCredential(ctx context.Context, project, system string) error
	// Canary returns the sealed canary, or nil before the first start.
	Canary(ctx context.Context) ([]byte, error)
	SaveCanary(ctx context.Context, cipher []byte) error
	ValueRows
}

// ErrVersion means that somebody else set the credential at the same time.
var ErrVersion = errors.New("secrets: the credential was set meanwhile")

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Vault sets and reads credentials. Safe for concurrent use.
type Vault struct {
	rows   Rows
	key    *Key
	macKey []byte
	clock  Clock
}

// payload is what is sealed.
type payload struct {
	Kind     Kind   `json:"kind"`
	Username string `json:"username,omitempty"`
	Secret   string `json:"secret"`
	Origin   string `json:"origin"`
}

// Set replaces the credential of a system in a project. An *InputError names the
// field that cannot be accepted.
func (v *Vault) Set(ctx context.Context, t Target, in Input, actor string) error {
	p, err := accept(t, in)
	if err != nil {
		return err
	}
	old, err := v.rows.LoadCredential(ctx, t.Project, t.System)
	if err != nil && !errors.Is(err, ErrNoCredential) {
		return fmt.Errorf("secrets: set the credential of %s: %w", t.System, err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("secrets: make an id: %w", err)
	}
	c := Sealed{ID: id.String(), Project: t.Project, System: t.System, Version: old.Version + 1, SetAt: v.clock.Now(), SetBy: actor}
	plain, err := json.Marshal(p)
	if err != nil {
		return errors.New("secrets: the credential cannot be encoded")
	}
	if c.Cipher, err = v.key.Seal(plain, c.associated()); err != nil {
		return fmt.Errorf("secrets: seal the credential of %s: %w", t.System, err)
	}
	if err := v.rows.SaveCredential(ctx, c); err != nil {
		return fmt.Errorf("secrets: set the credential of %s: %w", t.System, err)
	}
	return nil
}

// Credential returns the credential of a system in a project, or ErrNoCredential. One
// that was set for another type or base URL is none.
func (v *Vault) Credential(ctx context.Context, t Target) (*Credential, error) {
	c, err := v.rows.LoadCredential(ctx, t.Project, t.System)
	if err != nil {
		return nil, err
	}
	plain, err := v.key.Open(c.Cipher, c.associated())
	if err != nil {
		return nil, fmt.Errorf("secrets: open the credential of %s: %w", t.System, err)
	}
	var p payload
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, fmt.Errorf("secrets: the credential of %s is damaged", t.System)
	}
	if p.Kind != t.Kind || p.Origin != t.Origin {
		return nil, ErrNoCredential
	}
	return &Credential{ID: c.ID, Kind: p.Kind, Username: p.Username, Secret: NewSecret(p.Secret)}, nil
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

// Scrubber looks for all credentials of a project, those too that no system uses any
// more.
func (v *Vault) Scrubber(ctx context.Context, project string) (*Scrubber, error) {
	all, err := v.rows.ProjectCredentials(ctx, project)
	if err != nil {
		return nil, fmt.Errorf("secrets: list the credentials of %s: %w", project, err)
	}
	creds := make([]*Credential, 0, len(all))
	for _, c := range all {
		plain, err := v.key.Open(c.Cipher, c.associated())
		if err != nil {
			return nil, fmt.Errorf("secrets: open the credential of %s: %w", c.System, err)
		}
		var p payload
		if err := json.Unmarshal(plain, &p); err != nil {
			return nil, fmt.Errorf("secrets: the credential of %s is damaged", c.System)
		}
		creds = append(creds, &Credential{ID: c.ID, Kind: p.Kind, Username: p.Username, Secret: NewSecret(p.Secret)})
	}
	return NewScrubber(creds...), nil
}

// Delete removes the credential of a system in a project.
func (v *Vault) Delete(ctx context.Context, project, system string) error {
	if err := v.rows.DeleteCredential(ctx, project, system); err != nil {
		return fmt.Errorf("secrets: delete the credential of %s: %w", system, err)
	}
	return nil
}

// associated is the data that ties a ciphertext to its row: swapped rows do not open.
func (c Sealed) associated() []byte {
	return fmt.Appendf(nil, "%s|credential|%s|%s|%d", c.Project, c.System, c.ID, c.Version)
}

// accept checks a credential against the system it is for.
func accept(t Target, in Input) (payload, error) {
	p := payload{Kind: t.Kind, Origin: t.Origin}
	field, other, secret := "/token", in.Password, in.Token
	switch t.Kind {
	case KindBasic:
		field, other, secret = "/password", in.Token, in.Password
		if in.Username == "" || strings.ContainsFunc(in.Username, unicode.IsControl) || strings.Contains(in.Username, ":") {
			return p, &InputError{"/username", "must be given, without : and control characters"}
		}
		p.Username = in.Username
	case KindBearer, KindAPIKey:
		if in.Username != "" {
			return p, &InputError{"/username", "this system takes a token, not a user name"}
		}
	default:
		return p, &InputError{"", "this system takes no credential"}
	}
	if !other.IsZero() {
		return p, &InputError{field, "this system takes this and nothing else"}
	}
	p.Secret = secret.Reveal()
	switch {
	case p.Secret == "":
		return p, &InputError{field, "must be given"}
	case len(p.Secret) < MinSecretBytes || len(p.Secret) > MaxSecretBytes:
		return p, &InputError{field, fmt.Sprintf("must be %d to %d bytes long", MinSecretBytes, MaxSecretBytes)}
	case strings.ContainsFunc(p.Secret, unicode.IsControl):
		return p, &InputError{field, "must not hold control characters or line breaks"}
	}
	return p, nil
}
