package signing_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/plugins/signing"
)

func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(seed byte) ed25519.PublicKey { return key(seed).Public().(ed25519.PublicKey) }

var ticket = signing.Subject{Plugin: "ticket", Version: "1.0.0", Digest: "sha256:" + strings.Repeat("0a", 32)}

func TestWhatWasSignedIsOpened(t *testing.T) {
	t.Parallel()
	e, err := signing.Sign(key(1), ticket)
	if err != nil {
		t.Fatal(err)
	}
	again, err := signing.Sign(key(1), ticket)
	if err != nil || !bytes.Equal(e, again) {
		t.Errorf("signed again it differs: %v", err)
	}
	s, by, err := signing.Open(e, []ed25519.PublicKey{public(2), public(1)})
	if err != nil || s != ticket || len(by) != 1 || by[0] != signing.KeyID(public(1)) {
		t.Errorf("%+v, %v, %v", s, by, err)
	}
	if _, by, err := signing.Open(e, []ed25519.PublicKey{public(2)}); err != nil || len(by) != 0 {
		t.Errorf("another key: %v, %v", by, err)
	}
	if got := signing.Signers(e); len(got) != 1 || got[0] != signing.KeyID(public(1)) {
		t.Errorf("signers %v", got)
	}
}

// TestThePayloadIsSignedAsDSSESays builds what is signed by hand, from the specification.
func TestThePayloadIsSignedAsDSSESays(t *testing.T) {
	t.Parallel()
	raw, err := signing.Sign(key(1), ticket)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		PayloadType, Payload string
		Signatures           []struct{ Sig string }
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	payload, _ := base64.StdEncoding.DecodeString(e.Payload)
	sig, _ := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	const want = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"ticket","digest":{"sha256":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}}],` +
		`"predicateType":"https://github.com/culmhq/culm/plugin/v1","predicate":{"plugin":"ticket","version":"1.0.0"}}`
	if string(payload) != want {
		t.Errorf("payload %s", payload)
	}
	if !ed25519.Verify(public(1), []byte("DSSEv1 28 application/vnd.in-toto+json 269 "+want), sig) {
		t.Errorf("not the encoding of DSSE; the payload has %d bytes", len(payload))
	}
}

// TestAnEnvelopeIsTakenWholeOrNotAtAll changes an envelope in every place.
func TestAnEnvelopeIsTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	e, err := signing.Sign(key(1), ticket)
	if err != nil {
		t.Fatal(err)
	}
	for i := range e {
		for _, change := range []byte{1, 0x20, 0x80} {
			broken := bytes.Clone(e)
			broken[i] ^= change
			s, by, err := signing.Open(broken, []ed25519.PublicKey{public(1)})
			if err == nil && len(by) > 0 && s != ticket {
				t.Fatalf("byte %d: opened as %+v", i, s)
			}
		}
	}
}

func TestEnvelopesThatAreRefused(t *testing.T) {
	t.Parallel()
	good, err := signing.Sign(key(1), ticket)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(change func(map[string]any)) []byte {
		var e map[string]any
		if err := json.Unmarshal(good, &e); err != nil {
			t.Fatal(err)
		}
		change(e)
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	payload := func(text string) []byte {
		return edit(func(e map[string]any) { e["payload"] = base64.StdEncoding.EncodeToString([]byte(text)) })
	}
	for name, raw := range map[string][]byte{
		"nothing":            nil,
		"too large":          bytes.Repeat([]byte(" "), signing.EnvelopeMaxBytes+1),
		"more after it":      append(bytes.Clone(good), good...),
		"an unknown field":   edit(func(e map[string]any) { e["more"] = 1 }),
		"another type":       edit(func(e map[string]any) { e["payloadType"] = "text/plain" }),
		"no signature":       edit(func(e map[string]any) { e["signatures"] = []any{} }),
		"payload not base64": edit(func(e map[string]any) { e["payload"] = "?" }),
		"not a statement": edit(func(e map[string]any) {
			delete(e["signatures"].([]any)[0].(map[string]any), "keyid")
			e["payload"] = "e30="
		}),
		"another payload": payload(`{}`),
	} {
		_, by, err := signing.Open(raw, []ed25519.PublicKey{public(1)})
		var wrong *signing.Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v, %v", name, by, err)
		}
	}
	for _, s := range []signing.Subject{{}, {Plugin: "a", Version: "1.0.0", Digest: "sha256:0"}, {Plugin: "a", Version: "1.0.0", Digest: ticket.Digest[7:]}} {
		if _, err := signing.Sign(key(1), s); err == nil {
			t.Errorf("signed %+v", s)
		}
	}
}

func TestKeysAreWrittenAndRead(t *testing.T) {
	t.Parallel()
	k, err := signing.Generate()
	if err != nil {
		t.Fatal(err)
	}
	private, err := signing.MarshalPrivate(k)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signing.MarshalPublic(k.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	k2, err := signing.ParsePrivate(private)
	if err != nil || !k2.Equal(k) {
		t.Errorf("private key: %v", err)
	}
	p2, err := signing.ParsePublic(text)
	if err != nil || !p2.Equal(k.Public()) {
		t.Errorf("public key: %v", err)
	}
	if _, err := signing.ParsePrivate(text); err == nil {
		t.Error("a public key was taken for a private one")
	}
	if _, err := signing.ParsePublic(private); err == nil {
		t.Error("a private key was taken for a public one")
	}
}

// TestAnotherToolsKeysAreRead lets openssl make the key and check the signature, where
// it is installed.
func TestAnotherToolsKeysAreRead(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), openssl, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, out)
		}
	}
	run("genpkey", "-algorithm", "ed25519", "-out", "k.pem")
	run("pkey", "-in", "k.pem", "-pubout", "-out", "p.pem")
	text, err := os.ReadFile(filepath.Join(dir, "k.pem"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := signing.ParsePrivate(text)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(filepath.Join(dir, "p.pem")); err != nil {
		t.Fatal(err)
	}
	p, err := signing.ParsePublic(text)
	if err != nil || !p.Equal(k.Public()) {
		t.Fatalf("public key: %v", err)
	}
	raw, err := signing.Sign(k, ticket)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		PayloadType, Payload string
		Signatures           []struct{ Sig string }
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	payload, _ := base64.StdEncoding.DecodeString(e.Payload)
	sig, _ := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	message := "DSSEv1 28 application/vnd.in-toto+json 269 " + string(payload)
	for name, content := range map[string][]byte{"m": []byte(message), "s": sig} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("pkeyutl", "-verify", "-pubin", "-inkey", "p.pem", "-rawin", "-in", "m", "-sigfile", "s")
}

func FuzzOpen(f *testing.F) {
	e, err := signing.Sign(key(1), ticket)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`))
	keys := []ed25519.PublicKey{public(1)}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, by, err := signing.Open(raw, keys)
		if err == nil && len(by) > 0 && s != ticket {
			t.Errorf("opened %+v", s)
		}
	})
}
