package oci_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/oci"
)

func parse(t *testing.T, s string) oci.Reference {
	t.Helper()
	r, err := oci.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ticket(code string, signatures ...string) oci.Artifact {
	a := oci.Artifact{Plugin: "ticket", Version: "1.2.0", Title: "Tickets", Code: []byte(code)}
	for _, s := range signatures {
		a.Signatures = append(a.Signatures, []byte(s))
	}
	return a
}

func TestAPluginComesBackFromARegistryAsItWasSent(t *testing.T) {
	onEachRegistry(t, comesBack)
}

func comesBack(t *testing.T, host string) {
	t.Helper()
	c := oci.New(oci.Options{})
	repo := parse(t, host+"/acme/ticket")
	pushed, err := c.Push(t.Context(), repo, ticket("\x00asm", `{"a":1}`, `{"b":2}`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Push(t.Context(), repo, ticket("\x00asm"))
	if err != nil || again != pushed {
		t.Errorf("the same module gave %s and %s, %v", pushed, again, err)
	}
	for _, ref := range []oci.Reference{pushed, parse(t, host+"/acme/ticket:1.2.0")} {
		p, err := c.Pull(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if string(p.Code) != "\x00asm" || p.Reference != pushed || len(p.Signatures) != 2 {
			t.Errorf("%s: %+v", ref, p)
		}
	}
	list, err := c.List(t.Context(), repo)
	if err != nil || len(list) != 1 || list[0].Tag != "1.2.0" || list[0].Version != "1.2.0" || list[0].Manifest != pushed.Name ||
		list[0].Module != fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("\x00asm"))) || list[0].Bytes != 4 {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = c.Pull(t.Context(), parse(t, host+"/acme/ticket:9"))
	wantFault(t, err, fault.NotFound)
	_, err = c.Pull(t.Context(), repo)
	wantFault(t, err, fault.Reference)
}

// The layout is that of the CNCF: one layer of the module, a configuration that names
// it. What another tool relies on is written out here.
func TestTheLayoutIsThatOfWasmArtifacts(t *testing.T) {
	onEachRegistry(t, hasTheLayout)
}

func hasTheLayout(t *testing.T, host string) {
	t.Helper()
	ref := parse(t, host+"/acme/ticket:1.2.0")
	if _, err := oci.New(oci.Options{}).Push(t.Context(), ref, ticket("\x00asm")); err != nil {
		t.Fatal(err)
	}
	var m struct {
		MediaType string
		Config    struct{ MediaType, Digest string }
		Layers    []struct {
			MediaType, Digest string
			Annotations       map[string]string
		}
	}
	get(t, "http://"+host+"/v2/acme/ticket/manifests/1.2.0", &m)
	if m.MediaType != "application/vnd.oci.image.manifest.v1+json" || m.Config.MediaType != "application/vnd.wasm.config.v0+json" ||
		len(m.Layers) != 1 || m.Layers[0].MediaType != "application/wasm" || m.Layers[0].Annotations["org.opencontainers.image.title"] != "ticket.wasm" {
		t.Errorf("manifest %+v", m)
	}
	var conf map[string]any
	get(t, "http://"+host+"/v2/acme/ticket/blobs/"+m.Config.Digest, &conf)
	if conf["architecture"] != "wasm" || conf["os"] != "wasip1" || fmt.Sprint(conf["layerDigests"]) != "["+m.Layers[0].Digest+"]" {
		t.Errorf("configuration %v", conf)
	}
}

// S02: a tag that was moved names something else; the digest that was got before names
// the same as ever.
func TestATagThatWasMovedChangesNoDigest(t *testing.T) {
	onEachRegistry(t, tagIsMoved)
}

func tagIsMoved(t *testing.T, host string) {
	t.Helper()
	c := oci.New(oci.Options{})
	ref := parse(t, host+"/acme/ticket:stable")
	first, err := c.Push(t.Context(), ref, ticket("first"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Push(t.Context(), ref, ticket("second"))
	if err != nil || first == second {
		t.Fatalf("%s, %s, %v", first, second, err)
	}
	for ref, want := range map[oci.Reference]string{first: "first", second: "second", ref: "second"} {
		if p, err := c.Pull(t.Context(), ref); err != nil || string(p.Code) != want {
			t.Errorf("%s: %q, %v", ref, p.Code, err)
		}
	}
}

// S08: what is no registry, or none that is allowed, is refused before anything is
// dialled.
func TestOnlyAllowedRegistriesAreAsked(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "ticket", "acme/ticket", "file:///etc/passwd", "file://localhost/etc:1", "git ext::sh -c id", "ext::sh/a:1", "http://127.0.0.1/a:1",
		"https://registry.example.com/a:1", "registry.example.com//a:1", "registry.example.com/../a:1", "registry.example.com/a b:1", "user:pass@registry.example.com/a:1", "registry.example.com/a?x=1", "registry.example.com/a#x", "registry.example.com/%2e/a",
		"--upload-pack=id/a:1", "-o/a:1", "registry.example.com:99999999/a:1", "registry.example.com\\a/b:1", "gh\ncr.io/a:1", "../etc/passwd", "/etc/passwd", "oci:dir/a:1",
		"169.254.169.254/a:1\r\nX: y", strings.Repeat("a", 600) + ".example/a:1", "registry.example.com/a@sha256:00", "docker-daemon:a/b",
	} {
		if r, err := oci.Parse(s); !fault.Is(err, fault.Reference) {
			t.Errorf("%q: %+v, %v", s, r, err)
		}
	}
	dialled := false
	c := oci.New(oci.Options{
		Registries: []string{"registry.example.com", "http://127.0.0.1:5000", "http://registry.example.org"},
		Transport: transport(func(*http.Request) (*http.Response, error) {
			dialled = true
			return nil, errors.New("no network")
		}),
	})
	for _, s := range []string{
		"docker.io/a:1", "127.0.0.1:5001/a:1", "localhost:5000/a:1", "169.254.169.254/a:1", "[::1]:5000/a:1", "10.0.0.1/a:1",
		"registry.example.com.example.org/a:1", "registry.example.com:8443/a:1", "registry.example.org/a:1",
	} {
		_, err := c.Pull(t.Context(), parse(t, s))
		wantFault(t, err, fault.Reference)
	}
	if dialled {
		t.Error("a registry that is not allowed was asked")
	}
	_, err := c.Pull(t.Context(), parse(t, "registry.example.com/a:1"))
	wantFault(t, err, fault.Registry)
	if !dialled {
		t.Error("a registry that is allowed was not asked")
	}
	if _, err := oci.New(oci.Options{Registries: []string{}}).List(t.Context(), parse(t, "registry.example.com/a:1")); !fault.Is(err, fault.Reference) {
		t.Errorf("no registry is allowed: %v", err)
	}
}

// S09: artifacts that are not one module of a bearable size are refused, and little is
// read of them.
func TestHostileArtifactsAreRefused(t *testing.T) {
	t.Parallel()
	const layer = `{"mediaType":"application/wasm","digest":"%s","size":%d%s}`
	module := []byte("module")
	conf := fmt.Appendf(nil, `{"architecture":"wasm","os":"wasip1","layerDigests":["%s"]}`, digestOf(module))
	manifest := func(layers ...string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.wasm.config.v0+json","digest":"%s","size":%d},"layers":[%s]}`,
			digestOf(conf), len(conf), strings.Join(layers, ","))
	}
	good := fmt.Sprintf(layer, digestOf(module), len(module), "")
	for name, tc := range map[string]struct {
		manifest string
		module   http.HandlerFunc
		code     fault.Code
	}{
		"is fine":                  {manifest(good), nil, ""},
		"no layer":                 {manifest(), nil, fault.Invalid},
		"two layers":               {manifest(good, good), nil, fault.Invalid},
		"ten thousand layers":      {manifest(strings.Split(strings.Repeat(good+"|", 10_000), "|")[:10_000]...), nil, fault.Invalid},
		"layer elsewhere":          {manifest(fmt.Sprintf(layer, digestOf(module), len(module), `,"urls":["http://169.254.169.254/"]`)), nil, fault.Invalid},
		"a layer of 10 GB":         {manifest(fmt.Sprintf(layer, digestOf(module), 10<<30, "")), nil, fault.TooLarge},
		"a layer of negative size": {manifest(fmt.Sprintf(layer, digestOf(module), -1, "")), nil, fault.TooLarge},
		"another kind of layer":    {manifest(strings.Replace(good, "application/wasm", "application/vnd.oci.image.layer.v1.tar+gzip", 1)), nil, fault.Invalid},
		"another kind of artifact": {strings.Replace(manifest(good), "vnd.wasm.config.v0", "vnd.oci.image.config.v1", 1), nil, fault.Invalid},
		"another module":           {manifest(fmt.Sprintf(layer, digestOf([]byte("xxxxxx")), 6, "")), serving([]byte("xxxxxx")), fault.Invalid},
		"other bytes":              {manifest(good), serving([]byte("modulf")), fault.Registry},
		"more bytes":               {manifest(good), serving([]byte("module and more")), fault.Registry},
		"fewer bytes":              {manifest(good), serving([]byte("mod")), fault.Registry},
		"bytes without end":        {manifest(good), endless, fault.Registry},
		"not a manifest":           {`[1,2]`, nil, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := &atomic.Int64{}
			s := httptest.NewServer(counted(sent, hostile(tc.manifest, map[string]http.HandlerFunc{
				digestOf(conf): serving(conf), digestOf(module): or(tc.module, serving(module)), digestOf([]byte("xxxxxx")): or(tc.module, serving(module)),
			})))
			t.Cleanup(s.Close)
			p, err := oci.New(oci.Options{}).Pull(t.Context(), parse(t, address(s)+"/a:1"))
			if tc.code == "" {
				if err != nil || !bytes.Equal(p.Code, module) {
					t.Fatalf("%q, %v", p.Code, err)
				}
				return
			}
			wantFault(t, err, tc.code)
			if n := sent.Load(); n > oci.ModuleMaxBytes {
				t.Errorf("%d bytes were read", n)
			}
		})
	}
}

// A registry that sends more than it said, where no digest bounds it, is not read to the
// end: here the list of tags.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(endless))
	t.Cleanup(s.Close)
	_, err := oci.New(oci.Options{}).List(t.Context(), parse(t, address(s)+"/a"))
	if !fault.Is(err, fault.TooLarge) && !fault.Is(err, fault.Registry) {
		t.Errorf("%v", err)
	}
}

func TestWhatRefersToAPluginAndIsNoSignatureIsPassedOver(t *testing.T) {
	t.Parallel()
	s := registryServer(t)
	c := oci.New(oci.Options{})
	ref, err := c.Push(t.Context(), parse(t, address(s)+"/acme/ticket:1"), ticket("code", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	// A second artifact claims the type of a signature and is none.
	body := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"%s","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":1}}`,
		oci.MediaSignature, digestOf([]byte("{}")), ref.Name)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/v2/acme/ticket/manifests/"+digestOf([]byte(body)), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("%v, %v", res, err)
	}
	res.Body.Close()
	p, err := c.Pull(t.Context(), ref)
	if err != nil || len(p.Signatures) != 1 || string(p.Signatures[0]) != "{}" {
		t.Errorf("%q, %v", p.Signatures, err)
	}
}

func TestARegistryThatIsAwayIsToldFromOneThatAnswersOtherwise(t *testing.T) {
	t.Parallel()
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(odd.Close)
	for host, reason := range map[string]string{hosttest.FreeAddress(t): "REGISTRY_AWAY", address(odd): "REGISTRY_ANSWER"} {
		_, err := oci.New(oci.Options{}).Pull(t.Context(), parse(t, host+"/acme/ticket:1"))
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Registry || f.Reason != reason {
			t.Errorf("%v; want reason %s", err, reason)
		}
	}
}

func TestTheLoginOfARegistryIsUsedThereOnly(t *testing.T) {
	t.Parallel()
	logins := filepath.Join(t.TempDir(), "logins")
	// "s3cret" by bcrypt
	if err := os.WriteFile(logins, []byte("ada:$2a$04$gNJioLFuEtQIHoYkZgcvQuWUnAF1ZFWuPPQKZLqaeHAqyoSUmvtEW\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	host := hosttest.Registry(t, logins)
	ref := parse(t, host+"/acme/ticket:1")
	_, err := oci.New(oci.Options{}).Push(t.Context(), ref, ticket("code"))
	wantFault(t, err, fault.Registry)
	with := oci.New(oci.Options{Credential: func(_ context.Context, registry string) (string, string, error) {
		if registry != host {
			t.Errorf("a login for %s was asked for", registry)
		}
		return "ada", "s3cret", nil
	}})
	if _, err := with.Push(t.Context(), ref, ticket("code")); err != nil {
		t.Fatal(err)
	}
	if p, err := with.Pull(t.Context(), ref); err != nil || string(p.Code) != "code" {
		t.Errorf("%q, %v", p.Code, err)
	}
}

// hostile answers as a registry that holds one manifest and some blobs.
func hostile(manifest string, blobs map[string]http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch _, digest, isBlob := strings.Cut(r.URL.Path, "/blobs/"); {
		case isBlob && blobs[digest] != nil:
			blobs[digest](w, r)
		case strings.Contains(r.URL.Path, "/manifests/"):
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Docker-Content-Digest", digestOf([]byte(manifest)))
			w.Header().Set("Content-Length", strconv.Itoa(len(manifest)))
			_, _ = io.WriteString(w, manifest)
		case strings.Contains(r.URL.Path, "/referrers/"):
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

func serving(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

// endless sends until nobody listens any more.
func endless(w http.ResponseWriter, _ *http.Request) {
	block := bytes.Repeat([]byte(" "), 64<<10)
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func or(a, b http.HandlerFunc) http.HandlerFunc {
	if a != nil {
		return a
	}
	return b
}

// counted counts the bytes of the answers.
func counted(n *atomic.Int64, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&counter{w, n}, r) })
}

type counter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return c.ResponseWriter.Write(b)
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func registryServer(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(s.Close)
	return s
}

func address(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

func digestOf(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

func get(t *testing.T, url string, v any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json, */*") // or an old registry makes something older of it
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(v); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}

func wantFault(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("%v, want a fault %s", err, code)
	}
}
