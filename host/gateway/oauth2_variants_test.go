package gateway_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// oddClient has characters that a form and a header write differently.
const oddClient, oddSecret = "culm&co", "the secret:of=the+client%"

// How the client shows itself, and what it asks for: as RFC 6749 §2.3.1 writes it.
func TestAClientShowsItselfToTheTokenServerAsTheSystemSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		auth string
		form url.Values
	}{
		"basic":                        {"client_auth: basic", url.Values{"grant_type": {"client_credentials"}}},
		"the default is basic":         {"scopes: [a.read]", url.Values{"grant_type": {"client_credentials"}, "scope": {"a.read"}}},
		"post":                         {"client_auth: post", url.Values{"grant_type": {"client_credentials"}, "client_id": {oddClient}, "client_secret": {oddSecret}}},
		"scopes":                       {"scopes: [a.read, b.write]", url.Values{"grant_type": {"client_credentials"}, "scope": {"a.read b.write"}}},
		"audience":                     {"audience: 'https://things.example'", url.Values{"grant_type": {"client_credentials"}, "audience": {"https://things.example"}}},
		"post, scopes and an audience": {"client_auth: post, scopes: [a], audience: b", url.Values{"grant_type": {"client_credentials"}, "client_id": {oddClient}, "client_secret": {oddSecret}, "scope": {"a"}, "audience": {"b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listen(t, func(w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, `{"access_token":"the-token-of-the-client","token_type":"bearer","expires_in":3600}`)
			})
			b := newBench(t, nil, setting{
				auth:       fmt.Sprintf(`{type: oauth2, token_url: "%s/token", %s}`, s.URL, c.auth),
				credential: secrets.Input{ClientID: oddClient, Secret: secrets.NewSecret(oddSecret)},
			})
			b.allow(t, strings.TrimPrefix(s.URL, "http://"))
			if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
				t.Fatalf("got %+v", res)
			}
			got := s.all()
			if len(got) != 1 || got[0].Method != http.MethodPost || got[0].URI != "/token" {
				t.Fatalf("the token server got %+v", got)
			}
			form, err := url.ParseQuery(got[0].Body)
			if err != nil || form.Encode() != c.form.Encode() {
				t.Errorf("the form is %v (%v), want %v", form, err, c.form)
			}
			id, secret, basic := (&http.Request{Header: got[0].Header}).BasicAuth()
			if isPost := c.form.Has("client_id"); basic == isPost {
				t.Errorf("Authorization: %q", got[0].Header.Get("Authorization"))
			}
			if basic && (id != url.QueryEscape(oddClient) || secret != url.QueryEscape(oddSecret)) {
				t.Errorf("the client is %q with %q", id, secret)
			}
			if sent := b.up.all()[0].Header.Get("Authorization"); sent != "Bearer the-token-of-the-client" {
				t.Errorf("the system got %q", sent)
			}
		})
	}
}

// Whatever a token server answers but a token ends the call with a failure that says whose
// fault it is, sends nothing to the system, and quotes nothing that could be a secret.
func TestATokenServerThatGivesNoTokenIsSaidToBeAtFault(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    int
		body      string
		code      string
		retryable bool
		says      string
	}{
		"a fault":                  {500, `{}`, gateway.CodeUpstreamDown, true, "status 500"},
		"out of order":             {503, `<html>`, gateway.CodeUpstreamDown, true, "status 503"},
		"too many":                 {429, `{}`, gateway.CodeUpstreamDown, true, "status 429"},
		"a scope it does not know": {400, `{"error":"invalid_scope"}`, gateway.CodeCredentialRefused, false, "invalid_scope"},
		"an error of its own":      {400, `{"error":"the-secret-of-the-client"}`, gateway.CodeCredentialRefused, false, "status 400"},
		"elsewhere":                {302, ``, gateway.CodeCredentialRefused, false, "redirects"},
		"no JSON":                  {200, `<html>login</html>`, gateway.CodeUpstreamInvalid, false, "no token"},
		"half a JSON":              {200, `{"access_token":"tok`, gateway.CodeUpstreamInvalid, false, "no token"},
		"a list":                   {200, `[]`, gateway.CodeUpstreamInvalid, false, "no token"},
		"no token":                 {200, `{"token_type":"Bearer"}`, gateway.CodeUpstreamInvalid, false, "no token"},
		"a token of another type":  {200, `{"access_token":"the-token","token_type":"mac"}`, gateway.CodeUpstreamInvalid, false, "bearer"},
		"a token of two lines":     {200, `{"access_token":"the\ntoken","token_type":"Bearer"}`, gateway.CodeUpstreamInvalid, false, "bearer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := listen(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", "http://elsewhere.example/")
				w.WriteHeader(c.status)
				writeJSON(w, c.body)
			})
			b := newBench(t, nil, setting{auth: `{type: oauth2, token_url: "` + s.URL + `"}`, credential: client("culm")})
			b.allow(t, strings.TrimPrefix(s.URL, "http://"))
			res := b.call("read", map[string]any{"id": "1"}, "")
			refused(t, b, res, c.code, contract.OriginSystem)
			if res.Failure.Retryable != c.retryable || !strings.Contains(res.Failure.Message, c.says) || strings.Contains(res.Failure.Message, "the-secret") {
				t.Errorf("got %+v, want one that says %q", res.Failure, c.says)
			}
		})
	}
}

// A token that lives for seconds is used for three quarters of them.
func TestAShortTokenIsRenewedAfterThreeQuartersOfItsLife(t *testing.T) {
	t.Parallel()
	clock := &handClock{at: time.Now()}
	given, asked := 0, make(chan struct{}, 64)
	s := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		given++
		writeJSON(w, fmt.Sprintf(`{"access_token":"short-token-%d","token_type":"Bearer","expires_in":8}`, given))
		asked <- struct{}{}
	})
	b := newBench(t, nil, setting{auth: `{type: oauth2, token_url: "` + s.URL + `"}`, credential: client("culm"), tweak: func(g *gateway.Config) { g.Clock = clock }})
	b.allow(t, strings.TrimPrefix(s.URL, "http://"))
	uses := func(n int) {
		t.Helper()
		res := b.call("read", map[string]any{"id": "1"}, "")
		got := b.up.all()
		if want := fmt.Sprintf("Bearer short-token-%d", n); res.Status != http.StatusOK || got[len(got)-1].Header.Get("Authorization") != want {
			t.Fatalf("got %+v, %v; want %s", res, got[len(got)-1].Header, want)
		}
	}
	uses(1)
	<-asked
	clock.move(5 * time.Second)
	uses(1)
	if len(s.all()) != 1 {
		t.Fatal("a token was asked for while the first one had three seconds left")
	}
	clock.move(4 * time.Second) // it has ended
	uses(2)
	<-asked
}

// A token server inside a company is signed by the authority that the system names.
func TestTheTokenServerIsVerifiedByTheAuthoritiesOfTheSystem(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, `{"access_token":"the-token-of-the-client","token_type":"Bearer"}`)
	}))
	up.TLS = &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "tokens", net.IPv4(127, 0, 0, 1), time.Now().Add(time.Hour))}, MinVersion: tls.VersionTLS12}
	up.StartTLS()
	t.Cleanup(up.Close)
	for name, c := range map[string]struct{ tls, code string }{
		"its authority":     {fmt.Sprintf("ca: %q", ours.pem), ""},
		"another authority": {fmt.Sprintf("ca: %q", theirs.pem), gateway.CodeTLSFailed},
		"none":              {"", gateway.CodeTLSFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, setting{auth: `{type: oauth2, token_url: "` + up.URL + `"}`, credential: client("culm"), tls: c.tls})
			b.allow(t, strings.TrimPrefix(up.URL, "https://"))
			res := b.call("read", map[string]any{"id": "1"}, "")
			if c.code == "" {
				if res.Status != http.StatusOK {
					t.Fatalf("got %+v", res)
				}
				return
			}
			refused(t, b, res, c.code, contract.OriginSystem)
		})
	}
}
