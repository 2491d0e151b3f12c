package gateway_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// The policy is asked directly: no test connects to an address outside loopback.
func TestAddressPolicy(t *testing.T) {
	t.Parallel()
	p, err := gateway.NewAddressPolicy([]string{
		"127.0.0.1:9090", "prom.internal:9090", "[::1]:9090", "10.1.2.3:443",
		// Naming what is always denied changes nothing.
		"169.254.169.254:80", "metadata.internal:80", "0.0.0.0:9090", "127.0.0.1:8080",
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Deny(netip.MustParseAddrPort("127.0.0.1:8080"))
	p.Deny(netip.MustParseAddrPort("[::]:8081"))
	for _, c := range []struct {
		target, addr string
		ok           bool
	}{
		{"example.org:443", "93.184.216.34:443", true},
		{"example.org:443", "[2606:2800:220:1::1]:443", true},
		{"127.0.0.1:9090", "127.0.0.1:9090", true},
		{"127.0.0.1:9091", "127.0.0.1:9091", false},
		{"[::1]:9090", "[::1]:9090", true},
		{"prom.internal:9090", "10.0.0.7:9090", true},
		{"PROM.internal:9090", "10.0.0.7:9090", true},
		{"other.internal:9090", "10.0.0.7:9090", false},
		{"any.name:443", "10.1.2.3:443", true},
		// A name that is not allowed and resolves to loopback: rebinding.
		{"evil.example:80", "127.0.0.1:80", false},
		{"evil.example:80", "[::ffff:127.0.0.1]:80", false},
		{"evil.example:80", "[::1]:80", false},
		{"evil.example:80", "172.16.0.1:80", false},
		{"evil.example:80", "192.168.1.1:80", false},
		{"evil.example:80", "100.64.0.1:80", false},
		{"evil.example:80", "[fd12::1]:80", false},
		// Metadata services, also when they are named, and in disguise.
		{"169.254.169.254:80", "169.254.169.254:80", false},
		{"metadata.internal:80", "169.254.169.254:80", false},
		{"metadata.internal:80", "169.254.0.23:80", false},
		{"metadata.internal:80", "100.100.100.200:80", false},
		{"metadata.internal:80", "168.63.129.16:80", false},
		{"metadata.internal:80", "192.0.0.192:80", false},
		{"metadata.internal:80", "[fd00:ec2::254]:80", false},
		{"metadata.internal:80", "[::ffff:169.254.169.254]:80", false},
		{"metadata.internal:80", "[64:ff9b::a9fe:a9fe]:80", false},
		{"metadata.internal:80", "[2002:a9fe:a9fe::1]:80", false},
		// Disguises of loopback and private addresses.
		{"127.0.0.1:9090", "[64:ff9b::7f00:1]:9090", false},
		{"127.0.0.1:9090", "[2002:7f00:1::]:9090", false},
		{"127.0.0.1:9090", "[::7f00:1]:9090", false},
		{"0.0.0.0:9090", "0.0.0.0:9090", false},
		{"0.0.0.0:9090", "[::]:9090", false},
		{"127.0.0.1:9090", "[fe80::1%lo]:9090", false},
		{"127.0.0.1:9090", "[fe80::1]:9090", false},
		{"127.0.0.1:9090", "224.0.0.1:9090", false},
		{"127.0.0.1:9090", "[ff02::1]:9090", false},
		{"127.0.0.1:9090", "255.255.255.255:9090", false},
		{"127.0.0.1:9090", "[2001::1]:9090", false},
		{"127.0.0.1:9090", "[100::1]:9090", false},
		// An IPv4 address as a global IPv6 one.
		{"example.org:443", "[64:ff9b::5db8:d822]:443", true},
		// Culm's own listeners, although they are named.
		{"127.0.0.1:8080", "127.0.0.1:8080", false},
		{"127.0.0.1:8080", "127.0.0.2:8080", false},
		{"127.0.0.1:8080", "[::1]:8080", false},
		{"127.0.0.1:8081", "127.0.0.1:8081", false},
	} {
		host, port, err := net.SplitHostPort(c.target)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Check(host, port, netip.MustParseAddrPort(c.addr))
		var egress *gateway.EgressError
		if (err == nil) != c.ok || (err != nil && !errors.As(err, &egress)) {
			t.Errorf("%s as %s: %v, want allowed %v", c.target, c.addr, err, c.ok)
		}
	}
}

func TestAddressPolicyRefusesTargetsItCannotRead(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "127.0.0.1", "http://a:1", "a:b", "a:0", "*:80", "10.0.0.0/8:80", "2130706433:80", "a b:80", "::1:80"} {
		if _, err := gateway.NewAddressPolicy([]string{bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestDialIsDeniedUnlessTheTargetIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{allow: []string{"127.0.0.1:1"}})
	refused(t, b, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeEgressDenied, contract.OriginGateway)
}

// The name is allowed nowhere; the resolver of the machine answers loopback.
func TestDialIsDeniedForANameThatResolvesToLoopback(t *testing.T) {
	t.Parallel()
	up := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
	port := up.URL[strings.LastIndexByte(up.URL, ':')+1:]
	b := newBench(t, nil, setting{base: "http://localhost:" + port, allow: []string{"somewhere.else:" + port}})
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeEgressDenied, contract.OriginGateway)
	if len(up.all()) != 0 {
		t.Fatal("the upstream was reached")
	}
}

func TestDialToOwnListenerIsDeniedAlthoughItIsAllowed(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	b.config.Addresses.Deny(addr(strings.TrimPrefix(b.up.URL, "http://")))
	refused(t, b, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeEgressDenied, contract.OriginGateway)
}

// The environment is read once a process, and never for loopback by its name or address: so a
// process of its own, with a proxy in its environment from the start, calls a system by a name.
func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	t.Parallel()
	const told = "CULM_TEST_PROXY"
	if os.Getenv(told) == "" {
		proxy := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{"via":"proxy"}`) })
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), told+"=1", "NO_PROXY=", "no_proxy=")
		for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
			child.Env = append(child.Env, name+"="+proxy.URL)
		}
		if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		if len(proxy.all()) != 0 {
			t.Error("the call went through the proxy")
		}
		return
	}
	up := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
	port := up.URL[strings.LastIndexByte(up.URL, ':')+1:]
	names, _ := nameServer(t, [4]byte{127, 0, 0, 1})
	b := newBench(t, nil, setting{base: "http://system.example:" + port, allow: []string{"system.example:" + port}})
	gateway.Resolve(b.gateway, b.config.Addresses, names)
	asked, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://system.example:"+port, nil)
	if err != nil {
		t.Fatal(err)
	}
	if via, err := http.ProxyFromEnvironment(asked); err != nil || via == nil {
		t.Fatalf("the environment names no proxy for the system: %v", err)
	}
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
	if len(up.all()) != 1 {
		t.Fatal("the system was not reached")
	}
}

func TestCancelledCallSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refused(t, b, b.gateway.Open(caller()).Call(ctx, ask(t, "read", map[string]any{"id": "1"}, "")), gateway.CodeCancelled, contract.OriginHost)
}
