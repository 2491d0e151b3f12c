package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// closed is an address on which nobody listens while the test runs: its port is taken, so that
// no server of another test can get it, but does not accept anybody.
func closed(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	at, ok := name.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		t.Fatalf("the address of a socket: %v, %v", name, err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.Port)
}

// nobodyKnows is a name server that cannot be asked.
func nobodyKnows() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}
}

func answers(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func (b *bench) test(t *testing.T) gateway.ConnectionResult {
	t.Helper()
	try := gateway.ConnectionTest{Project: project, Actor: "ada", System: b.systems["things"]}
	if cred, err := b.vault.Credential(t.Context(), b.target()); err == nil {
		try.Credential = cred
	}
	return b.gateway.TestConnection(t.Context(), try)
}

// Each stage of the way to a system fails with its own name, after the stages before it.
func TestConnectionTestNamesTheStageThatFailed(t *testing.T) {
	t.Parallel()
	plain := strings.TrimPrefix(listen(t, answers(http.StatusOK)).URL, "http://")
	nobody := closed(t)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		s      setting
		stage  gateway.Stage
		code   string
	}{
		"address":               {nil, setting{allow: []string{}}, gateway.StageAddress, gateway.CodeEgressDenied},
		"dns":                   {nil, setting{base: "http://nobody.invalid"}, gateway.StageDNS, gateway.CodeUpstreamDown},
		"tcp":                   {nil, setting{base: "http://" + nobody, allow: []string{nobody}}, gateway.StageTCP, gateway.CodeUpstreamDown},
		"tls":                   {nil, setting{base: "https://" + plain, allow: []string{plain}}, gateway.StageTLS, gateway.CodeTLSFailed},
		"auth, not taken":       {answers(http.StatusUnauthorized), setting{}, gateway.StageAuth, gateway.CodeCredentialRefused},
		"auth, not set":         {nil, setting{noCredential: true}, gateway.StageAuth, gateway.CodeCredentialMissing},
		"http, a fault":         {answers(http.StatusInternalServerError), setting{}, gateway.StageHTTP, gateway.CodeUpstreamDown},
		"http, sent elsewhere":  {answers(http.StatusFound), setting{}, gateway.StageHTTP, gateway.CodeUpstreamInvalid},
		"nothing, all is right": {nil, setting{}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.answer, c.s)
			if c.stage == gateway.StageDNS {
				gateway.Resolve(b.gateway, b.config.Addresses, nobodyKnows())
			}
			got := b.test(t)
			if got.Stage != c.stage || got.Code != c.code || got.OK != (c.stage == "") {
				t.Fatalf("got %+v, want %q with %q", got, c.stage, c.code)
			}
			reached := true
			for _, step := range got.Steps {
				switch {
				case step.Stage == c.stage:
					reached = false
					if step.State != gateway.StepFailed {
						t.Errorf("%s is %s", step.Stage, step.State)
					}
				case !reached && step.State != gateway.StepSkipped, reached && step.State == gateway.StepFailed:
					t.Errorf("%s is %s in %+v", step.Stage, step.State, got.Steps)
				}
			}
		})
	}
}

// clientCertificate is one as it is typed in.
func clientCertificate(t *testing.T, a *authority) secrets.Input {
	t.Helper()
	pair := a.issue(t, "culm", nil, time.Now().Add(time.Hour))
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return secrets.Input{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})),
		PrivateKey:  secrets.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))),
	}
}

// demanding is a system that takes nobody without a certificate of an authority.
func demanding(t *testing.T, a *authority) *httptest.Server {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, `{"client":"`+r.TLS.PeerCertificates[0].Subject.CommonName+`"}`)
	}))
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{a.issue(t, "up", net.IPv4(127, 0, 0, 1), time.Now().Add(time.Hour))},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12,
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestSystemThatDemandsAClientCertificateTakesOurs(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	trust, err := gateway.NewTrust(ours.pem)
	if err != nil {
		t.Fatal(err)
	}
	up := demanding(t, ours)
	s := setting{base: up.URL, allow: []string{strings.TrimPrefix(up.URL, "https://")}, tweak: func(g *gateway.Config) { g.Trust = trust }}
	s.auth, s.credential = "{type: mtls}", clientCertificate(t, ours)
	b := newBench(t, nil, s)
	if res := b.call("read", map[string]any{"id": "1"}, ""); string(res.Body) != `{"client":"culm"}` {
		t.Fatalf("with the certificate: %+v", res)
	}
	versions, err := b.vault.Versions(t.Context(), b.target())
	shown, _ := json.Marshal(versions)
	if err != nil || len(versions) != 1 || versions[0].ExpiresAt == nil || strings.Contains(string(shown), "PRIVATE KEY") {
		t.Fatalf("what may be known is %s, %v", shown, err)
	}
	s.credential = clientCertificate(t, theirs)
	fails(t, newBench(t, nil, s).call("read", map[string]any{"id": "1"}, ""), gateway.CodeTLSFailed, contract.OriginSystem)
	s.auth, s.credential = "{type: none}", secrets.Input{}
	b = newBench(t, nil, s)
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeTLSFailed, contract.OriginSystem)
	if got := b.test(t); got.Stage != gateway.StageTLS {
		t.Fatalf("the connection test says %+v", got)
	}
}

// A test that calls no operation says why.
func TestAConnectionTestSaysWhyItCallsNoOperation(t *testing.T) {
	t.Parallel()
	const read, write = "{id: read, title: R, method: GET, path: /r, retry: safe, risk: read", "{id: write, title: W, method: POST, path: /w, retry: never, risk: write}"
	for name, c := range map[string]struct {
		operations string
		operation  string
		because    gateway.BaseBecause
	}{
		"one that reads":                 {write + ", " + read + "}", "read", ""},
		"none that reads":                {write, "", gateway.BaseNoRead},
		"none without parameters":        {read + ", parameters: [{name: q, in: query, required: true}]}", "", gateway.BaseParameters},
		"one that is off":                {read + ", disabled: true}", "", gateway.BaseDisabled},
		"one whose parameters are there": {read + ", parameters: [{name: q, in: query}]}", "read", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, setting{})
			doc, err := systems.Parse([]byte("format: culm.system/v1\nid: things\ntitle: T\nbase_url: " + b.up.URL + "\nauth: {type: bearer}\noperations: [" + c.operations + "]\n"))
			if err != nil {
				t.Fatal(err)
			}
			if b.systems["things"], err = systems.Compile(doc); err != nil {
				t.Fatal(err)
			}
			if got := b.test(t); !got.OK || got.Operation != c.operation || got.BaseBecause != c.because {
				t.Errorf("got %+v", got)
			}
		})
	}
}
