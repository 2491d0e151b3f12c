package gateway

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/culmhq/culm/host/systems"
)

// The journal compares a request with the one from before a restart, which may have been that
// of an older version: the hash of a request stays what it is.
func TestTheHashOfARequestIsTheSameInEveryVersion(t *testing.T) {
	t.Parallel()
	base, err := systems.ParseBaseURL("https://host:8443/api/v2/")
	if err != nil {
		t.Fatal(err)
	}
	sys := &systems.Compiled{System: &systems.System{ID: "cmdb"}, Base: base}
	at := *base
	at.Path, at.RawQuery = "/api/v2/hosts/7", "b=2&a=1"
	whole := request{
		method: http.MethodPost, url: &at, header: http.Header{"X-B": {"2"}, "X-A": {"1"}}, body: []byte(`{"a":"b"}`),
		unsent: map[string]string{"y": "2", "x": "1"},
	}
	bare := request{method: http.MethodGet, url: &url.URL{Scheme: "https", Host: "host:8443", Path: "/api/v2/hosts/7"}}
	for want, r := range map[string]request{
		"sha256:437990720df72dbf3d658d773cf4d372a5af575420e050964eceaecb7eaaa187": whole,
		"sha256:7a1a9710886133d321cf29983cf41f833cdc450a148670d5aa432a4508a764b7": bare,
	} {
		if got := r.sum(sys, "find"); got != want {
			t.Errorf("%s %s has the hash %s, not %s", r.method, r.url, got, want)
		}
	}
}
