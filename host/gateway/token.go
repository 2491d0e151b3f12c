package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

const (
	// tokenTimeout bounds a request for a token.
	tokenTimeout = 15 * time.Second
	// tokenMargin is how long before its end a token is replaced, or a quarter of its life
	// where that is shorter.
	tokenMargin = time.Minute
	// maxTokens bounds the cache; a full one starts anew.
	maxTokens = 1024
)

// tokens gets and keeps the tokens of OAuth2 clients: in memory only. Safe for concurrent
// use.
type tokens struct {
	transport *transport
	clock     Clock
	flight    singleflight.Group
	mu        sync.Mutex
	m         map[string]token
}

// token is one that a server gave.
type token struct {
	value string
	// scrubber looks for the token and the client's secret.
	scrubber *secrets.Scrubber
	// renew is when the next one is asked for, end when this one is no good any more; zero
	// is never.
	renew, end time.Time
}

func newTokens(t *transport, clock Clock) *tokens {
	return &tokens{transport: t, clock: clock, m: map[string]token{}}
}

// token returns a token for the call: the kept one, or a new one, which all who wait for
// it share. One that ends soon is replaced meanwhile and still used.
func (k *tokens) token(ctx context.Context, c *call, cred *secrets.Credential) (t token, isKept bool, f *contract.Failure) {
	key := tokenKey(&c.system.System.Auth, cred)
	now := k.clock.Now()
	kept, ok := k.kept(key)
	if ok && kept.lasts(now) {
		return kept, true, nil
	}
	// Who waits may give up; the request goes on for the others.
	detached := context.WithoutCancel(ctx)
	got := k.flight.DoChan(key, func() (any, error) {
		// Another request may have ended since the look above.
		if t, ok := k.kept(key); ok && t.lasts(k.clock.Now()) {
			return t, nil
		}
		return k.fetch(detached, key, c, cred)
	})
	if ok && now.Before(kept.end) {
		return kept, true, nil
	}
	select {
	case r := <-got:
		if r.Err != nil {
			return token{}, false, k.failure(ctx, c, r.Err)
		}
		return r.Val.(token), false, nil
	case <-ctx.Done():
		return token{}, false, c.sendFailure(ctx, ctx.Err())
	}
}

// lasts reports whether no new token need be asked for yet.
func (t token) lasts(now time.Time) bool { return t.end.IsZero() || now.Before(t.renew) }

// kept returns the token that is kept, however old.
func (k *tokens) kept(key string) (token, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.m[key]
	return t, ok
}

// drop forgets a token that a system did not take.
func (k *tokens) drop(a *systems.Auth, cred *secrets.Credential, value string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := tokenKey(a, cred); k.m[key].value == value {
		delete(k.m, key)
	}
}

// fetch asks the token server, through the same transport and address policy as calls.
func (k *tokens) fetch(ctx context.Context, key string, c *call, cred *secrets.Credential) (token, error) {
	a := &c.system.System.Auth
	cfg := clientcredentials.Config{
		ClientID: cred.Username, ClientSecret: cred.Secret.Reveal(), TokenURL: a.TokenURL, Scopes: a.Scopes, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if a.ClientAuth == systems.ClientAuthPost {
		cfg.AuthStyle = oauth2.AuthStyleInParams
	}
	if a.Audience != "" {
		cfg.EndpointParams = url.Values{"audience": {a.Audience}}
	}
	base, err := k.transport.trust(k.transport.line, c.system.System.TokenTLS())
	if err != nil {
		return token{}, err
	}
	via, err := k.transport.via(base, cred)
	if err != nil {
		return token{}, err
	}
	client := &http.Client{Transport: tokenLine{via, cred}, Timeout: tokenTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	started := time.Now() // the library counts by the machine's clock, too
	got, err := cfg.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	var answered *oauth2.RetrieveError
	var unsent *url.Error
	switch {
	case err == nil:
	case errors.As(err, &answered), errors.As(err, &unsent):
		return token{}, err
	default: // the library has no type for it
		return token{}, errNoToken
	}
	if got.Type() != "Bearer" || got.AccessToken == "" || slices.ContainsFunc([]byte(got.AccessToken), func(b byte) bool { return b <= ' ' || b > '~' }) {
		return token{}, errTokenUnusable
	}
	t := token{value: got.AccessToken, scrubber: cred.Scrubber().With(got.AccessToken)}
	if !got.Expiry.IsZero() {
		life := got.Expiry.Sub(started)
		t.end = k.clock.Now().Add(life)
		t.renew = t.end.Add(-min(tokenMargin, life/4))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.m) >= maxTokens {
		clear(k.m)
	}
	k.m[key] = t
	return t, nil
}

// tokenLine is a line for a library that speaks through net/http.
type tokenLine struct {
	*line
	cred *secrets.Credential
}

// RoundTrip implements http.RoundTripper.
func (l tokenLine) RoundTrip(r *http.Request) (*http.Response, error) {
	own := *r // the caller's is not changed
	own.Header = r.Header.Clone()
	own.Header.Set("Accept-Encoding", "gzip")
	return l.do(r.Context(), &own, &exchange{credential: l.cred, unzips: true})
}

// What is wrong with an answer of a token server that says 200.
var (
	errNoToken       = errors.New("gateway: the answer holds no token")
	errTokenUnusable = errors.New("gateway: the token cannot be used")
)

// failure says why there is no token. It quotes nothing of what the server said.
func (k *tokens) failure(ctx context.Context, c *call, err error) *contract.Failure {
	var answered *oauth2.RetrieveError
	if errors.Is(err, errTokenUnusable) {
		return fault(contract.OriginSystem, CodeUpstreamInvalid, "the token server gave a token that cannot be sent as a bearer token")
	}
	if errors.Is(err, errNoToken) {
		return fault(contract.OriginSystem, CodeUpstreamInvalid, "the token server gave no token: what it answered cannot be read as one")
	}
	if !errors.As(err, &answered) {
		f := c.sendFailure(ctx, err)
		f.Message = "the token server: " + f.Message
		return f
	}
	status := 0
	if answered.Response != nil {
		status = answered.Response.StatusCode
	}
	f := fault(contract.OriginSystem, CodeCredentialRefused, fmt.Sprintf("the token server did not take the client (status %d)", status))
	if known(answered.ErrorCode) {
		f.Message = fmt.Sprintf("the token server did not take the client: %s (status %d)", answered.ErrorCode, status)
	}
	f.HTTPStatus = status
	switch {
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		f.Code, f.Message = CodeUpstreamDown, fmt.Sprintf("the token server cannot answer now (status %d)", status)
		return later(f)
	case status >= 300 && status < 400:
		f.Message = fmt.Sprintf("the token server redirects, which is not followed (status %d)", status)
	}
	return f
}

// known reports whether a code is one of RFC 6749 §5.2: others are text of the server's.
func known(code string) bool {
	return slices.Contains([]string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target"}, code)
}

// tokenKey tells tokens apart: by version of the credential and by what was asked for.
func tokenKey(a *systems.Auth, cred *secrets.Credential) string {
	return fmt.Sprintf("%s %q %q %q %s", cred.ID, a.TokenURL, a.Scopes, a.Audience, a.ClientAuth)
}
