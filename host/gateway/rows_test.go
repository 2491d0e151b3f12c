package gateway_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

// A plugin names a system and an operation. Whatever else it gives in the hope that it
// becomes the address is refused, and nothing is resolved or sent.
func TestTheAddressIsNeverAParameter(t *testing.T) {
	t.Parallel()
	evil := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
	b := newBench(t, nil, setting{})
	for _, name := range []string{"url", "URL", "host", "Host", "base_url", "server", "scheme", "port", "path", "__proto__", "system"} {
		for _, value := range []string{evil.URL, strings.TrimPrefix(evil.URL, "http://"), "secret-c4nary.dns.example"} {
			refused(t, b, b.call("search", map[string]any{name: value}, ""), gateway.CodeParamInvalid, contract.OriginFlow)
			refused(t, b, b.call("create", nil, fmt.Sprintf(`{"name":"a",%q:%q}`, name, value)), gateway.CodeParamInvalid, contract.OriginFlow)
		}
	}
	for _, id := range []string{evil.URL, "evil.example", "127.0.0.1", "things@evil.example", "things/../x"} {
		res := b.gateway.Open(caller()).Call(t.Context(), contract.GatewayRequest{System: id, Operation: "read"})
		if res.Failure == nil || res.Failure.Code != gateway.CodeDenied {
			t.Errorf("the system %q: %+v", id, res)
		}
	}
	if len(evil.all()) != 0 {
		t.Error("the address that a plugin gave was reached")
	}
}

// Where an answer points to is not gone to, on the same host or another, and the
// credential goes out once.
func TestRedirectsCarryNoCredentialAway(t *testing.T) {
	t.Parallel()
	other := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
	e := evil(t)
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/steal", http.StatusFound)
	},
		setting{})
	b.allow(t, strings.TrimPrefix(other.URL, "http://"), e.Address())
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusFound || res.Headers["location"] != "" {
		t.Errorf("got %+v", res)
	}
	if len(other.all()) != 0 || len(b.up.all()) != 1 {
		t.Errorf("the redirect was followed")
	}
	for mode, status := range map[hosttest.EvilMode]int{hosttest.EvilRedirect: 302, hosttest.EvilRedirectAway: 307} {
		b := newBench(t, nil, setting{base: e.URL(mode), allow: []string{e.Address()}})
		if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != status || res.Failure != nil {
			t.Errorf("%s: got %+v", mode, res)
		}
		if e.Seen(mode) != 1 || e.Seen(hosttest.EvilReflect) != 0 {
			t.Errorf("%s: it was followed", mode)
		}
	}
}

// nameServer answers every question for an address with the next of a list, the last one
// again and again. It returns a resolver that asks it, and a count of the answers.
func nameServer(t *testing.T, answers ...[4]byte) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var n atomic.Int64
	go func() {
		buf := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			q := buf[:size]
			end := 12
			for end < size && q[end] != 0 {
				end += int(q[end]) + 1
			}
			end += 5 // the root, the type and the class
			out := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
			if binary.BigEndian.Uint16(q[end-4:]) == 1 { // A
				answer := answers[min(int(n.Add(1)), len(answers))-1]
				out[7] = 1
				out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				out = append(out, answer[:]...)
			}
			_, _ = conn.WriteTo(out, from)
		}
	}()
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	return r, &n
}

// A name that pointed to an allowed address when somebody looked, and to another when it is
// connected to: what counts is the address of the connection. The second answer is one that
// could be reached, if it were let through.
func TestRebindingIsCaughtWhenConnecting(t *testing.T) {
	t.Parallel()
	up := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close") // the next call connects anew
		writeJSON(w, `{}`)
	})
	port := up.URL[strings.LastIndexByte(up.URL, ':')+1:]
	names, asked := nameServer(t, [4]byte{127, 0, 0, 1}, [4]byte{0, 0, 0, 0})
	b := newBench(t, nil, setting{base: "http://rebind.example:" + port, allow: []string{"rebind.example:" + port}})
	gateway.Resolve(b.gateway, b.config.Addresses, names)
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeEgressDenied, contract.OriginGateway)
	if len(up.all()) != 1 || asked.Load() != 2 {
		t.Errorf("the system got %d requests after %d look-ups", len(up.all()), asked.Load())
	}
	// A name that nobody named, and that turns to loopback.
	names, _ = nameServer(t, [4]byte{127, 0, 0, 1})
	b = newBench(t, nil, setting{base: "http://public.example:" + port, allow: []string{"rebind.example:" + port}})
	gateway.Resolve(b.gateway, b.config.Addresses, names)
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeEgressDenied, contract.OriginGateway)
}

// A thousand calls at once: the system never sees more than its limit, and those whose turn
// does not come are told so.
func TestAThousandCallsAtOnceKeepTheLimit(t *testing.T) {
	t.Parallel()
	var now, most, seen atomic.Int64
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		seen.Add(1)
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-time.After(20 * time.Millisecond)
		now.Add(-1)
		writeJSON(w, `{}`)
	}, setting{
		limits: "{concurrency: 8, rate: 100, burst: 20, queue_ms: 500, timeout_ms: 20000, retry: {attempts: 1}}",
		tweak:  func(g *gateway.Config) { g.Audit = noAudit{} },
	})
	var served, limited atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for i := range 1000 {
		wg.Go(func() {
			c := caller()
			c.Call = i
			res := b.gateway.Open(c).Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, ""))
			switch {
			case res.Status == http.StatusOK:
				served.Add(1)
			case res.Failure != nil && res.Failure.Code == gateway.CodeRateLimited && res.Failure.Retryable:
				limited.Add(1)
			default:
				t.Errorf("got %+v", res)
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	if most.Load() > 8 || served.Load()+limited.Load() != 1000 || limited.Load() == 0 || served.Load() == 0 {
		t.Errorf("%d were served and %d refused, at most %d at once", served.Load(), limited.Load(), most.Load())
	}
	if allowed := 20 + int64(took.Seconds()*100) + 1; seen.Load() > allowed {
		t.Errorf("the system saw %d requests in %s, %d are allowed", seen.Load(), took, allowed)
	}
}

// A system may be signed by an authority that only it has, or carry another name than its
// address; what holds for it holds for no other.
func TestASystemHasAuthoritiesOfItsOwn(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	hour := time.Now().Add(time.Hour)
	up := func(cert tls.Certificate) (base, at string) {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) }))
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL, strings.TrimPrefix(s.URL, "https://")
	}
	local := net.IPv4(127, 0, 0, 1)
	byAddress, atAddress := up(ours.issue(t, "up", local, hour))
	byName, atName := up(ours.issue(t, "inner.example", nil, hour))
	ca := func(a *authority) string { return fmt.Sprintf("ca: %q", a.pem) }
	for name, c := range map[string]struct{ base, tls, code string }{
		"its authority":          {byAddress, ca(ours), ""},
		"no authority":           {byAddress, "", gateway.CodeTLSFailed},
		"another authority":      {byAddress, ca(theirs), gateway.CodeTLSFailed},
		"its name":               {byName, ca(ours) + ", server_name: inner.example", ""},
		"not its name":           {byName, ca(ours), gateway.CodeTLSFailed},
		"another name":           {byName, ca(ours) + ", server_name: outer.example", gateway.CodeTLSFailed},
		"its name, by nobody":    {byName, "server_name: inner.example", gateway.CodeTLSFailed},
		"both, and then another": {byAddress, ca(ours) + ", server_name: inner.example", gateway.CodeTLSFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, setting{base: c.base, tls: c.tls, allow: []string{atAddress, atName}})
			for range 2 { // also over what is kept from the first
				res := b.call("read", map[string]any{"id": "1"}, "")
				if c.code == "" && res.Status != http.StatusOK {
					t.Errorf("got %+v", res)
				}
				if c.code != "" {
					fails(t, res, c.code, contract.OriginSystem)
				}
			}
		})
	}
}
