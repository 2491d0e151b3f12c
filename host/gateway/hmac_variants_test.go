package gateway_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/secrets"
)

// Every algorithm, in both encodings, over every part that can be signed: the system computes
// the signature over the documented text by itself.
func TestEveryAlgorithmSignsEveryPart(t *testing.T) {
	t.Parallel()
	const key = "the-key-of-the-signature"
	hashes := map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New}
	encode := map[string]func([]byte) string{"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString}
	for algorithm, h := range hashes {
		for encoding, text := range encode {
			t.Run(algorithm+", "+encoding, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, nil, setting{
					auth: fmt.Sprintf(`{type: hmac, header: X-Signature, algorithm: %s, encoding: %s, key_id_header: X-Key-Id, timestamp_header: X-Time, nonce_header: X-Nonce,
						signed: [key_id, nonce, timestamp, host, method, path, query, body, body_sha256]}`, algorithm, encoding),
					credential: secrets.Input{KeyID: "key-1", Secret: secrets.NewSecret(key)},
				})
				b.call("create", nil, `{"name":"a"}`)
				b.call("search", map[string]any{"q": "a b/c", "n": 2}, "")
				b.call("search", map[string]any{"q": "a b/c", "n": 2}, "")
				got := b.up.all()
				if len(got) != 3 {
					t.Fatalf("the system got %d requests", len(got))
				}
				for _, r := range got {
					path, query, _ := strings.Cut(r.URI, "?")
					sum := sha256.Sum256([]byte(r.Body))
					mac := hmac.New(h, []byte(key))
					mac.Write([]byte(strings.Join([]string{
						"key-1", r.Header.Get("X-Nonce"), r.Header.Get("X-Time"), strings.TrimPrefix(b.up.URL, "http://"), r.Method, path, query, r.Body, hex.EncodeToString(sum[:]),
					}, "\n")))
					if want := text(mac.Sum(nil)); r.Header.Get("X-Signature") != want {
						t.Errorf("%s %s is signed with %q, want %q", r.Method, r.URI, r.Header.Get("X-Signature"), want)
					}
				}
				if a, b := got[1].Header, got[2].Header; a.Get("X-Nonce") == b.Get("X-Nonce") || a.Get("X-Signature") == b.Get("X-Signature") {
					t.Error("two requests have the same nonce")
				}
			})
		}
	}
}
