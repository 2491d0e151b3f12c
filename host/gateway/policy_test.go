package gateway_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

func TestGrantIsPerProjectPluginSystemAndOperation(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*gateway.Caller, *contract.GatewayRequest){
		"another operation":   func(_ *gateway.Caller, r *contract.GatewayRequest) { r.Operation = "search"; r.Params = nil },
		"another plugin":      func(c *gateway.Caller, _ *contract.GatewayRequest) { c.Plugin = "other" },
		"another project":     func(c *gateway.Caller, _ *contract.GatewayRequest) { c.Project = "other" },
		"another system":      func(_ *gateway.Caller, r *contract.GatewayRequest) { r.System = "thing" },
		"a pattern":           func(_ *gateway.Caller, r *contract.GatewayRequest) { r.Operation = "*" },
		"nothing":             func(_ *gateway.Caller, r *contract.GatewayRequest) { *r = contract.GatewayRequest{} },
		"ahead of the record": func(c *gateway.Caller, _ *contract.GatewayRequest) { c.Ahead = true },
		"another case":        func(_ *gateway.Caller, r *contract.GatewayRequest) { r.Operation = "READ" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, setting{noGrant: true})
			b.grant(project, "tool", "things", "read")
			c, req := caller(), ask(t, "read", map[string]any{"id": "1"}, "")
			change(&c, &req)
			res := b.gateway.Open(c).Call(t.Context(), req)
			if res.Failure == nil || res.Failure.Code != gateway.CodeDenied || res.Failure.Origin != contract.OriginGateway || res.Failure.Retryable {
				t.Fatalf("got %+v", res)
			}
			if len(b.up.all()) != 0 {
				t.Fatal("the system was reached")
			}
			rows, err := b.store.Audit().Rows(t.Context(), c.Project, "run-1", "n1")
			if err != nil || len(rows) != 1 || rows[0].Failure.Code != gateway.CodeDenied {
				t.Fatalf("the audit holds %+v, %v", rows, err)
			}
		})
	}
	b := newBench(t, nil, setting{noGrant: true})
	b.grant(project, "tool", "things", "read")
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
		t.Fatalf("with the grant: %+v", res)
	}
}

func TestGrantedButUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	b.grant(project, "tool", "things", "gone")
	b.grant(project, "tool", "nowhere", "read")
	refused(t, b, b.call("gone", nil, ""), gateway.CodeUnknownOperation, contract.OriginGateway)
	res := b.gateway.Open(caller()).Call(t.Context(), contract.GatewayRequest{System: "nowhere", Operation: "read"})
	if res.Failure == nil || res.Failure.Code != gateway.CodeUnknownSystem {
		t.Fatalf("got %+v", res)
	}
}

func TestFormChoicesMayOnlyRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	c := caller()
	c.Reason, c.Run, c.Node = contract.ReasonOptions, "", ""
	for _, req := range []contract.GatewayRequest{ask(t, "create", nil, `{"name":"a"}`), ask(t, "replace", map[string]any{"id": "1"}, "")} {
		refused(t, b, b.gateway.Open(c).Call(t.Context(), req), gateway.CodeDenied, contract.OriginGateway)
	}
	if res := b.gateway.Open(c).Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, "")); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
}

func TestCredentialsGoOutAndNothingElseKnowsThem(t *testing.T) {
	t.Parallel()
	for auth, want := range map[string]string{
		"{type: none}":                       "",
		"{type: bearer}":                     "Bearer " + canary,
		"{type: basic}":                      "Basic " + base64.StdEncoding.EncodeToString([]byte("robot:"+canary)),
		"{type: api_key, header: X-Api-Key}": "",
	} {
		b := newBench(t, nil, setting{auth: auth})
		if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
			t.Fatalf("%s: %+v", auth, res)
		}
		h := b.up.all()[0].Header
		if h.Get("Authorization") != want || (h.Get("X-Api-Key") == canary) != strings.Contains(auth, "api_key") {
			t.Errorf("%s: the system got %v", auth, h)
		}
	}
}

func TestMissingCredential(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{noCredential: true})
	refused(t, b, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeCredentialMissing, contract.OriginGateway)
	refused(t, b, b.call("create", nil, `{"name":"a"}`), gateway.CodeCredentialMissing, contract.OriginGateway)
}

// Pointing a system elsewhere does not carry its credential along.
func TestCredentialIsBoundToTheAddressOfItsSystem(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	evil := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
	b.mu.Lock()
	b.systems["things"] = register(t, setting{base: evil.URL, auth: "{type: bearer}", limits: "{}"})
	b.mu.Unlock()
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeCredentialMissing, contract.OriginGateway)
	if len(evil.all()) != 0 {
		t.Fatal("the new address was reached")
	}
}

// A system that reflects the credential, in every encoding that is looked for.
func TestReflectedCredentialIsScrubbed(t *testing.T) {
	t.Parallel()
	js, _ := json.Marshal(canary)
	b64 := base64.StdEncoding.EncodeToString
	reflections := map[string]string{
		"raw":              canary,
		"in a sentence":    "Authorization: Bearer " + canary + " is wrong",
		"json":             string(js),
		"json, slashes":    strings.ReplaceAll(string(js), "/", `\/`),
		"query":            "token=" + url.QueryEscape(canary) + "&x=1",
		"query, lower":     strings.ToLower(url.QueryEscape("%")) + strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3C", "%3c", "%3E", "%3e").Replace(url.QueryEscape(canary)),
		"path":             url.PathEscape(canary),
		"base64":           b64([]byte(canary)),
		"base64 of more":   b64([]byte("Bearer " + canary + " and more")),
		"base64 shifted 1": b64([]byte("x" + canary + "yy")),
		"base64 shifted 2": b64([]byte("xx" + canary + "y")),
		"base64 for urls":  base64.URLEncoding.EncodeToString([]byte("xyz" + canary)),
		"hex":              hex.EncodeToString([]byte(canary)),
		"HEX":              strings.ToUpper(hex.EncodeToString([]byte(canary))),
	}
	// What may not survive: every run of the secret that would help to guess it.
	leaks := []string{canary, "c4nary", "<secret>", hex.EncodeToString([]byte("secret"))}
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		name, asJSON := strings.CutPrefix(strings.TrimPrefix(r.URL.Path, "/things/"), "json ")
		text := reflections[name]
		w.Header().Set("X-Echo", text)
		if !asJSON {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, text)
			return
		}
		doc, _ := json.Marshal(map[string]any{"echo": text, text: []string{text}})
		writeJSON(w, string(doc))
	}, setting{})
	for name := range reflections {
		for _, prefix := range []string{"", "json "} {
			res := b.call("read", map[string]any{"id": prefix + name}, "")
			seen := string(res.Body) + res.Text + fmt.Sprint(res.Headers)
			if res.Status != http.StatusOK || !strings.Contains(string(res.Body)+res.Text, secrets.Mask) || !strings.Contains(res.Headers["x-echo"], secrets.Mask) || (prefix != "") != json.Valid(res.Body) {
				t.Errorf("%s%s: got %+v", prefix, name, res)
			}
			for _, leak := range leaks {
				if strings.Contains(seen, leak) {
					t.Errorf("%s%s: the plugin sees %q in %s", prefix, name, leak, seen)
				}
			}
		}
	}
}

func TestReflectedCredentialWithEveryCharacterEscapedIsScrubbed(t *testing.T) {
	t.Parallel()
	var escaped strings.Builder
	for _, c := range canary {
		fmt.Fprintf(&escaped, `\u%04x`, c)
	}
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{"n":1.50,"echo":"`+escaped.String()+`"}`) }, setting{})
	if res := b.call("read", map[string]any{"id": "1"}, ""); string(res.Body) != `{"echo":"***","n":1.50}` {
		t.Fatalf("got %s", res.Body)
	}
}

// The canary is in what the system receives and nowhere else: not in the database, its
// log, the key file, the log of the server, the audit, or anything the plugin sees.
func TestSecretIsNowhereButOnTheWire(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "bad credential "+r.Header.Get("Authorization"))
	}, setting{auth: "{type: basic}"})
	var seen []any
	for _, res := range []contract.GatewayResponse{
		b.call("read", map[string]any{"id": "1"}, ""), b.call("create", nil, `{"name":"a"}`), b.call("replace", map[string]any{"id": "1"}, ""),
		b.call("read", map[string]any{"id": "../x"}, ""),
	} {
		seen = append(seen, res)
	}
	if got := b.up.all(); len(got) != 3 || !strings.HasSuffix(got[0].Header.Get("Authorization"), base64.StdEncoding.EncodeToString([]byte("robot:"+canary))) {
		t.Fatal("the system did not get the credential")
	}
	rows, err := b.store.Audit().Rows(t.Context(), project, "run-1", "n1")
	if err != nil || len(rows) != 4 || rows[0].CredentialID == "" || rows[3].CredentialID != "" {
		t.Fatalf("the audit holds %+v, %v", rows, err)
	}
	text, err := json.Marshal([]any{seen, rows})
	if err != nil {
		t.Fatal(err)
	}
	haystack := map[string]string{"what the plugin and the audit see": string(text), "the log": b.log.String()}
	err = filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		haystack[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(haystack) < 4 {
		t.Fatalf("only %d places were searched", len(haystack))
	}
	for where, data := range haystack {
		for _, needle := range []string{
			canary, "c4nary", url.QueryEscape(canary), base64.RawStdEncoding.EncodeToString([]byte(canary)),
			base64.RawStdEncoding.EncodeToString([]byte("robot:" + canary)), hex.EncodeToString([]byte(canary)),
		} {
			if strings.Contains(data, needle) {
				t.Errorf("%s holds the secret as %q", where, needle)
			}
		}
	}
}

func TestAuditTellsEveryCall(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	c := caller()
	c.Call = 7
	s := b.gateway.Open(c)
	s.Call(t.Context(), ask(t, "create", nil, `{"name":"a"}`))
	c.Recovered = true
	b.gateway.Open(c).Call(t.Context(), ask(t, "create", nil, `{"name":"a"}`))
	rows, err := b.store.Audit().Rows(t.Context(), project, "run-1", "n1")
	if err != nil || len(rows) != 2 {
		t.Fatalf("got %+v, %v", rows, err)
	}
	r := rows[0]
	if r.Actor != "ada" || r.Plugin != "tool" || r.Digest != "sha256:00" || r.System != "things" || r.Operation != "create" || r.Method != "POST" ||
		r.HTTPStatus != 200 || r.Failure != nil || r.Attempt != 1 || r.Call != 7 || r.Flow != "flow" || r.CredentialID == "" || r.Duration <= 0 ||
		!strings.HasPrefix(r.RequestHash, "sha256:") || r.At.IsZero() || r.Replayed {
		t.Errorf("got %+v", r)
	}
	if again := rows[1]; !again.Replayed || again.CredentialID != "" || again.HTTPStatus != 200 || again.RequestHash != r.RequestHash {
		t.Errorf("the repetition is %+v", again)
	}
	calls, err := b.store.Audit().Calls(t.Context(), project, "run-1", "n1")
	if err != nil || len(calls) != 2 || calls[0].Status != 200 || calls[0].Method != "POST" {
		t.Fatalf("got %+v, %v", calls, err)
	}
	if other, err := b.store.Audit().Rows(t.Context(), "other", "run-1", "n1"); err != nil || len(other) != 0 {
		t.Fatalf("another project sees %+v, %v", other, err)
	}
}

// brokenAudit cannot be written.
type brokenAudit struct{}

func (brokenAudit) Append(context.Context, gateway.AuditRow) error { return errors.New("disk full") }

func TestAnswerIsWithheldWhenItCannotBeAudited(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{tweak: func(g *gateway.Config) { g.Audit = brokenAudit{} }})
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeAuditFailed, contract.OriginHost)
}

// What was done and cannot be told the plugin is not to be done again by the next attempt.
func TestACallThatWasMadeAndCannotBeAuditedIsUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{tweak: func(g *gateway.Config) { g.Audit = brokenAudit{} }})
	for _, recovered := range []bool{false, true} {
		for operation, unknown := range map[string]bool{"read": false, "replace": true} {
			c := caller()
			c.Recovered = recovered
			s := b.gateway.Open(c)
			body := map[bool]string{true: `{"a":"b"}`}[unknown]
			fails(t, s.Call(t.Context(), ask(t, operation, map[string]any{"id": "1"}, body)), gateway.CodeAuditFailed, contract.OriginHost)
			if f := s.Unknown(); operation == "replace" && (f == nil || f.Retryable) || !recovered && operation == "read" && f != nil {
				t.Errorf("%s, recovered %v: unknown %+v", operation, recovered, f)
			}
		}
	}
	s := b.gateway.Open(attempt(2, false))
	fails(t, s.Call(t.Context(), ask(t, "replace", map[string]any{"unheard": "1"}, `{"a":"b"}`)), gateway.CodeAuditFailed, contract.OriginHost)
	if f := s.Unknown(); f != nil {
		t.Errorf("nothing was sent, and yet unknown: %v", f)
	}
}

// panics is a port that has a bug.
type panics struct{}

func (panics) Granted(context.Context, string, string, string, string) (bool, error) { panic("bug") }

func TestPanicInsideIsAFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{tweak: func(g *gateway.Config) { g.Grants = panics{} }})
	res := b.call("read", map[string]any{"id": "1"}, "")
	if res.Failure == nil || res.Failure.Origin != contract.OriginHost || !strings.Contains(b.log.String(), "panicked") {
		t.Fatalf("got %+v", res)
	}
}

// Many calls at once: the system never sees more than its limit, all are served, and
// another project is not kept waiting.
func TestConcurrencyIsLimitedPerProjectAndSystem(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	gate := make(chan struct{})
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		<-gate
		now.Add(-1)
		writeJSON(w, `{}`)
	}, setting{limits: "{concurrency: 3, timeout_ms: 20000}"})
	var wg sync.WaitGroup
	var served atomic.Int64
	for i := range 40 {
		wg.Go(func() {
			c := caller()
			c.Call = i
			if res := b.gateway.Open(c).Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, "")); res.Status == http.StatusOK {
				served.Add(1)
			}
		})
	}
	for range 40 {
		gate <- struct{}{}
	}
	wg.Wait()
	if served.Load() != 40 || most.Load() > 3 {
		t.Fatalf("%d were served, at most %d at once", served.Load(), most.Load())
	}
}

// A system that hangs: whoever waits for a place is told so in time, and that it is
// not the system's answer that is missing.
func TestWaitForAPlaceEnds(t *testing.T) {
	t.Parallel()
	out := make(chan struct{})
	b := newBench(t, func(http.ResponseWriter, *http.Request) { <-out }, setting{limits: "{concurrency: 1, timeout_ms: 400}"})
	defer close(out)
	const all = 6
	codes := make(chan string, all)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			c := caller()
			c.Call = i
			res := b.gateway.Open(c).Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, ""))
			if !res.Failure.Retryable {
				t.Errorf("got %+v", res.Failure)
			}
			codes <- res.Failure.Code
		})
	}
	wg.Wait()
	close(codes)
	count := map[string]int{}
	for code := range codes {
		count[code]++
	}
	// One has the place at once, and one may get it when that one's time is over.
	if count[gateway.CodeUpstreamTimeout] < 1 || count[gateway.CodeRateLimited] < all-2 || len(count) != 2 {
		t.Fatalf("got %v", count)
	}
}
