package audit_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/host/audit"
)

func TestASourceHoldsAddressesAndAShortAgent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address, forwarded, agent string
		want                      audit.Source
	}{
		"a browser":           {"127.0.0.1:4711", "", "Mozilla/5.0 (X11)", audit.Source{Address: "127.0.0.1", Agent: "Mozilla/5.0 (X11)"}},
		"behind a proxy":      {"[::1]:80", "10.0.0.1, 203.0.113.7", "curl/8", audit.Source{Address: "::1", Forwarded: "203.0.113.7", Agent: "curl/8"}},
		"mapped and zoned":    {"[::ffff:192.0.2.1]:80", "fe80::1%eth0", "", audit.Source{Address: "192.0.2.1", Forwarded: "fe80::1"}},
		"a text of no use":    {"pipe", `<b>"me"</b>`, "", audit.Source{}},
		"a forged line":       {"127.0.0.1:1", "", "a\r\nb\x00\u202ec\xff", audit.Source{Address: "127.0.0.1", Agent: "abc"}},
		"cut between letters": {"", "", strings.Repeat("é", 200), audit.Source{Agent: strings.Repeat("é", 80)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := *audit.NewSource(c.address, c.forwarded, c.agent); got != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}
