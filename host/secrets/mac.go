package secrets

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
)

// HandlePrefix begins every handle.
const HandlePrefix = "culm_secret_"

// handlePattern finds handles in a text. What follows the prefix is 32 bytes in base64.
var handlePattern = regexp.MustCompile(HandlePrefix + `[A-Za-z0-9_-]{43}`)

// HasHandle reports whether a text holds a handle, of whatever attempt.
func HasHandle(text string) bool { return handlePattern.MatchString(text) }

// HideHandles puts Mask in the place of every handle in a text.
func HideHandles(text string) string { return handlePattern.ReplaceAllString(text, Mask) }

// Attempt is what a handle is valid for.
type Attempt struct {
	Project, Run, Node string
	Iteration, Attempt int
}

// Handle makes the handle that stands for a reference in one attempt of a node. It is
// the same when the attempt is made again after a crash, and nobody can guess it.
func (v *Vault) Handle(a Attempt, ref string) string {
	sum := v.mac("handle", a.Project, a.Run, a.Node, fmt.Sprint(a.Iteration), fmt.Sprint(a.Attempt), ref)
	return HandlePrefix + base64.RawURLEncoding.EncodeToString(sum)
}

// Hash is a keyed hash of a text that may have been made from a secret: a hash of a
// request, say. Without the key nobody can try values against it.
func (v *Vault) Hash(text string) string { return hex.EncodeToString(v.mac("hash", text)) }

// fingerprint tells equal secrets of a project.
func (v *Vault) fingerprint(project, value string) string {
	return hex.EncodeToString(v.mac("fingerprint", project, value)[:8])
}

// mac is the HMAC of a purpose and texts, each with its length.
func (v *Vault) mac(purpose string, texts ...string) []byte {
	h := hmac.New(sha256.New, v.macKey)
	for _, s := range append([]string{purpose}, texts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	return h.Sum(nil)
}

// macData is the associated data of the key.
const macData = "|mac-key|mac-key|1"

// openMACKey reads the key that MACs are made with; the first start makes it.
func (v *Vault) openMACKey(ctx context.Context) error {
	cipher, err := v.rows.MACKey(ctx)
	if err != nil {
		return fmt.Errorf("secrets: read the key of handles: %w", err)
	}
	if cipher == nil {
		key := make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails
		if cipher, err = v.key.Seal(key, []byte(macData)); err != nil {
			return fmt.Errorf("secrets: seal the key of handles: %w", err)
		}
		if err := v.rows.SaveMACKey(ctx, cipher); err != nil {
			return fmt.Errorf("secrets: save the key of handles: %w", err)
		}
	}
	if v.macKey, err = v.key.Open(cipher, []byte(macData)); err != nil || len(v.macKey) != sha256.Size {
		return errors.New("secrets: the key of handles is damaged")
	}
	return nil
}
