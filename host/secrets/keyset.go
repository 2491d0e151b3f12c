package secrets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// keyFileMax bounds what is read of the key file.
const keyFileMax = 1 << 20

// masterData is the associated data of an encrypted key file.
const masterData = "culm key file v1"

// keyFile is the file of the keys: a keyset of Tink in JSON, as it is or encrypted with
// the master key. It is replaced as a whole and never half.
type keyFile struct {
	path string
	// master encrypts the file; nil leaves it as it is.
	master tink.AEAD
	// former is tried where master does not open the file, or is not needed yet.
	former tink.AEAD
}

// read reads the keys. stale says that the file has to be written anew, since it is not
// encrypted with the master key. The error is fs.ErrNotExist when there is no file.
func (f keyFile) read() (h *keyset.Handle, stale bool, err error) {
	text, err := readPrivate(f.path, 0o077, keyFileMax)
	if err != nil {
		return nil, false, err
	}
	if !isEncrypted(text) {
		h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
		if err != nil {
			return nil, false, errDamaged // the cause may quote the file
		}
		return h, f.master != nil, nil
	}
	if f.master == nil {
		return nil, false, ErrMasterUnset
	}
	if h, err = open(text, f.master); err == nil {
		return h, false, nil
	}
	if f.former != nil {
		if h, err := open(text, f.former); err == nil {
			return h, true, nil
		}
	}
	return nil, false, ErrWrongMaster
}

// errDamaged is that of a file which is no keyset.
var errDamaged = errors.New("secrets: the key file is damaged")

func open(text []byte, master tink.AEAD) (*keyset.Handle, error) {
	return keyset.ReadWithAssociatedData(keyset.NewJSONReader(bytes.NewReader(text)), master, []byte(masterData))
}

// isEncrypted tells the two forms of the file apart.
func isEncrypted(text []byte) bool {
	var form struct {
		Encrypted *string `json:"encryptedKeyset"`
	}
	return json.Unmarshal(text, &form) == nil && form.Encrypted != nil
}

// encode returns the content of the file. What should be encrypted is looked at once more:
// an encryption that does nothing must not go unnoticed.
func (f keyFile) encode(h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	if f.master == nil {
		if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&b)); err != nil {
			return nil, fmt.Errorf("secrets: write the keys: %w", err)
		}
		return b.Bytes(), nil
	}
	if err := h.WriteWithAssociatedData(keyset.NewJSONWriter(&b), f.master, []byte(masterData)); err != nil {
		return nil, fmt.Errorf("secrets: write the keys: %w", err)
	}
	if !isEncrypted(b.Bytes()) {
		return nil, errors.New("secrets: the key file would not be encrypted")
	}
	if _, err := open(b.Bytes(), f.master); err != nil {
		return nil, errors.New("secrets: the encrypted key file cannot be read back")
	}
	return b.Bytes(), nil
}

// create makes the file, which must not exist yet, with one new key.
func (f keyFile) create() (*keyset.Handle, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("secrets: make a key: %w", err)
	}
	text, err := f.encode(h)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return nil, fmt.Errorf("secrets: make the directory of the key file: %w", err)
	}
	// Unlike a rename, a link never replaces a file.
	if err := f.write(text, os.Link); err != nil {
		return nil, fmt.Errorf("secrets: write the key file: %w", err)
	}
	return h, nil
}

// replace writes the file anew: whoever reads it, also after a crash, finds the former
// content or the new one.
func (f keyFile) replace(h *keyset.Handle) error {
	text, err := f.encode(h)
	if err != nil {
		return err
	}
	if err := f.write(text, os.Rename); err != nil {
		return fmt.Errorf("secrets: write the key file: %w", err)
	}
	return nil
}

// write writes a file that is complete and on disk before name gives it its name.
func (f keyFile) write(text []byte, name func(from, to string) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(f.path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // it has its other name, or is not wanted
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := name(tmp.Name(), f.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// readPrivate reads a file which nobody of the forbidden mode may read.
func readPrivate(path string, forbidden fs.FileMode, limit int64) ([]byte, error) {
	f, err := os.Open(path) // the path is the server's own configuration
	if err != nil {
		return nil, fmt.Errorf("secrets: open the key file: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("secrets: look at the key file: %w", err)
	}
	if info.Mode().Perm()&forbidden != 0 {
		return nil, ErrKeyMode
	}
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("secrets: read the key file: %w", err)
	}
	return b, nil
}
