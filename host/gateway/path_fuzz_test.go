package gateway

import (
	"net/url"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/systems"
)

// Whatever is given, a path that comes out has the shape of its template and holds
// the values and nothing else.
func FuzzExpand(f *testing.F) {
	for _, seed := range []string{"a", "..", "%2e%2e%2f", "a/b", `a\b`, "a;b", "a?b#c", "主机", "\x00", "a\r\nb", "\uff0e\uff0e", "\xff", " "} {
		f.Add(seed, "ok", "/api")
		f.Add("ok", seed, "")
	}
	segments := []systems.Segment{{Literal: "v1"}, {Param: "x"}, {Literal: "in"}, {Param: "y"}, {}}
	f.Fuzz(func(t *testing.T, x, y, prefix string) {
		base, err := systems.ParseBaseURL("http://host:1" + prefix)
		if err != nil || (prefix != "" && prefix[0] != '/') {
			t.Skip("not a base URL")
		}
		u, err := expand(base, segments, values{{&systems.Parameter{Name: "x"}, []string{x}}, {&systems.Parameter{Name: "y"}, []string{y}}})
		if err != nil {
			if strings.Contains(err.Error(), "shape") {
				t.Fatalf("%q %q came as far as the comparison with the template", x, y)
			}
			return
		}
		again, err := url.Parse(u.String())
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimRight(base.Path, "/") + "/v1/" + x + "/in/" + y + "/"
		if again.Path != want || again.Host != "host:1" || again.RawQuery != "" || again.Fragment != "" || again.User != nil {
			t.Fatalf("%q %q became %s", x, y, u)
		}
		escaped := strings.TrimPrefix(again.EscapedPath(), strings.TrimRight(base.EscapedPath(), "/"))
		if strings.Count(escaped, "/") != 5 || strings.ContainsAny(escaped, "\\;?#\r\n\x00") || strings.Contains(strings.ToLower(escaped), "%2f") ||
			strings.Contains(strings.ToLower(escaped), "%2e") || strings.Contains(escaped, "/../") || strings.Contains(escaped, "/./") {
			t.Fatalf("%q %q became %s", x, y, escaped)
		}
	})
}
