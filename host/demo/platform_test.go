package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/demo"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

const token = "demo-token-for-tests"

// clock stands still until it is moved.
type clock struct {
	mu      sync.Mutex
	now     time.Time
	waiters []waiter
	asked   chan time.Duration
}

type waiter struct {
	at time.Time
	c  chan time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), asked: make(chan time.Duration, 16)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := waiter{c.now.Add(d), make(chan time.Time, 1)}
	c.waiters = append(c.waiters, w)
	c.asked <- d
	return w.c, func() {}
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	left := c.waiters[:0]
	for _, w := range c.waiters {
		if w.at.After(c.now) {
			left = append(left, w)
		} else {
			w.c <- c.now
		}
	}
	c.waiters = left
}

// bench is a platform behind the gateway, called as the plugins call it.
type bench struct {
	t        *testing.T
	clock    *clock
	platform *demo.Platform
	gateway  *gateway.Gateway
	system   *systems.Compiled
	server   *httptest.Server
	rows     []gateway.AuditRow
	call     int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, clock: newClock()}
	b.platform = demo.NewPlatform(demo.PlatformOptions{Token: token, Clock: b.clock, DeployTime: 10 * time.Second})
	b.server = httptest.NewServer(b.platform)
	t.Cleanup(b.server.Close)
	address := strings.TrimPrefix(b.server.URL, "http://")
	content, err := demo.Project(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range content.Systems {
		if s.ID == demo.SystemID {
			if b.system, err = systems.Compile(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	policy, err := gateway.NewAddressPolicy([]string{address})
	if err != nil {
		t.Fatal(err)
	}
	b.gateway = gateway.New(gateway.Config{
		Systems: b, Grants: b, Credentials: b, Secrets: b, Journal: b, Audit: b, Addresses: policy, Clock: b.clock,
		Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(b.gateway.Close)
	return b
}

// The ports of the gateway, without memory: every call is the first.

func (b *bench) System(context.Context, string, string) (*systems.Compiled, error) {
	return b.system, nil
}

func (b *bench) Resolve(context.Context, string, string) (secrets.Secret, error) {
	return secrets.Secret{}, secrets.ErrNotFound
}

func (b *bench) OfRun(context.Context, string, string) ([]secrets.Secret, error) {
	return nil, nil
}

func (b *bench) Granted(context.Context, string, string, string, string) (bool, error) {
	return true, nil
}

func (b *bench) Credential(context.Context, secrets.Target) (*secrets.Credential, error) {
	return &secrets.Credential{ID: "c", Kind: secrets.KindBearer, Secret: secrets.NewSecret(token)}, nil
}

func (b *bench) Begin(context.Context, gateway.Key, gateway.Intent) (gateway.Entry, error) {
	return gateway.Entry{}, nil
}

func (b *bench) Finish(context.Context, gateway.Key, gateway.Answer) error { return nil }

func (b *bench) List(context.Context, gateway.Key) ([]gateway.Listed, error) { return nil, nil }

func (b *bench) Earlier(context.Context, gateway.Key) ([]gateway.Listed, error) { return nil, nil }

func (b *bench) Append(_ context.Context, r gateway.AuditRow) error {
	b.rows = append(b.rows, r)
	return nil
}

// ask makes a call and reads its answer into out.
func (b *bench) ask(op string, params map[string]string, body any, out any) contract.GatewayResponse {
	b.t.Helper()
	req := contract.GatewayRequest{System: demo.SystemID, Operation: op, Params: map[string]json.RawMessage{}}
	for name, v := range params {
		req.Params[name], _ = json.Marshal(v)
	}
	if body != nil {
		req.Body, _ = json.Marshal(body)
	}
	b.call++
	res := b.gateway.Open(gateway.Caller{Project: "demo", Run: "r", Node: "n", Attempt: 1, Call: b.call, Plugin: "demo"}).Call(b.t.Context(), req)
	if res.Failure != nil {
		b.t.Fatalf("%s: %+v", op, res.Failure)
	}
	if out != nil {
		if err := json.Unmarshal(res.Body, out); err != nil {
			b.t.Fatalf("%s: %v: %s", op, err, res.Body)
		}
	}
	return res
}

func (b *bench) deploy(service, version string, hosts ...string) demo.Deployment {
	b.t.Helper()
	var d demo.Deployment
	b.ask("start_deployment", nil, map[string]any{"service": service, "version": version, "hosts": hosts}, &d)
	return d
}

func (b *bench) deployment(id string) demo.Deployment {
	b.t.Helper()
	var d demo.Deployment
	b.ask("get_deployment", map[string]string{"id": id}, nil, &d)
	return d
}

func TestACancelledDeploymentGoesNoFurther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := b.deploy("checkout", "2.4.0", "checkout-01", "checkout-02")
	b.ask("cancel_deployment", map[string]string{"id": d.ID}, nil, &d)
	if d.State != "cancelled" {
		t.Errorf("deployment %+v", d)
	}
	b.clock.advance(time.Hour)
	if d = b.deployment(d.ID); d.State != "cancelled" || d.Percent == 100 {
		t.Errorf("after an hour: %+v", d)
	}
}

func TestDeploymentTakesItsTimeAndChangesTheHosts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := b.deploy("checkout", "2.4.0", "checkout-01", "checkout-02")
	if d.State != "running" || d.Percent != 0 {
		t.Fatalf("got %+v", d)
	}
	b.clock.advance(5 * time.Second)
	if d = b.deployment(d.ID); d.State != "running" || d.Percent != 50 || d.Message != "1 of 2 hosts" {
		t.Fatalf("half way: %+v", d)
	}
	b.clock.advance(5 * time.Second)
	if d = b.deployment(d.ID); d.State != "succeeded" || d.Percent != 100 {
		t.Fatalf("at the end: %+v", d)
	}
	var hosts struct{ Hosts []demo.Host }
	b.ask("list_hosts", map[string]string{"service": "checkout"}, nil, &hosts)
	if len(hosts.Hosts) != 6 || hosts.Hosts[0].Version != "2.4.0" || hosts.Hosts[2].Version != "2.3.1" {
		t.Fatalf("got %+v", hosts.Hosts)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.deploy("payments", "5.1.0", "payments-01")
	slow := b.deploy("search", "2.0.0", "search-01")
	b.clock.advance(10 * time.Second)
	if d := b.deployment(first.ID); d.State != "failed" || d.Percent != 60 || !strings.Contains(d.Message, "payments-01") {
		t.Errorf("the first deployment of payments: %+v", d)
	}
	if d := b.deployment(slow.ID); d.State != "running" {
		t.Errorf("search after the usual time: %+v", d)
	}
	again := b.deploy("payments", "5.1.0", "payments-01")
	b.clock.advance(20 * time.Second)
	if d := b.deployment(again.ID); d.State != "succeeded" {
		t.Errorf("the second deployment of payments: %+v", d)
	}
	if d := b.deployment(slow.ID); d.State != "succeeded" {
		t.Errorf("search after three times the usual time: %+v", d)
	}

	var h demo.Health
	b.ask("health", map[string]string{"service": "ledger"}, nil, &h)
	if h.Healthy || len(h.Unhealthy) != 1 || h.Unhealthy[0] != "ledger-02" || h.Checked != 3 {
		t.Errorf("ledger: %+v", h)
	}
	b.ask("set_host_state", map[string]string{"name": "ledger-02"}, map[string]string{"state": "drained"}, nil)
	b.ask("health", map[string]string{"service": "ledger"}, nil, &h)
	if !h.Healthy || len(h.Unhealthy) != 0 || h.Checked != 2 {
		t.Errorf("ledger without its sick host: %+v", h)
	}
	bad := b.deploy("checkout", "3.0.0-bad", "checkout-01")
	b.clock.advance(10 * time.Second)
	b.deployment(bad.ID)
	b.ask("health", map[string]string{"service": "checkout"}, nil, &h)
	if h.Healthy || h.Unhealthy[0] != "checkout-01" {
		t.Errorf("checkout with a bad version: %+v", h)
	}
	if res := b.ask("health", map[string]string{"service": "brownout"}, nil, nil); res.Status != http.StatusServiceUnavailable {
		t.Errorf("brownout: %+v", res)
	}
}

func TestTicketsAreOpenedOncePerKeyAndDeploymentsAreNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 2 {
		b.call = 0 // the same place in the run: the same key
		b.ask("open_ticket", nil, map[string]string{"title": "a", "severity": "low"}, nil)
	}
	b.ask("open_ticket", nil, map[string]string{"title": "b"}, nil)
	for range 2 {
		b.deploy("checkout", "2.4.0", "checkout-01")
	}
	count := map[string]int{}
	for _, e := range b.platform.Effects() {
		count[e.Kind]++
		if e.Kind == "ticket" && e.Key == "" {
			t.Error("a ticket came without a key")
		}
	}
	if count["ticket"] != 2 || count["deployment"] != 2 {
		t.Fatalf("got %v", count)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, c := range map[string]struct {
		op     string
		params map[string]string
		body   any
		status int
	}{
		"no such deployment":     {"get_deployment", map[string]string{"id": "x"}, nil, 404},
		"no such host":           {"set_host_state", map[string]string{"name": "x"}, map[string]string{"state": "in"}, 404},
		"no such service":        {"health", map[string]string{"service": "x"}, nil, 404},
		"host of another":        {"start_deployment", nil, map[string]any{"service": "checkout", "version": "1", "hosts": []string{"ledger-01"}}, 422},
		"a title of spaces only": {"open_ticket", nil, map[string]string{"title": "  "}, 422},
	} {
		if res := b.ask(c.op, c.params, c.body, nil); res.Status != c.status || !strings.Contains(string(res.Body), `"message"`) {
			t.Errorf("%s: %+v %s", name, res, res.Body)
		}
	}
	if n := len(b.platform.Effects()); n != 0 {
		t.Errorf("%d effects", n)
	}
	for _, given := range []string{"", "Bearer", "Bearer wrong", token, "Basic " + token} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/hosts", nil)
		req.Header.Set("Authorization", given)
		w := httptest.NewRecorder()
		b.platform.ServeHTTP(w, req)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("with %q: %d", given, w.Code)
		}
	}
	open := demo.NewPlatform(demo.PlatformOptions{Clock: b.clock})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/hosts", nil)
	req.Header.Set("Authorization", "Bearer ")
	w := httptest.NewRecorder()
	if open.ServeHTTP(w, req); w.Code != http.StatusUnauthorized {
		t.Errorf("a platform without a token is open: %d", w.Code)
	}
}

func TestLatencyComesFromTheClock(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := demo.NewPlatform(demo.PlatformOptions{Token: token, Clock: c, Latency: 40 * time.Millisecond})
	for target, want := range map[string]time.Duration{"GET /hosts": 40, "GET /services/checkout/health": 80, "POST /tickets": 120} {
		method, path, _ := strings.Cut(target, " ")
		var body io.Reader
		if method == http.MethodPost {
			body = bytes.NewReader([]byte(`{"title":"a"}`))
		}
		req := httptest.NewRequestWithContext(t.Context(), method, path, body)
		req.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			p.ServeHTTP(w, req)
			close(done)
		}()
		if got := <-c.asked; got != want*time.Millisecond {
			t.Errorf("%s waits for %s", target, got)
		}
		select {
		case <-done:
			t.Errorf("%s did not wait", target)
		default:
		}
		c.advance(want * time.Millisecond)
		<-done
		if w.Code >= 300 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/tickets", strings.NewReader(`{"title":"b"}`))
	req.Header.Set("Authorization", "Bearer "+token)
	before := len(p.Effects())
	cancel()
	p.ServeHTTP(httptest.NewRecorder(), req)
	if len(p.Effects()) != before {
		t.Error("a request whose caller has gone had an effect")
	}
}
