package secrets

import (
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// broken is a cipher that does something else than encrypt.
type broken struct {
	tink.AEAD
	encrypt func(right []byte, plain string) []byte
}

func (b broken) Encrypt(plain, associated []byte) ([]byte, error) {
	right, err := b.AEAD.Encrypt(plain, associated)
	if err != nil {
		return nil, err
	}
	return b.encrypt(right, string(plain)), nil
}

// K12: what a cipher returns is looked at before it is stored.
func TestACipherThatDoesNotEncryptIsAnError(t *testing.T) {
	t.Parallel()
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	const plain = "hunter2, hunter2 and hunter2 again, so that it is long enough"
	for name, c := range map[string]struct {
		encrypt func(right []byte, plain string) []byte
		ok      bool
	}{
		"as it should be":  {func(right []byte, _ string) []byte { return right }, true},
		"nothing":          {func(_ []byte, plain string) []byte { return []byte(plain) }, false},
		"an empty text":    {func([]byte, string) []byte { return nil }, false},
		"a head before it": {func(right []byte, plain string) []byte { return append(right[:HeadBytes:HeadBytes], plain...) }, false},
		"a copy behind it": {func(right []byte, plain string) []byte { return append(right, plain...) }, false},
		"a damaged text":   {func(right []byte, _ string) []byte { right[len(right)-1] ^= 1; return right }, false},
		"another key's":    {func(right []byte, _ string) []byte { right[HeadBytes-1] ^= 1; return right }, false},
		"one that is cut":  {func(right []byte, _ string) []byte { return right[:len(right)-1] }, false},
		"a constant cipher": {func(right []byte, _ string) []byte {
			return append(right[:HeadBytes:HeadBytes], strings.Repeat("x", 200)...)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := newRing(h)
			if err != nil {
				t.Fatal(err)
			}
			r.data = broken{r.data, c.encrypt}
			k := &Key{}
			k.ring.Store(r)
			cipher, err := k.Seal([]byte(plain), []byte("where it is kept"))
			if (err == nil) != c.ok || err != nil && (cipher != nil || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("%q, %v", cipher, err)
			}
		})
	}
}
