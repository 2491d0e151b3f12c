package audit

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Anchor is a place of the log, signed. Anchors are kept outside the database: whoever
// can change the log cannot make one without the key, and a log that ends before its last
// anchor has lost its end.
type Anchor struct {
	Head
	// At is when it was signed, in UTC.
	At time.Time `json:"at"`
	// Key is the id of the key, Signature that of the place, in base64.
	Key       string `json:"key"`
	Signature string `json:"sig"`
}

// signed is what the signature of an anchor is of.
func (a Anchor) signed() []byte {
	return fmt.Appendf(nil, "culm audit anchor v1\n%d\n%s\n%s\n", a.Seq, a.Hash, a.At.UTC().Format(time.RFC3339Nano))
}

// Valid reports whether the anchor was signed by the key.
func (a Anchor) Valid(key ed25519.PublicKey) bool {
	sig, err := base64.StdEncoding.DecodeString(a.Signature)
	return err == nil && ed25519.Verify(key, a.signed(), sig)
}

// KeyID names a key: the first 16 hex digits of its SHA-256.
func KeyID(key ed25519.PublicKey) string {
	s := sha256.Sum256(key)
	return hex.EncodeToString(s[:8])
}

// Anchors is the file of a log's anchors and the key that they are signed with. One
// goroutine at a time.
type Anchors struct {
	path string
	key  ed25519.PrivateKey
}

// OpenAnchors reads the key from a file in PEM (PKCS #8), or makes it at the first start,
// with mode 0600. A key that others may read is refused. The public key lies beside it,
// with ".pub" behind the name.
func OpenAnchors(path, keyFile string) (*Anchors, error) {
	key, err := readKey(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(keyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("audit: key of the anchors: %w", err)
	}
	return &Anchors{path, key}, nil
}

// Public is the key that the anchors are checked with.
func (a *Anchors) Public() ed25519.PublicKey {
	return ed25519.PublicKey(a.key[ed25519.SeedSize:])
}

// Add signs a place and puts it at the end of the file, through to the disk.
func (a *Anchors) Add(h Head, at time.Time) (Anchor, error) {
	n := Anchor{Head: h, At: at.UTC(), Key: KeyID(a.Public())}
	n.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(a.key, n.signed()))
	line, err := json.Marshal(n)
	if err != nil {
		return Anchor{}, fmt.Errorf("audit: anchor: %w", err)
	}
	f, err := os.OpenFile(a.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return Anchor{}, fmt.Errorf("audit: anchor: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return Anchor{}, fmt.Errorf("audit: anchor: %w", err)
	}
	return n, nil
}

// Last returns the last anchor of the file, or none.
func (a *Anchors) Last() (Anchor, bool, error) {
	all, err := ReadAnchors(a.path)
	if err != nil || len(all) == 0 {
		return Anchor{}, false, err
	}
	return all[len(all)-1], true, nil
}

// keepAll is how long every anchor is kept; of older ones, the last of each day.
const keepAll = 7 * 24 * time.Hour

// Thin makes the file small again. What is left of it proves the same log, in larger steps.
func (a *Anchors) Thin(now time.Time) error {
	all, err := ReadAnchors(a.path)
	if err != nil || len(all) == 0 {
		return err
	}
	var b bytes.Buffer
	kept := 0
	for i, n := range all {
		day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
		if now.Sub(n.At) > keepAll && i+1 < len(all) && day(all[i+1].At) == day(n.At) {
			continue
		}
		line, err := json.Marshal(n)
		if err != nil {
			return fmt.Errorf("audit: anchors: %w", err)
		}
		kept++
		b.Write(append(line, '\n'))
	}
	if kept == len(all) {
		return nil
	}
	return replaceFile(a.path, b.Bytes())
}

// ReadAnchors reads a file of anchors; one that does not exist holds none. A last line
// that was not written to its end is left out.
func ReadAnchors(path string) ([]Anchor, error) {
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("audit: anchors: %w", err)
	}
	var out []Anchor
	s := bufio.NewScanner(bytes.NewReader(content))
	for n := 1; s.Scan(); n++ {
		var a Anchor
		if err := json.Unmarshal(s.Bytes(), &a); err != nil {
			if !bytes.HasSuffix(content, []byte("\n")) && bytes.HasSuffix(content, s.Bytes()) {
				break
			}
			return nil, fmt.Errorf("audit: anchors: line %d of %s is no anchor", n, path)
		}
		out = append(out, a)
	}
	return out, s.Err()
}

// CheckAnchors returns the places that anchors prove, and a finding for each that the key
// did not sign.
func CheckAnchors(all []Anchor, key ed25519.PublicKey) ([]Head, []Finding) {
	var places []Head
	var bad []Finding
	for _, a := range all {
		if a.Valid(key) {
			places = append(places, a.Head)
		} else if len(bad) < foundMax {
			bad = append(bad, Finding{a.Seq, FoundForged, "an anchor is not signed by the key " + KeyID(key)})
		}
	}
	return places, bad
}

// PublicSuffix makes the name of a key's file into that of its public key.
const PublicSuffix = ".pub"

// ReadPublic reads a public key in PEM (PKIX).
func ReadPublic(path string) (ed25519.PublicKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("audit: public key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("audit: public key: %s holds none in PEM", path)
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("audit: public key: %w", err)
	}
	key, ok := k.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("audit: public key: %s holds no Ed25519 key", path)
	}
	return key, nil
}

func readKey(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be readable by its owner only (chmod 600)", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s is damaged", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := k.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s is damaged", path) // the cause may quote the file
	}
	return key, nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	shown, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	if err := replaceFile(path+PublicSuffix, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: shown})); err != nil {
		return nil, err
	}
	return key, replaceFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// replaceFile writes a file that is complete and on disk before it bears its name.
func replaceFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+strings.TrimPrefix(filepath.Base(path), ".")+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it bears another name by then
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
