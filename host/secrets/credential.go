package secrets

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
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
type InputError struct {
	Field, Message string
	// Code is what clients translate by; the bounds that it names are constants here.
	Code string
}

// The codes of an InputError.
const (
	CodeNoCredential  = "NO_CREDENTIAL"
	CodeForeign       = "CREDENTIAL_FOREIGN"
	CodeRequired      = "REQUIRED"
	CodeLength        = "SECRET_LENGTH"
	CodeControl       = "SECRET_CONTROL"
	CodeName          = "CREDENTIAL_NAME"
	CodeCertificate   = "CERTIFICATE"
	CodeKeyElsewhere  = "CERTIFICATE_KEY"
	CodePair          = "CERTIFICATE_PAIR"
	CodeSecretName    = "SECRET_NAME"
	CodeSecretControl = "SECRET_TEXT_CONTROL"
	CodeText          = "SECRET_TYPE"
)

// Error reads "/field: message".
func (e *InputError) Error() string { return e.Field + ": " + e.Message }

// Kind is what a system authenticates with; the values are those of a system's auth
// type.
type Kind string

// The kinds of credentials.
const (
	KindBasic    Kind = "basic"    // user name and password
	KindBearer   Kind = "bearer"   // token
	KindAPIKey   Kind = "api_key"  // token in a place of the system's own
	KindOAuth2   Kind = "oauth2"   // id and secret of a client
	KindHMAC     Kind = "hmac"     // key, and its id where the system has several
	KindMTLS     Kind = "mtls"     // client certificate
	KindBlueKing Kind = "blueking" // secret of an application
	// KindNone is that of a system without one, which may still ask for a certificate.
	KindNone Kind = "none"
)

// Installation is the project of the credentials that are the default of all projects.
const Installation = ""

// Target is what a credential is for.
type Target struct {
	Project, System string
	Kind            Kind
	// Origin is scheme, host and port of the system, Binding all that the credential is
	// bound to: pointing the system elsewhere must not carry the credential along. One
	// that was set before there was a Binding is bound to the origin.
	Origin, Binding string
	// Certificate asks for a client certificate besides what the kind asks for.
	Certificate bool
}

// Credential is what the gateway authenticates with. It is immutable.
type Credential struct {
	// ID names this version of the credential in the audit.
	ID   string
	Kind Kind
	// Username is set for basic; for oauth2 it is the client's id, for hmac the key's.
	Username string
	// Secret is the password, token, key, or secret of the client or application.
	Secret Secret
	// Certificate is the client certificate with its chain, in PEM, PrivateKey its key.
	Certificate string
	PrivateKey  Secret
	// Standby is the other live version, nil when there is none.
	Standby *Credential

	use func(id string)
	// scrub makes the scrubber once, nil where there is no place to keep one.
	scrub func() *Scrubber
}

// Scrubber looks for what is secret in the credential, without its other version.
func (c *Credential) Scrubber() *Scrubber {
	if c.scrub == nil {
		return NewScrubber(c)
	}
	return c.scrub()
}

// Use notes that the credential is sent to its system, or to a token server, now.
// A nil Credential is none.
func (c *Credential) Use() {
	if c != nil && c.use != nil {
		c.use(c.ID)
	}
}

// Input is a credential as it is typed in: a password (with the user name) for basic, a
// token for bearer and api_key, a secret for the others (with the client's or key's id
// where there is one), and a certificate with its key.
type Input struct {
	Username    string
	Password    Secret
	Token       Secret
	ClientID    string
	KeyID       string
	Secret      Secret
	Certificate string
	PrivateKey  Secret
}

// payload is what is sealed.
type payload struct {
	Kind        Kind   `json:"kind"`
	Username    string `json:"username,omitempty"`
	Secret      string `json:"secret"`
	Origin      string `json:"origin"`
	Binding     string `json:"binding,omitempty"`
	Certificate string `json:"certificate,omitempty"`
	PrivateKey  string `json:"private_key,omitempty"`
}

// fits reports whether the credential is for a target as it is now.
func (p payload) fits(t Target) bool {
	switch {
	case p.Kind != t.Kind || p.Origin != t.Origin:
		return false
	case p.Binding != "" && t.Binding != "" && p.Binding != t.Binding:
		return false
	}
	return !t.Certificate || p.Certificate != ""
}

// expires tells when the client certificate ends; zero is never.
func (p payload) expires() time.Time {
	block, _ := pem.Decode([]byte(p.Certificate))
	if block == nil {
		return time.Time{}
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return c.NotAfter
}

// accept checks a credential against the system it is for.
func accept(t Target, in Input) (payload, error) {
	p := payload{Kind: t.Kind, Origin: t.Origin, Binding: t.Binding}
	if err := foreign(t, in); err != nil {
		return p, err
	}
	if t.Certificate || t.Kind == KindMTLS {
		if err := p.certificate(in); err != nil {
			return p, err
		}
	}
	switch t.Kind {
	case KindBasic:
		return p, p.named("/username", in.Username, func(s string) bool {
			return s != "" && !strings.ContainsFunc(s, unicode.IsControl) && !strings.Contains(s, ":")
		},
			"must be given, without : and control characters", "/password", in.Password)
	case KindBearer, KindAPIKey:
		return p, p.secret("/token", in.Token)
	case KindOAuth2:
		return p, p.named("/client_id", in.ClientID, func(s string) bool { return s != "" && !strings.ContainsFunc(s, unicode.IsControl) },
			"must be given, without control characters", "/secret", in.Secret)
	case KindHMAC:
		return p, p.named("/key_id", in.KeyID, func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) },
			"must be printable ASCII", "/secret", in.Secret)
	case KindBlueKing:
		return p, p.secret("/secret", in.Secret)
	case KindMTLS, KindNone:
	}
	return p, p.certified()
}

// certified refuses a credential that is nothing, not even a certificate.
func (p *payload) certified() error {
	if p.Certificate == "" {
		return &InputError{"", "this system takes no credential", CodeNoCredential}
	}
	return nil
}

// named checks and takes a name and the secret that belongs to it.
func (p *payload) named(field, name string, fits func(string) bool, rule, secretField string, s Secret) error {
	if !fits(name) {
		return &InputError{field, rule, CodeName}
	}
	p.Username = name
	return p.secret(secretField, s)
}

// foreign refuses what the kind of credential does not have.
func foreign(t Target, in Input) error {
	own := map[Kind][]string{
		KindBasic: {"/username", "/password"}, KindBearer: {"/token"}, KindAPIKey: {"/token"}, KindOAuth2: {"/client_id", "/secret"},
		KindHMAC: {"/key_id", "/secret"}, KindBlueKing: {"/secret"},
	}
	takes := map[string]bool{"/certificate": t.Certificate || t.Kind == KindMTLS}
	takes["/private_key"] = takes["/certificate"]
	for _, field := range own[t.Kind] {
		takes[field] = true
	}
	for _, f := range []struct {
		field string
		given bool
	}{
		{"/username", in.Username != ""},
		{"/password", !in.Password.IsZero()},
		{"/token", !in.Token.IsZero()},
		{"/client_id", in.ClientID != ""},
		{"/key_id", in.KeyID != ""},
		{"/secret", !in.Secret.IsZero()},
		{"/certificate", in.Certificate != ""},
		{"/private_key", !in.PrivateKey.IsZero()},
	} {
		if f.given && !takes[f.field] {
			if len(own[t.Kind]) == 0 && !takes["/certificate"] {
				return &InputError{"", "this system takes no credential", CodeNoCredential}
			}
			return &InputError{f.field, "is not a part of the credential of this system", CodeForeign}
		}
	}
	return nil
}

// secret checks and takes the secret.
func (p *payload) secret(field string, s Secret) error {
	p.Secret = s.Reveal()
	switch {
	case p.Secret == "":
		return &InputError{field, "must be given", CodeRequired}
	case len(p.Secret) < MinSecretBytes || len(p.Secret) > MaxSecretBytes:
		return &InputError{field, fmt.Sprintf("must be %d to %d bytes long", MinSecretBytes, MaxSecretBytes), CodeLength}
	case strings.ContainsFunc(p.Secret, unicode.IsControl):
		return &InputError{field, "must not hold control characters or line breaks", CodeControl}
	}
	return nil
}

// certificate checks and takes a client certificate with its key.
func (p *payload) certificate(in Input) error {
	p.Certificate, p.PrivateKey = in.Certificate, in.PrivateKey.Reveal()
	switch {
	case p.Certificate == "" || len(p.Certificate) > MaxSecretBytes:
		return &InputError{"/certificate", fmt.Sprintf("must be given, in PEM and at most %d bytes long", MaxSecretBytes), CodeCertificate}
	case p.PrivateKey == "" || len(p.PrivateKey) > MaxSecretBytes:
		return &InputError{"/private_key", fmt.Sprintf("must be given, in PEM and at most %d bytes long", MaxSecretBytes), CodeCertificate}
	case strings.Contains(p.Certificate, "PRIVATE KEY"):
		return &InputError{"/certificate", "holds a private key, which belongs into its own field", CodeKeyElsewhere}
	}
	// The cause may quote what it could not read.
	if _, err := tls.X509KeyPair([]byte(p.Certificate), []byte(p.PrivateKey)); err != nil {
		return &InputError{"/private_key", "is no key of this certificate, or one of the two is not PEM", CodePair}
	}
	return nil
}
