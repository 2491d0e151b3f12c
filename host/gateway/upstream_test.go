package gateway_test

import (
	"bufio"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

// raw serves connections without the rules of net/http.
func raw(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

func reset(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }

func TestConnectionRefusedSaysSo(t *testing.T) {
	t.Parallel()
	at := hosttest.FreeAddress(t)
	b := newBench(t, nil, setting{base: "http://" + at, allow: []string{at}})
	res := b.call("create", nil, `{"name":"a"}`)
	fails(t, res, gateway.CodeUpstreamDown, contract.OriginSystem)
	if !res.Failure.Retryable || res.Failure.Message != "the system refused the connection" {
		t.Fatalf("got %+v: nothing was sent, so it may be tried again", res.Failure)
	}
}

// A call that may not be repeated and may have been carried out ends the attempt as
// unknown, also when the same plugin call is made again after a crash.
func TestLostAnswerOfACallThatMayNotBeRepeatedIsUnknown(t *testing.T) {
	t.Parallel()
	at := raw(t, reset)
	b := newBench(t, nil, setting{base: "http://" + at, allow: []string{at}})
	for _, recovered := range []bool{false, true} {
		c := caller()
		c.Recovered = recovered
		s := b.gateway.Open(c)
		res := s.Call(t.Context(), ask(t, "create", nil, `{"name":"a"}`))
		fails(t, res, gateway.CodeOutcomeUnknown, contract.OriginGateway)
		if f := s.Unknown(); f == nil || f.Retryable || f.System != "things" || f.Operation != "create" {
			t.Errorf("recovered %v: unknown %+v", recovered, f)
		}
	}
}

func TestGzipAnswerWithinTheLimitIsRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"a":1}`)
		_ = z.Close()
	}, setting{})
	if res := b.call("read", map[string]any{"id": "1"}, ""); string(res.Body) != `{"a":1}` {
		t.Fatalf("got %+v", res)
	}
}

func TestRedirectsAreDataAndNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}, setting{})
		res := b.call("read", map[string]any{"id": "1"}, "")
		if res.Failure != nil || res.Status != status {
			t.Errorf("%d: got %+v", status, res)
		}
		if got := b.up.all(); len(got) != 1 {
			t.Errorf("%d: the upstream received %+v", status, got)
		}
	}
}

func TestRefusalsOfTheSystemAreDataForThePlugin(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		status := 400
		_, _ = fmt.Sscanf(r.URL.Path, "/things/%d", &status)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no: "+r.URL.Path)
	}, setting{})
	for _, status := range []int{400, 401, 403, 404, 409, 429, 500, 502, 503} {
		res := b.call("read", map[string]any{"id": fmt.Sprint(status)}, "")
		if res.Failure != nil || res.Status != status || res.Text != fmt.Sprintf("no: /things/%d", status) || res.Body != nil {
			t.Errorf("%d: got %+v", status, res)
		}
	}
}

func TestBodiesAreJSONOrText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, body, json, text string }{
		"json":                 {"application/json; charset=utf-8", `{"a":1}`, `{"a":1}`, ""},
		"problem":              {"application/problem+json", `[1]`, `[1]`, ""},
		"scalar":               {"application/json", `null`, `null`, ""},
		"json by another name": {"text/html", ` {"a":1}`, ` {"a":1}`, ""},
		"broken json":          {"application/json", `{"a":`, "", `{"a":`},
		"text":                 {"text/plain", `12`, "", "12"},
		"bytes":                {"application/octet-stream", "a\xffb", "", "a\ufffdb"},
		"nothing":              {"application/json", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				_, _ = io.WriteString(w, c.body)
			}, setting{})
			res := b.call("read", map[string]any{"id": "1"}, "")
			if res.Status != 200 || string(res.Body) != c.json || res.Text != c.text {
				t.Fatalf("got %+v", res)
			}
		})
	}
}

func TestOnlyNamedHeadersComeThrough(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("Www-Authenticate", "Basic")
		w.Header().Set("X-Other", "1")
		w.Header().Add("X-Request-Id", "a")
		w.Header().Add("X-Request-Id", "b")
		writeJSON(w, `{}`)
	}, setting{})
	res := b.call("read", map[string]any{"id": "1"}, "")
	if len(res.Headers) != 1 || res.Headers["x-request-id"] != "a, b" {
		t.Fatalf("got %v", res.Headers)
	}
}

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) issue(t *testing.T, name string, ip net.IP, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip != nil {
		tmpl.IPAddresses = []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLSIsAlwaysVerified(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	trust, err := gateway.NewTrust(ours.pem)
	if err != nil {
		t.Fatal(err)
	}
	local, hour := net.IPv4(127, 0, 0, 1), time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		cert tls.Certificate
		max  uint16
		says string
	}{
		"good":              {ours.issue(t, "up", local, hour), 0, ""},
		"unknown authority": {theirs.issue(t, "up", local, hour), 0, "authority"},
		"another name":      {ours.issue(t, "up", nil, hour), 0, "another name"},
		"expired":           {ours.issue(t, "up", local, time.Now().Add(-time.Hour)), 0, "expired"},
		"old protocol":      {ours.issue(t, "up", local, hour), tls.VersionTLS11, "handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reached, spoken := false, ""
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached, spoken = true, r.Proto
				writeJSON(w, `{}`)
			}))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{c.cert}, MaxVersion: c.max, MinVersion: tls.VersionTLS10} // an old server is the case
			s.Config.ErrorLog = nil
			s.EnableHTTP2 = true
			s.StartTLS()
			defer s.Close()
			at := strings.TrimPrefix(s.URL, "https://")
			b := newBench(t, nil, setting{base: s.URL, allow: []string{at}, tweak: func(g *gateway.Config) { g.Trust = trust }})
			res := b.call("read", map[string]any{"id": "1"}, "")
			if c.says == "" {
				// G23: HTTP/2, which could push, is not spoken although the system offers it.
				if res.Status != http.StatusOK || spoken != "HTTP/1.1" {
					t.Fatalf("got %+v over %q", res, spoken)
				}
				return
			}
			fails(t, res, gateway.CodeTLSFailed, contract.OriginSystem)
			if !strings.Contains(res.Failure.Message, c.says) || res.Failure.Retryable || reached {
				t.Fatalf("got %+v, reached %v", res.Failure, reached)
			}
		})
	}
}

func TestPlainServerBehindHTTPSIsATLSFailure(t *testing.T) {
	t.Parallel()
	plain := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
	at := strings.TrimPrefix(plain.URL, "http://")
	b := newBench(t, nil, setting{base: "https://" + at, allow: []string{at}})
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeTLSFailed, contract.OriginSystem)
}
