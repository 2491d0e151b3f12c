package app_test

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/plugins/signing"
)

// The trust.yaml of the documents is one that a server reads: it needs nothing but the key.
func TestTheTrustFileOfTheDocumentsIsRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "supply-chain.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```yaml\nkeys:")
	example, _, ok := strings.Cut("keys:"+after, "```")
	if !ok {
		t.Fatal("the document has no trust.yaml")
	}
	private, err := signing.Generate()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := private.Public().(ed25519.PublicKey)
	pem, err := signing.MarshalPublic(public)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(pem)), "\n")
	filled := strings.Replace(example, "...", lines[1]+"\n      "+lines[2], 1)
	keys, err := app.ParseTrust([]byte(filled))
	if err != nil {
		t.Fatalf("%v in\n%s", err, filled)
	}
	if len(keys) != 1 || keys[0].ID != signing.KeyID(public) || keys[0].Publisher != "Acme" || len(keys[0].Plugins) != 1 || keys[0].Plugins[0] != "acme-*" || keys[0].Revoked {
		t.Errorf("got %+v", keys)
	}
}
