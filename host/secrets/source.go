package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// MasterKeyBytes is the length of a master key.
const MasterKeyBytes = 32

// credentialsDirectory is the variable in which systemd names the directory of a
// service's credentials (systemd.exec(5), LoadCredential).
const credentialsDirectory = "CREDENTIALS_DIRECTORY"

// masterFileMax bounds what is read of a file that should hold a master key.
const masterFileMax = 4 << 10

// SourceKind is where a master key comes from.
type SourceKind string

// The kinds of sources.
const (
	// SourceNone is that of a key file which is not encrypted.
	SourceNone       SourceKind = "none"
	SourceEnv        SourceKind = "env"
	SourceFile       SourceKind = "file"
	SourceCredential SourceKind = "credential"
)

// Source says where the master key comes from that the key file is encrypted with. The
// zero value is no master key.
type Source struct {
	Kind SourceKind
	// Name is that of the variable, of the file or of the credential.
	Name string
}

var (
	envNamePattern        = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	credentialNamePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

// ParseSource reads "env:NAME", "file:PATH" or "credential:NAME"; "" is no master key.
func ParseSource(text string) (Source, error) {
	if text == "" {
		return Source{Kind: SourceNone}, nil
	}
	kind, name, _ := strings.Cut(text, ":")
	s := Source{SourceKind(kind), name}
	ok := false
	switch s.Kind {
	case SourceEnv:
		ok = envNamePattern.MatchString(name)
	case SourceFile:
		ok = filepath.IsAbs(name)
	case SourceCredential:
		ok = credentialNamePattern.MatchString(name)
	case SourceNone:
	}
	if !ok {
		// What was written here by mistake may be the key itself: it is not repeated.
		return Source{}, errors.New("is none of env:NAME, file:/PATH and credential:NAME")
	}
	return s, nil
}

// String is the form that ParseSource reads.
func (s Source) String() string {
	if s.Kind == "" || s.Kind == SourceNone {
		return string(SourceNone)
	}
	return string(s.Kind) + ":" + s.Name
}

// none reports whether there is no master key.
func (s Source) none() bool { return s.Kind == "" || s.Kind == SourceNone }

// Outside is what a master key is read from.
type Outside struct {
	// Getenv returns a variable of the environment, or "".
	Getenv func(string) string
}

// open reads the master key. The error is ErrMasterMissing where there is none, and never
// holds what was read.
func (s Source) open(o Outside) (tink.AEAD, error) {
	text, err := s.read(o)
	if err != nil {
		return nil, err
	}
	raw, err := decodeMaster(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("secrets: the master key in %s %w", s, err)
	}
	a, err := subtle.NewAESGCM(raw)
	if err != nil {
		return nil, fmt.Errorf("secrets: use the master key in %s: %w", s, err)
	}
	return a, nil
}

func (s Source) read(o Outside) (string, error) {
	getenv := o.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	switch s.Kind {
	case SourceEnv:
		text := getenv(s.Name)
		if text == "" {
			return "", fmt.Errorf("%w: the variable %s is not set", ErrMasterMissing, s.Name)
		}
		return text, nil
	case SourceCredential:
		dir := getenv(credentialsDirectory)
		if dir == "" {
			return "", fmt.Errorf("%w: %s is not set: the service has no credentials", ErrMasterMissing, credentialsDirectory)
		}
		// systemd made the directory for this service alone; its files may have the mode 0440.
		return readMaster(filepath.Join(dir, s.Name), 0o007)
	case SourceFile:
		return readMaster(s.Name, 0o077)
	case SourceNone:
	}
	return "", ErrMasterMissing
}

// readMaster reads a file which nobody of the forbidden mode may read.
func readMaster(path string, forbidden fs.FileMode) (string, error) {
	b, err := readPrivate(path, forbidden, masterFileMax)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: there is no file %s", ErrMasterMissing, path)
	}
	return string(b), err
}

// decodeMaster reads base64 or hex of exactly the right length: a password is no key.
func decodeMaster(text string) ([]byte, error) {
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == MasterKeyBytes {
		return raw, nil
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if raw, err := base64.RawStdEncoding.DecodeString(text); err == nil && len(raw) == MasterKeyBytes {
		return raw, nil
	}
	return nil, fmt.Errorf("is not %d bytes in base64 or hex (culm keys generate makes one)", MasterKeyBytes)
}
