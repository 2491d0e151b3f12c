package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// handClock is moved by hand.
type handClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *handClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// tokenServer gives the tokens token-number-1, token-number-2 and so on, for an hour each.
type tokenServer struct {
	*upstream
	asked chan struct{}
	given atomic.Int64
}

func newTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	s := &tokenServer{asked: make(chan struct{}, 64)}
	s.upstream = listen(t, func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "culm" || secret == "" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			writeJSON(w, `{"error":"invalid_client"}`)
			return
		}
		writeJSON(w, fmt.Sprintf(`{"access_token":"token-number-%d","token_type":"Bearer","expires_in":3600}`, s.given.Add(1)))
		s.asked <- struct{}{}
	})
	return s
}

func (s *tokenServer) at() string { return strings.TrimPrefix(s.URL, "http://") }

func (s *tokenServer) auth() string {
	return `{type: oauth2, token_url: "` + s.URL + `/token", scopes: [things]}`
}

func client(id string) secrets.Input {
	return secrets.Input{ClientID: id, Secret: secrets.NewSecret("the-secret-of-the-client")}
}

func TestOneTokenServesCallsInParallelAndIsKept(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t)
	b := newBench(t, nil, setting{auth: s.auth(), credential: client("culm")})
	b.allow(t, s.at())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
				t.Errorf("got %+v", res)
			}
		})
	}
	all.Wait()
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
	if got := s.all(); len(got) != 1 || !strings.Contains(got[0].Body, "grant_type=client_credentials") || !strings.Contains(got[0].Body, "scope=things") {
		t.Fatalf("the token server got %+v, want one request", got)
	}
	for _, r := range b.up.all() {
		if r.Header.Get("Authorization") != "Bearer token-number-1" {
			t.Fatalf("the system got %v", r.Header)
		}
	}
}

// A token is renewed a minute before its end, while it still serves.
func TestTokenIsRenewedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	s, clock := newTokenServer(t), &handClock{at: time.Now()}
	b := newBench(t, nil, setting{auth: s.auth(), credential: client("culm"), tweak: func(g *gateway.Config) { g.Clock = clock }})
	b.allow(t, s.at())
	uses := func(want string) {
		t.Helper()
		res := b.call("read", map[string]any{"id": "1"}, "")
		got := b.up.all()
		if res.Status != http.StatusOK || got[len(got)-1].Header.Get("Authorization") != "Bearer "+want {
			t.Fatalf("got %+v, want a call with %s", res, want)
		}
	}
	uses("token-number-1")
	<-s.asked
	clock.move(58 * time.Minute)
	uses("token-number-1")
	if n := s.given.Load(); n != 1 {
		t.Fatalf("%d tokens were given two minutes before the end", n)
	}
	clock.move(90 * time.Second) // half a minute before the end
	uses("token-number-1")
	<-s.asked
	clock.move(time.Minute) // the first one has ended
	uses("token-number-2")
	if n := s.given.Load(); n != 2 {
		t.Fatalf("%d tokens were given", n)
	}
}

func TestClientThatTheTokenServerRefusesReachesNothing(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t)
	b := newBench(t, nil, setting{auth: s.auth(), credential: client("stranger")})
	b.allow(t, s.at())
	res := b.call("create", nil, `{"name":"a"}`)
	refused(t, b, res, gateway.CodeCredentialRefused, contract.OriginSystem)
	if !strings.Contains(res.Failure.Message, "invalid_client") {
		t.Fatalf("got %+v", res.Failure)
	}
}

func TestTokenServerIsUnderTheAddressPolicy(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t)
	b := newBench(t, nil, setting{auth: s.auth(), credential: client("culm")})
	refused(t, b, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeEgressDenied, contract.OriginGateway)
	if len(s.all()) != 0 {
		t.Fatal("the token server was reached")
	}
}
