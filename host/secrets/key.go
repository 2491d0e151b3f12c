package secrets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// HeadBytes is how many bytes at the beginning of a ciphertext say which key it was sealed
// with: the length of the sealed data key (4 bytes), then the prefix of Tink, which is a 1
// and the number of the key.
const HeadBytes = 9

// keyPrefix is where in a ciphertext the prefix of Tink begins, and tinkPrefix its first
// byte (https://developers.google.com/tink/wire-format).
const (
	keyPrefix  = 4
	tinkPrefix = 1
)

// errUnsealed is that of what is no ciphertext at all.
var errUnsealed = errors.New("secrets: it is not encrypted")

// Key seals and opens values. Each value gets a data key of its own, which is sealed with
// the primary of the keys in the key file (envelope encryption, AES-256-GCM); changing
// the primary changes the sealed data keys only. Safe for concurrent use.
type Key struct{ ring atomic.Pointer[ring] }

// ring is the keys at one time. It is immutable.
type ring struct {
	handle  *keyset.Handle
	primary uint32
	kek     tink.AEAD // seals data keys
	data    tink.AEAD // seals values
}

func newKey(h *keyset.Handle) (*Key, error) {
	r, err := newRing(h)
	if err != nil {
		return nil, err
	}
	k := &Key{}
	k.ring.Store(r)
	return k, nil
}

func newRing(h *keyset.Handle) (*ring, error) {
	kek, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("secrets: use the key: %w", err)
	}
	primary, err := h.Primary()
	if err != nil {
		return nil, fmt.Errorf("secrets: use the key: %w", err)
	}
	return &ring{h, primary.KeyID(), kek, aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), kek)}, nil
}

// has reports whether a key is among the keys.
func (r *ring) has(id uint32) bool {
	for i := range r.handle.Len() {
		if e, err := r.handle.Entry(i); err == nil && e.KeyID() == id {
			return true
		}
	}
	return false
}

// Seal encrypts a value; only Open with the same associated data gives it back. What it
// returns was looked at: a cipher that does nothing, or the wrong thing, is an error.
func (k *Key) Seal(plain, associated []byte) ([]byte, error) {
	r := k.ring.Load()
	cipher, err := r.data.Encrypt(plain, associated)
	if err != nil {
		return nil, fmt.Errorf("secrets: encrypt: %w", err)
	}
	if id, err := sealedWith(cipher); err != nil || id != r.primary || bytes.Contains(cipher, plain) {
		return nil, errors.New("secrets: the ciphertext holds the plaintext, or is none")
	}
	if again, err := r.data.Decrypt(cipher, associated); err != nil || !bytes.Equal(again, plain) {
		return nil, errors.New("secrets: the ciphertext does not open")
	}
	return cipher, nil
}

// Open decrypts what Seal made.
func (k *Key) Open(cipher, associated []byte) ([]byte, error) {
	plain, err := k.ring.Load().data.Decrypt(cipher, associated)
	if err != nil {
		return nil, fmt.Errorf("secrets: decrypt: %w", err)
	}
	return plain, nil
}

// Rewrap seals the data key of a ciphertext with the primary key. The value stays sealed:
// its associated data is not needed.
func (k *Key) Rewrap(cipher []byte) ([]byte, error) {
	if _, err := sealedWith(cipher); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(cipher)
	if uint64(n) > uint64(len(cipher)-keyPrefix) {
		return nil, errUnsealed
	}
	wrapped, payload := cipher[keyPrefix:keyPrefix+n], cipher[keyPrefix+n:]
	r := k.ring.Load()
	dataKey, err := r.kek.Decrypt(wrapped, []byte{})
	if err != nil {
		return nil, fmt.Errorf("secrets: open a data key: %w", err)
	}
	if wrapped, err = r.kek.Encrypt(dataKey, []byte{}); err != nil {
		return nil, fmt.Errorf("secrets: seal a data key: %w", err)
	}
	out := binary.BigEndian.AppendUint32(make([]byte, 0, keyPrefix+len(wrapped)+len(payload)), uint32(len(wrapped))) //nolint:gosec // far below
	return append(append(out, wrapped...), payload...), nil
}

// sealedWith returns the number of the key that a ciphertext, or its first HeadBytes, was
// sealed with.
func sealedWith(head []byte) (uint32, error) {
	if len(head) < HeadBytes || head[keyPrefix] != tinkPrefix || binary.BigEndian.Uint32(head) < HeadBytes-keyPrefix || head[0] != 0 || head[1] != 0 {
		return 0, errUnsealed
	}
	return binary.BigEndian.Uint32(head[keyPrefix+1:]), nil
}

// prefixOf is what the sealed data keys of a key begin with.
func prefixOf(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{tinkPrefix}, id)
}
