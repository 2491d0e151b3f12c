package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/culmhq/culm/host/fault"
)

// bare is a server without use cases: what is tested here is decided before them.
func bare(t *testing.T, o Options) *Server {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	o.Ready = func() error { return nil }
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func do(t *testing.T, s *Server, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := s.app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func code(body string) fault.Code {
	var p problem
	if json.Unmarshal([]byte(body), &p) != nil {
		return ""
	}
	return p.Code
}

// TestOriginIsChecked sends what changes something: it must come from this origin or
// from a program that is no browser. What passes the guard is refused for its body.
func TestOriginIsChecked(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{})
	for name, tc := range map[string]struct {
		header map[string]string
		pass   bool
	}{
		"a program":                          {nil, true},
		"a program with a cookie":            {map[string]string{"Cookie": "a=b"}, false},
		"this origin":                        {map[string]string{"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}, true},
		"this origin, old browser":           {map[string]string{"Origin": "http://127.0.0.1:8080"}, true},
		"typed in":                           {map[string]string{"Sec-Fetch-Site": "none"}, true},
		"another site":                       {map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		"another site, old browser":          {map[string]string{"Origin": "http://evil.example"}, false},
		"another site hides its origin":      {map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		"another port of this machine":       {map[string]string{"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": "same-site"}, false},
		"another name of this machine":       {map[string]string{"Origin": "http://localhost:8080"}, false},
		"null":                               {map[string]string{"Origin": "null"}, false},
		"this origin, but the site disagree": {map[string]string{"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "cross-site"}, false},
		"another scheme":                     {map[string]string{"Origin": "file://127.0.0.1:8080"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, "PATCH"} {
				r := httptest.NewRequest(method, "/api/v1/projects/p/nothing", nil)
				r.Host = "127.0.0.1:8080"
				for k, v := range tc.header {
					r.Header.Set(k, v)
				}
				resp, body := do(t, s, r)
				if got := resp.StatusCode != http.StatusForbidden; got != tc.pass || (!tc.pass && code(body) != codeOrigin) {
					t.Errorf("%s: %d %s", method, resp.StatusCode, body)
				}
			}
		})
	}
}

func TestUpgradeFromAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{})
	for origin, header := range map[string][2]string{
		"http://evil.example": {"Sec-Fetch-Site", "cross-site"},
		"null":                {"X-Nothing", ""},
		"":                    {"Cookie", "a=b"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/projects/p/runs/r/events", nil)
		r.Host = "127.0.0.1:8080"
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set(header[0], header[1])
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if resp, body := do(t, s, r); resp.StatusCode != http.StatusForbidden || code(body) != codeOrigin {
			t.Errorf("origin %q: %d %s", origin, resp.StatusCode, body)
		}
	}
}

func TestHostMustBeLoopback(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{})
	for host, pass := range map[string]bool{
		"127.0.0.1:8080": true, "127.0.0.1": true, "localhost:8080": true, "LOCALHOST": true, "[::1]:8080": true, "127.1.2.3:1": true,
		"evil.example": false, "evil.example:8080": false, "localhost.evil.example": false, "192.0.2.1:8080": false,
		"127.0.0.1.nip.example": false, "0.0.0.0:8080": false,
	} {
		for _, path := range []string{"/api/v1/meta", "/", "/healthz"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = host
			resp, body := do(t, s, r)
			if got := resp.StatusCode == http.StatusOK; got != pass || (!pass && code(body) != codeHost) {
				t.Errorf("Host %q, %s: %d %s", host, path, resp.StatusCode, body)
			}
		}
	}
}

func TestEveryAnswerBearsTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{})
	for _, path := range []string{"/", "/healthz", "/readyz", "/api/v1/meta", "/api/v1/nothing", "/api/v1/projects/p/runs/r/events"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "localhost"
		resp, _ := do(t, s, r)
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if !strings.Contains(resp.Header.Get(name), want) {
				t.Errorf("%s: %s = %q", path, name, resp.Header.Get(name))
			}
		}
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe-eval") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

func TestRequestsAreRefusedAtTheEdge(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{})
	const flows = "/api/v1/projects/p/flows"
	for name, tc := range map[string]struct {
		method, path, media, body string
		header                    map[string]string
		status                    int
		code                      fault.Code
	}{
		"no such path":         {path: "/api/v1/nothing", status: 404, code: fault.NotFound},
		"old version":          {path: "/api/v0/meta", status: 404, code: fault.NotFound},
		"another method":       {method: "DELETE", path: flows, status: 405, code: codeMethod},
		"no state by GET":      {path: flows + "/validate/x/y", status: 404, code: fault.NotFound},
		"form":                 {method: "POST", path: flows, media: "application/x-www-form-urlencoded", body: "a=b", status: 415, code: codeMediaType},
		"text":                 {method: "POST", path: flows, media: "text/plain", body: "{}", status: 415, code: codeMediaType},
		"no type":              {method: "POST", path: flows, body: "{}", status: 415, code: codeMediaType},
		"another charset":      {method: "POST", path: flows, media: "application/json; charset=utf-16", body: "{}", status: 415, code: codeMediaType},
		"compressed":           {method: "POST", path: flows, media: "application/json", body: "{}", header: map[string]string{"Content-Encoding": "gzip"}, status: 415, code: codeMediaType},
		"not JSON":             {method: "POST", path: flows, media: "application/json", body: "{", status: 400, code: codeMalformed},
		"no document":          {method: "POST", path: flows, media: "application/json", body: "{}", status: 422, code: fault.Invalid},
		"a body where none is": {method: "DELETE", path: flows + "/f", media: "application/json", body: "{}", status: 400, code: codeMalformed},
		"no If-Match":          {method: "PUT", path: flows + "/f", media: "application/json", body: "{}", status: 428, code: codePrecondition},
		"weak If-Match":        {method: "PUT", path: flows + "/f", media: "application/json", body: "{}", header: map[string]string{"If-Match": `W/"1"`}, status: 422, code: fault.Invalid},
		"unknown parameter":    {path: flows + "?serach=x", status: 422, code: fault.Invalid},
		"limit":                {path: flows + "?limit=0", status: 422, code: fault.Invalid},
		"limit too large":      {path: flows + "?limit=201", status: 422, code: fault.Invalid},
		"limit no number":      {path: flows + "?limit=ten", status: 422, code: fault.Invalid},
		"state":                {path: "/api/v1/projects/p/runs?state=gone", status: 422, code: fault.Invalid},
		"id with a slash":      {path: "/api/v1/projects/p%2F..%2Fq", status: 404, code: fault.NotFound},
		"id with a NUL":        {path: "/api/v1/projects/p%00", status: 404, code: fault.NotFound},
		"id too long":          {path: "/api/v1/projects/" + strings.Repeat("p", 300), status: 404, code: fault.NotFound},
		"version no number":    {path: flows + "/f/versions/last", status: 404, code: fault.NotFound},
		"stream by GET":        {path: "/api/v1/projects/p/runs/r/events", status: 426, code: codeUpgrade},
		"idempotency key":      {method: "POST", path: flows, media: "application/json", body: "{}", header: map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}, status: 422, code: fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.method == "" {
				tc.method = http.MethodGet
			}
			var b io.Reader
			if tc.body != "" {
				b = strings.NewReader(tc.body)
			}
			r := httptest.NewRequest(tc.method, tc.path, b)
			r.Host = "127.0.0.1:8080"
			if tc.media != "" {
				r.Header.Set("Content-Type", tc.media)
			}
			for k, v := range tc.header {
				r.Header.Set(k, v)
			}
			resp, body := do(t, s, r)
			if resp.StatusCode != tc.status || code(body) != tc.code {
				t.Fatalf("%d %s, want %d %s", resp.StatusCode, body, tc.status, tc.code)
			}
			if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
				t.Fatalf("content type %q", ct)
			}
		})
	}
}

func TestAPanicIsAProblemWithoutDetail(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{}) // no use cases: every handler that needs one panics
	r := httptest.NewRequest(http.MethodGet, "/api/v1/projects", nil)
	r.Host = "localhost"
	resp, body := do(t, s, r)
	if resp.StatusCode != 500 || code(body) != fault.Internal || strings.Contains(body, "nil") {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
}

func TestApplicationIsServed(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{Assets: fstest.MapFS{
		"index.html": {Data: []byte("<page>")}, "assets/a-1.js": {Data: []byte("plain")},
		"assets/a-1.js.br": {Data: []byte("brotli")}, "assets/a-1.js.gz": {Data: []byte("gzip")},
	}})
	for _, tc := range []struct {
		path, accept            string
		status                  int
		body, cache, enc, ctype string
	}{
		{"/", "", 200, "<page>", "no-cache", "", "text/html; charset=utf-8"},
		{"/p/demo/flows/x", "br", 200, "<page>", "no-cache", "", "text/html; charset=utf-8"},
		{"/assets/a-1.js", "gzip, deflate, br", 200, "brotli", "immutable", "br", "text/javascript; charset=utf-8"},
		{"/assets/a-1.js", "gzip, br;q=0", 200, "gzip", "immutable", "gzip", "text/javascript; charset=utf-8"},
		{"/assets/a-1.js", "", 200, "plain", "immutable", "", "text/javascript; charset=utf-8"},
		{"/assets/gone.js", "", 404, "", "no-store", "", "application/problem+json"},
		{"/assets/../../index.html", "", 200, "<page>", "no-cache", "", "text/html; charset=utf-8"},
	} {
		r := httptest.NewRequest(http.MethodGet, tc.path, nil)
		r.Host = "localhost"
		r.Header.Set("Accept-Encoding", tc.accept)
		resp, body := do(t, s, r)
		h := resp.Header
		if resp.StatusCode != tc.status || (tc.body != "" && body != tc.body) || !strings.Contains(h.Get("Cache-Control"), tc.cache) ||
			h.Get("Content-Encoding") != tc.enc || h.Get("Content-Type") != tc.ctype {
			t.Errorf("%s (%s): %d %q %v", tc.path, tc.accept, resp.StatusCode, body, h)
		}
	}
}

func TestWithoutTheApplicationAPageSaysSo(t *testing.T) {
	t.Parallel()
	for path, status := range map[string]int{"/": 200, "/p/demo": 200, "/any/path": 404} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "localhost"
		if resp, body := do(t, bare(t, Options{}), r); resp.StatusCode != status || strings.Contains(body, "make build") != (status == 200) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}
