package secrets_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/host/secrets"
)

// Who asks a system that reflects its credential for one part after the other gets no part
// that would help.
func TestPiecesOfACredentialAreScrubbed(t *testing.T) {
	t.Parallel()
	const token = "ghp_Zk3vR9xQ2mT7wL5b"
	s := secrets.NewScrubber(&secrets.Credential{Kind: secrets.KindBearer, Secret: secrets.NewSecret(token)})
	for from := range len(token) {
		for to := from + 8; to <= len(token); to++ {
			got := s.Text("before " + token[from:to] + " after")
			if got != "before *** after" {
				t.Errorf("%d to %d: %q", from, to, got)
			}
		}
	}
	for _, harmless := range []string{"", "ghp_Zk3", "nothing at all", strings.Repeat("ghp_", 100), token[:7] + "|" + token[8:15]} {
		if got := s.Text(harmless); got != harmless {
			t.Errorf("%q became %q", harmless, got)
		}
	}
	if got := s.Text(token[:10] + token[:10] + "!" + token[10:]); strings.Contains(got, token[:4]) || strings.Contains(got, "wL5b") {
		t.Errorf("several pieces: %q", got)
	}
	// Words and numbers of a pass phrase are words and numbers.
	words := secrets.NewScrubber(&secrets.Credential{Kind: secrets.KindBasic, Username: "a", Secret: secrets.NewSecret("administrator-20260101")})
	for _, ordinary := range []string{"the administrator said so", "it was 20260101 then"} {
		if got := words.Text(ordinary); got != ordinary {
			t.Errorf("%q became %q", ordinary, got)
		}
	}
}

func BenchmarkScrubWithoutAFind(b *testing.B) {
	s := secrets.NewScrubber(&secrets.Credential{Kind: secrets.KindBearer, Secret: secrets.NewSecret("ghp_Zk3vR9xQ2mT7wL5bK1sN8cV4")})
	text := strings.Repeat(`{"id": 123456, "name": "host-01.example", "state": "running"}, `, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.Text(text)
	}
}
