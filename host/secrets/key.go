package secrets

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// The reasons why the vault refuses to open. Nothing is changed then.
var (
	// ErrKeyMissing means that secrets are stored, and the key file is not there.
	ErrKeyMissing = errors.New("secrets: the key file is missing, and secrets are stored that need it: put it back")
	// ErrWrongKey means that the key file is not the one the secrets were sealed with.
	ErrWrongKey = errors.New("secrets: the key file is not the one that the stored secrets were sealed with: put the right one back")
	// ErrKeyMode means that others than the owner may read the key file.
	ErrKeyMode = errors.New("secrets: the key file may be readable by its owner only (chmod 600)")
)

// Key seals and opens values. Each value gets a data key of its own, which is sealed
// with the key from the file (envelope encryption, AES-256-GCM). Safe for concurrent
// use.
type Key struct{ aead tink.AEAD }

// canaryText is sealed at the first start; a key that does not open it is the wrong
// one.
const canaryText = "culm canary v1"

// canaryData is the associated data of the canary.
const canaryData = "|canary|canary|1"

// Open opens the vault with the key in keyFile. At the first start it makes the key
// (mode 0600). It refuses a key file that others may read, a missing one where
// secrets are stored, and a wrong one.
func Open(ctx context.Context, keyFile string, rows Rows, clock Clock) (*Vault, error) {
	canary, err := rows.Canary(ctx)
	if err != nil {
		return nil, fmt.Errorf("secrets: read the canary: %w", err)
	}
	key, err := readKey(keyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && canary != nil:
		return nil, ErrKeyMissing
	case errors.Is(err, fs.ErrNotExist):
		key, err = makeKey(keyFile)
	}
	if err != nil {
		return nil, err
	}
	if canary == nil {
		if canary, err = key.Seal([]byte(canaryText), []byte(canaryData)); err != nil {
			return nil, fmt.Errorf("secrets: seal the canary: %w", err)
		}
		if err := rows.SaveCanary(ctx, canary); err != nil {
			return nil, fmt.Errorf("secrets: save the canary: %w", err)
		}
	}
	plain, err := key.Open(canary, []byte(canaryData))
	if err != nil || subtle.ConstantTimeCompare(plain, []byte(canaryText)) != 1 {
		return nil, ErrWrongKey
	}
	v := &Vault{rows: rows, key: key, clock: clock}
	return v, v.openMACKey(ctx)
}

// Seal encrypts a value; only Open with the same associated data gives it back.
func (k *Key) Seal(plain, associated []byte) ([]byte, error) {
	cipher, err := k.aead.Encrypt(plain, associated)
	if err != nil {
		return nil, fmt.Errorf("secrets: encrypt: %w", err)
	}
	if bytes.Contains(cipher, plain) { // a cipher that does nothing must not go unnoticed
		return nil, errors.New("secrets: the ciphertext holds the plaintext")
	}
	return cipher, nil
}

// Open decrypts what Seal made.
func (k *Key) Open(cipher, associated []byte) ([]byte, error) {
	plain, err := k.aead.Decrypt(cipher, associated)
	if err != nil {
		return nil, fmt.Errorf("secrets: decrypt: %w", err)
	}
	return plain, nil
}

func newKey(h *keyset.Handle) (*Key, error) {
	kek, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("secrets: use the key: %w", err)
	}
	return &Key{aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), kek)}, nil
}

// readKey reads the key file; the error is fs.ErrNotExist when there is none.
func readKey(path string) (*Key, error) {
	f, err := os.Open(path) // the path is the server's own configuration
	if err != nil {
		return nil, fmt.Errorf("secrets: open the key file: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("secrets: look at the key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, ErrKeyMode
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(f))
	if err != nil {
		return nil, errors.New("secrets: the key file is damaged") // the cause may quote the file
	}
	return newKey(h)
}

// makeKey makes a new key file that is complete and on disk before it bears its name.
func makeKey(path string) (*Key, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("secrets: make a key: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&b)); err != nil {
		return nil, fmt.Errorf("secrets: write the key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("secrets: make the directory of the key file: %w", err)
	}
	if err := writeNew(path, b.Bytes()); err != nil {
		return nil, fmt.Errorf("secrets: write the key file: %w", err)
	}
	return newKey(h)
}

// writeNew writes a file that must not exist yet, through to the disk.
func writeNew(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // the link below keeps the content
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil { // unlike a rename, never replaces one
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
