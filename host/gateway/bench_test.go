package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/store"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// canary is the credential of every test: it must be found nowhere but in what the
// upstream receives.
const canary = "c4nary/+\"<secret>&value"

const project = "ops"

// document is the system that the tests call; BASE, AUTH and LIMITS are filled in.
const document = `
format: culm.system/v1
id: things
title: Things
base_url: BASE
auth: AUTH
limits: LIMITS
tls: {TLS}
operations:
  - {id: read, title: Read, method: GET, path: "/things/{id}", retry: safe, risk: read,
     response_headers: [X-Request-Id, X-Echo],
     parameters: [{name: id, in: path, required: true}]}
  - {id: nested, title: Nested, method: GET, path: "/a/{x}/b/{y}/c", retry: safe, risk: read,
     parameters: [{name: x, in: path, required: true}, {name: y, in: path, required: true}]}
  - {id: search, title: Search, method: GET, path: /things, retry: safe, risk: read,
     parameters: [
       {name: q, in: query}, {name: n, in: query, schema: {type: integer}}, {name: on, in: query, schema: {type: boolean}},
       {name: tag, in: query, wire: "tag[]", schema: {type: array, items: {type: string}}},
       {name: ids, in: query, array_style: comma, schema: {type: array, items: {type: string}}},
       {name: X-Trace, in: header}]}
  - {id: create, title: Create, method: POST, path: /things, retry: never, risk: write, body_required: true,
     body: {type: object, additionalProperties: false, required: [name], properties: {name: {type: string, maxLength: 64}, at: {type: string}}}}
  - {id: replace, title: Replace, method: PUT, path: "/things/{id}", retry: keyed, key_header: X-Key, risk: write,
     parameters: [{name: id, in: path, required: true}],
     body: {type: object, additionalProperties: {type: [string, number]}}}
`

// bench is a gateway with real stores, in front of one upstream.
type bench struct {
	t       testing.TB
	config  gateway.Config
	gateway *gateway.Gateway
	store   *store.Store
	vault   *secrets.Vault
	dir     string
	log     *lockedBuffer
	up      *upstream
	mu      sync.Mutex
	systems map[string]*systems.Compiled
	granted map[[4]string]bool
	// calls numbers the plugin calls: each has a place of its own in the journal.
	calls atomic.Int64
}

// setting is what a test changes in the system of the bench.
type setting struct {
	auth, limits, base, tls string
	more                    string // further lines of the document
	noCredential            bool
	credential              secrets.Input // zero: a token, or a user and password
	noGrant                 bool
	allow                   []string
	tweak                   func(*gateway.Config)
}

// upstream counts and keeps what it received.
type upstream struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received
}

type received struct {
	Method, URI, Body string
	Header            http.Header
	Host              string
}

func (u *upstream) all() []received {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]received(nil), u.requests...)
}

// listen starts an upstream that records and then lets h answer.
func listen(tb testing.TB, h http.HandlerFunc) *upstream {
	tb.Helper()
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		u.mu.Lock()
		u.requests = append(u.requests, received{r.Method, r.RequestURI, b.String(), r.Header.Clone(), r.Host})
		u.mu.Unlock()
		h(w, r)
	}))
	tb.Cleanup(u.Close)
	return u
}

func newBench(tb testing.TB, h http.HandlerFunc, s setting) *bench {
	tb.Helper()
	b := &bench{t: tb, dir: tb.TempDir(), log: &lockedBuffer{}, granted: map[[4]string]bool{}, systems: map[string]*systems.Compiled{}}
	if h == nil {
		h = func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{"ok":true}`) }
	}
	b.up = listen(tb, h)
	if s.base == "" {
		s.base = b.up.URL
	}
	if s.allow == nil {
		s.allow = []string{strings.TrimPrefix(b.up.URL, "http://")}
	}
	if s.auth == "" {
		s.auth = "{type: bearer}"
	}
	if s.limits == "" {
		s.limits = "{timeout_ms: 5000, retry: {attempts: 1}}" // repetitions have tests of their own
	}
	doc := register(tb, s)
	b.systems[doc.System.ID] = doc
	b.open(s)
	for _, op := range doc.System.Operations {
		b.granted[grantKey(project, "tool", doc.System.ID, op.ID)] = !s.noGrant
	}
	if kind := doc.System.Auth.Type; kind != "none" && !s.noCredential {
		in := secrets.Input{Token: secrets.NewSecret(canary)}
		if kind == systems.AuthBasic {
			in = secrets.Input{Username: "robot", Password: secrets.NewSecret(canary)}
		}
		if s.credential != (secrets.Input{}) {
			in = s.credential
		}
		if err := b.vault.Set(tb.Context(), b.target(), in, "tester"); err != nil {
			tb.Fatal(err)
		}
	}
	return b
}

func register(tb testing.TB, s setting) *systems.Compiled {
	tb.Helper()
	text := strings.NewReplacer("BASE", s.base, "AUTH", s.auth, "LIMITS", s.limits, "{TLS}", "{"+s.tls+"}").Replace(document) + "\n" + s.more
	doc, err := systems.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	c, err := systems.Compile(doc)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// register adds a system, with every operation granted.
func (b *bench) register(tb testing.TB, id string, s setting) {
	tb.Helper()
	c := register(tb, s)
	c.System.ID = id
	b.mu.Lock()
	defer b.mu.Unlock()
	b.systems[id] = c
	for _, op := range c.System.Operations {
		b.granted[grantKey(project, "tool", id, op.ID)] = true
	}
}

// allow opens the gateway anew, with further targets.
func (b *bench) allow(tb testing.TB, targets ...string) {
	tb.Helper()
	policy, err := gateway.NewAddressPolicy(append(targets, strings.TrimPrefix(b.up.URL, "http://")))
	if err != nil {
		tb.Fatal(err)
	}
	b.config.Addresses = policy
	b.gateway = gateway.New(b.config)
	tb.Cleanup(b.gateway.Close)
}

func (b *bench) open(s setting) {
	b.t.Helper()
	db, err := sqlite.Open(b.t.Context(), filepath.Join(b.dir, "db", "culm.db"), sqlite.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	if b.store, err = store.Open(b.t.Context(), db); err != nil {
		b.t.Fatal(err)
	}
	if b.vault, err = secrets.Open(b.t.Context(), filepath.Join(b.dir, "key"), b.store.Secrets(), clock{}); err != nil {
		b.t.Fatal(err)
	}
	policy, err := gateway.NewAddressPolicy(s.allow)
	if err != nil {
		b.t.Fatal(err)
	}
	b.config = gateway.Config{
		Systems: b, Directory: b, Grants: b, Credentials: b.vault, Secrets: b.vault, Journal: b.store.Journal(), Audit: b.store.Audit(),
		Addresses: policy, Clock: clock{}, Logger: slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if s.tweak != nil {
		s.tweak(&b.config)
	}
	b.gateway = gateway.New(b.config)
	b.t.Cleanup(b.gateway.Close)
}

func (b *bench) target() secrets.Target {
	s := b.systems["things"].System
	return gateway.Target(project, s)
}

// System implements gateway.Systems.
func (b *bench) System(_ context.Context, p, id string) (*systems.Compiled, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.systems[id]; ok && p == project {
		return s, nil
	}
	return nil, gateway.ErrNotFound
}

// Systems implements gateway.Directory.
func (b *bench) Systems(_ context.Context, p string) ([]*systems.Compiled, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*systems.Compiled
	for _, id := range slices.Sorted(maps.Keys(b.systems)) {
		if p == project {
			out = append(out, b.systems[id])
		}
	}
	return out, nil
}

// Granted implements gateway.Grants.
func (b *bench) Granted(_ context.Context, p, plugin, system, operation string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.granted[grantKey(p, plugin, system, operation)], nil
}

func (b *bench) grant(p, plugin, system, operation string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.granted[grantKey(p, plugin, system, operation)] = true
}

func grantKey(project, plugin, system, operation string) [4]string {
	return [4]string{project, plugin, system, operation}
}

func caller() gateway.Caller {
	return gateway.Caller{
		Project: project, Run: "run-1", Flow: "flow", Node: "n1", Attempt: 1, Reason: contract.ReasonExecute,
		Operator: "ada", Plugin: "tool", Digest: "sha256:00",
	}
}

// call makes one call in a session of its own.
func (b *bench) call(op string, params map[string]any, body string) contract.GatewayResponse {
	b.t.Helper()
	c := caller()
	c.Call = int(b.calls.Add(1))
	return b.gateway.Open(c).Call(b.t.Context(), ask(b.t, op, params, body))
}

func ask(tb testing.TB, op string, params map[string]any, body string) contract.GatewayRequest {
	tb.Helper()
	req := contract.GatewayRequest{System: "things", Operation: op}
	for name, v := range params {
		raw, err := json.Marshal(v)
		if err != nil {
			tb.Fatal(err)
		}
		if req.Params == nil {
			req.Params = map[string]json.RawMessage{}
		}
		req.Params[name] = raw
	}
	if body != "" {
		req.Body = json.RawMessage(body)
	}
	return req
}

// refused checks that a call ended with a code and that nothing went out.
func refused(tb testing.TB, b *bench, res contract.GatewayResponse, code string, origin contract.Origin) {
	tb.Helper()
	fails(tb, res, code, origin)
	if got := b.up.all(); len(got) != 0 {
		tb.Fatalf("the upstream received %+v", got)
	}
}

func fails(tb testing.TB, res contract.GatewayResponse, code string, origin contract.Origin) {
	tb.Helper()
	if res.Failure == nil {
		tb.Fatalf("got status %d %s %q, want %s", res.Status, res.Body, res.Text, code)
	}
	if res.Failure.Code != code || res.Failure.Origin != origin {
		tb.Fatalf("got %+v, want %s from %s", res.Failure, code, origin)
	}
	if res.Failure.System != "things" || res.Failure.Operation == "" {
		tb.Fatalf("the failure does not name the call: %+v", res.Failure)
	}
	if res.Status != 0 || res.Body != nil || res.Text != "" {
		tb.Fatalf("a failure came with an answer: %+v", res)
	}
}

func writeJSON(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(s))
}

// clock is the time of the machine.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
