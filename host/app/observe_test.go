package app_test

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/tryout"
)

// spans is a collector of traces that keeps who is whose parent, by name.
type spans struct {
	mu      sync.Mutex
	names   map[string]string
	parents map[string]string
	text    []byte
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in collector.ExportTraceServiceRequest
	z, err := gzip.NewReader(r.Body)
	var body []byte
	if err == nil {
		body, err = io.ReadAll(z)
	}
	if err == nil {
		err = proto.Unmarshal(body, &in)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, body...)
	for _, rs := range in.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			for _, sp := range ss.GetSpans() {
				s.names[string(sp.GetSpanId())] = sp.GetName()
				s.parents[string(sp.GetSpanId())] = string(sp.GetParentSpanId())
			}
		}
	}
}

// path returns the names from a span with that name up to the root.
func (s *spans) path(name string) []string {
	s.mu.Lock()
	found := ""
	for id, n := range s.names {
		if n == name {
			found = id
		}
	}
	s.mu.Unlock()
	out, _ := s.from(found)
	return out
}

// from returns the names from a span up to the root, and the id, in hex, of what is above it.
func (s *spans) from(id string) (path []string, above string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.names[id] != ""; id = s.parents[id] {
		path = append(path, s.names[id])
	}
	return path, hex.EncodeToString([]byte(id))
}

// TestARunIsTracedDownToItsCalls runs a flow with secrets and reads what a collector got.
func TestARunIsTracedDownToItsCalls(t *testing.T) {
	t.Parallel()
	got := &spans{names: map[string]string{}, parents: map[string]string{}}
	c := httptest.NewServer(got)
	t.Cleanup(c.Close)
	s, e, _ := secretServer(t, func(s *server) { s.cfg.Trace.Endpoint = c.URL + "/v1/traces" })
	s.publish(drawn("login", `{"token":"${token}","signature":"${token}","basic":"${password}","user":"ada"}`, `{"user":"ada","password":"${password}"}`))
	s.published.wait(t, s.run("login", map[string]any{"password": runCanary}), "run succeeded")
	if told := e.told("Traceparent"); told != "" {
		t.Errorf("a system that does not ask for it got %q", told)
	}

	// From here on the system is told, and the run hangs on the trace of who starts it.
	known := want[struct {
		BaseURL string `json:"base_url"`
		Version int    `json:"version"`
	}](s, 200, "GET", s.in("/systems/echo"), nil)
	status, _, text := s.do("PUT", s.in("/systems/echo"), nil, systemJSON(t, strings.Replace(vaultDocument, "base_url: BASE", "trace: true\nbase_url: "+known.BaseURL, 1)))
	if status != 200 {
		t.Fatal(status, text)
	}
	const caller, above = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	status, _, text = s.do("POST", s.in("/flows/login/runs"), header{"Traceparent": "00-" + caller + "-" + above + "-01"}, map[string]any{"inputs": map[string]any{"password": runCanary}})
	if status != 201 {
		t.Fatal(status, text)
	}
	s.published.wait(t, idOf(t, text), "run succeeded")
	told := e.told("Traceparent")
	s.stop()
	if path := got.path("call"); !slices.Equal(path, []string{"call", "attempt", "node", "run"}) {
		t.Errorf("the call is in %q", path)
	}
	if !strings.HasPrefix(told, "00-"+caller+"-") || !strings.HasSuffix(told, "-01") {
		t.Fatalf("the system was told %q", told)
	}
	span, _ := hex.DecodeString(strings.Split(told, "-")[2])
	if path, root := got.from(string(span)); !slices.Equal(path, []string{"call", "attempt", "node", "run"}) || root != above {
		t.Errorf("the span that the system was told is in %q below %s", path, root)
	}
	clean(t, "what the collector got", got.text)
}

// downDocument is a system that is left alone after two failures, for longer than a test takes.
const downDocument = `
format: culm.system/v1
id: down
title: Down
base_url: BASE
auth: {type: none}
limits: {retry: {attempts: 1}, breaker: {failures: 2, open_ms: 600000}}
operations:
  - {id: ping, title: Ping, method: GET, path: /ping, retry: safe, risk: read}
`

// TestPrometheusReadsTheMetrics has a real Prometheus scrape the server, and asks it: also
// while the breaker of a system is open, and after it was closed.
func TestPrometheusReadsTheMetrics(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Fatalf("prometheus is not installed; scripts/deps.sh installs it: %v", err)
	}
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(down.Close)
	s, _, _ := secretServer(t, func(s *server) { s.cfg.Allow = append(s.cfg.Allow, strings.TrimPrefix(down.URL, "http://")) })
	want[map[string]any](s, 200, "PUT", s.in("/systems/down"), systemJSON(t, strings.Replace(downDocument, "BASE", down.URL, 1)))
	// Two that fail, and one that is not made; what failed long ago does not count, so that it may
	// take a few more on a busy machine.
	for n, broken := 0, false; n < 100 && !broken; n++ {
		r := want[tryout.Answer](s, 200, "POST", s.in("/systems/down/operations/ping/call"), `{}`)
		broken = r.Failure != nil && r.Failure.Code == gateway.CodeSystemBroken
	}
	s.publish(drawn("login", `{"token":"${token}","signature":"${token}","basic":"${password}","user":"ada"}`, `{"user":"ada","password":"${password}"}`))
	run := s.run("login", map[string]any{"password": runCanary})
	s.published.wait(t, run, "run succeeded")
	s.publish(asking)
	s.published.wait(t, s.run("asking", map[string]any{"who": "ada"}), "ask waiting")

	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n  - job_name: culm\n    static_configs: [{targets: ['%s']}]\n", s.Addr())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := hosttest.FreeAddress(t)
	cmd := exec.CommandContext(context.Background(), "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for query, want := range map[string]string{
		`up{job="culm"}`: "1",
		`culm_gateway_calls_total{system="echo",outcome="ok"}`:                                 "1",
		`culm_runs_ended_total{state="succeeded"}`:                                             "1",
		`culm_runs_live{state="waiting"}`:                                                      "1",
		`culm_runs_live{state="running"}`:                                                      "0",
		`culm_gateway_breakers{system="echo",state="closed"}`:                                  "1",
		`culm_gateway_breakers{system="echo",state="open"}`:                                    "0",
		`culm_gateway_breakers{system="down",state="open"}`:                                    "1",
		`culm_gateway_breakers{system="down",state="closed"}`:                                  "0",
		`culm_gateway_calls_total{system="down",code="SYSTEM_BROKEN"}`:                         "1",
		`culm_plugin_calls_total{plugin="http",outcome="succeeded"}`:                           "1",
		`culm_http_requests_total{route="/projects/{project}/flows/{flow}/runs",status="201"}`: "2",
	} {
		if got := ask(t, "http://"+address, query, want); got != want {
			t.Errorf("%s is %q, want %s", query, got, want)
		}
	}
	want[map[string]any](s, 200, "POST", s.in("/systems/down/state/commands"), `{"command":"reset"}`)
	for state, want := range map[string]string{"open": "0", "closed": "1"} {
		query := fmt.Sprintf(`culm_gateway_breakers{system="down",state=%q}`, state)
		if got := ask(t, "http://"+address, query, want); got != want {
			t.Errorf("after it was closed, %s is %q, want %s", query, got, want)
		}
	}
}

// ask asks Prometheus until it answers what is wanted, or patience ends.
func ask(t *testing.T, base, query, want string) string {
	t.Helper()
	got := ""
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ; got != want && time.Now().Before(deadline); <-tick.C {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/query?query="+url.QueryEscape(query), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue // it is not listening yet
		}
		var a struct {
			Data struct {
				Result []struct {
					Value [2]any `json:"value"`
				} `json:"result"`
			} `json:"data"`
		}
		err = json.NewDecoder(resp.Body).Decode(&a)
		_ = resp.Body.Close()
		if err == nil && len(a.Data.Result) == 1 {
			got = strings.TrimSpace(fmt.Sprint(a.Data.Result[0].Value[1]))
		}
	}
	return got
}
