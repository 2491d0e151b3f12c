package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/callbacks"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/runs"
)

const jobsDocument = `
format: culm.system/v1
id: jobs
title: Jobs
base_url: BASE
auth: {type: none}
limits: {timeout_ms: 60000, concurrency: 64}
operations:
  - {id: start, title: Start, method: POST, path: /jobs, retry: safe, risk: write,
     body: {type: object, required: [hook], properties: {hook: {type: string}, job: {type: string}}}}
`

// jobs is a system that does what it is asked, and calls back: at once, or when told.
type jobs struct {
	early bool
	hooks chan string
	t     *testing.T

	mu   sync.Mutex
	took []time.Duration // by the answers to early callbacks
}

func (j *jobs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Hook string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		j.t.Error(err)
	}
	if j.early { // before the call that started the job is even answered
		begun := time.Now()
		if status, text := callBack(j.t, in.Hook, `{"early":true}`); status != http.StatusAccepted {
			j.t.Errorf("an early callback: %d %s", status, text)
		}
		j.mu.Lock()
		j.took = append(j.took, time.Since(begun))
		j.mu.Unlock()
	} else {
		j.hooks <- in.Hook
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"hook":"`+in.Hook+`"}`)
}

func callBack(t *testing.T, url, body string) (int, string) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}

const jobFlow = `{"format":"culm.flow/v1","id":"job","name":"Job",
	"variables":[{"name":"result","source":"node","schema":{"type":"object"},"output":true}],
	"nodes":[{"id":"start","type":"start"},
		{"id":"job","type":"task","plugin":"http","action":"call_and_wait","inputs":{"system":"jobs","operation":"start","body":{"hook":"{callback_url}","job":"build"}},"outputs":{"result":"callback"}},
		{"id":"end","type":"end"}],
	"edges":[{"id":"e1","from":"start","to":"job"},{"id":"e2","from":"job","to":"end"}]}`

func jobServer(t *testing.T, early bool, tweak ...func(*server)) (*server, *jobs, *lockedLog) {
	t.Helper()
	j := &jobs{early: early, hooks: make(chan string, 1000), t: t}
	up := httptest.NewServer(j)
	t.Cleanup(up.Close)
	log := &lockedLog{}
	s := unstarted(t, false, "http", "core")
	s.cfg.Allow = []string{strings.TrimPrefix(up.URL, "http://")}
	s.cfg.Record.Mode = "all"
	s.deps.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, f := range tweak {
		f(s)
	}
	s.start()
	if code, _, text := s.do("PUT", s.in("/systems/jobs"), nil, systemJSON(t, strings.Replace(jobsDocument, "BASE", up.URL, 1))); code != 200 {
		t.Fatal(code, text)
	}
	want[map[string]any](s, 200, "PUT", s.in("/plugins/http/grants"), `{"grants":[{"system":"jobs","operation":"start"}]}`)
	s.publish(jobFlow)
	return s, j, log
}

// C03, C08, C10: a system calls back and the node goes on with what it brought. The token is
// with the system and nowhere else; opening the link does nothing; the token of an attempt
// that is over is of no use for the next one.
func TestASystemCallsBack(t *testing.T) {
	t.Parallel()
	s, j, log := jobServer(t, false)
	run := s.run("job", nil)
	first := <-j.hooks
	s.published.wait(t, run, "job waiting")

	for _, method := range []string{"GET", "HEAD"} { // as those who check links do
		req, _ := http.NewRequest(method, first, nil)
		req.Header.Set("Accept-Language", "zh-CN")
		req.Host = "culm.example.com"
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != 200 || method == "GET" && !strings.Contains(string(text), "不会产生任何影响") || res.Header.Get("Referrer-Policy") != "no-referrer" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s", method, res.StatusCode, res.Header, text)
		}
	}

	if code, _, text := s.do("POST", s.in("/runs/%s/nodes/job/commands", run), nil, `{"command":"force_fail","reason":"again"}`); code != 200 {
		t.Fatal(code, text)
	}
	s.published.wait(t, run, "job failed")
	if code, _, text := s.do("POST", s.in("/runs/%s/nodes/job/commands", run), nil, `{"command":"retry"}`); code != 200 {
		t.Fatal(code, text)
	}
	second := <-j.hooks
	if first == second {
		t.Fatal("two attempts have the same URL")
	}
	s.published.wait(t, run, "job waiting", "job waiting")
	if status, text := callBack(t, first, `{"from":"first"}`); status != 409 {
		t.Errorf("the older attempt: %d %s", status, text)
	}
	for body, status := range map[string]int{`{`: 422, strings.Repeat("[", 70): 422, `"` + strings.Repeat("x", callbacks.BodyBytesMax-1) + `"`: 413} {
		if got, text := callBack(t, second, body); got != status {
			t.Errorf("%.10s: %d %s", body, got, text)
		}
	}
	if got, text := callBack(t, second+"x", `{}`); got != 404 {
		t.Errorf("another token: %d %s", got, text)
	}
	tooLarge(t, second)
	if status, text := callBack(t, second, `{"from":"second"}`); status != 202 || text != `{"accepted":true}` {
		t.Fatalf("%d %s", status, text)
	}
	s.published.wait(t, run, "job succeeded", "run succeeded")
	if status, text := callBack(t, second, `{"from":"second"}`); status != 200 || text != `{"accepted":true,"repeated":true}` {
		t.Errorf("the same again: %d %s", status, text)
	}
	v := want[struct {
		Outputs map[string]json.RawMessage
	}](s, 200, "GET", s.in("/runs/%s", run), nil)
	if got := string(v.Outputs["result"]); got != `{"from":"second"}` {
		t.Errorf("the run has %s", got)
	}
	s.callbacksAudited(run)

	// C08
	_, _, detail := s.do("GET", s.in("/runs/%s/nodes/job", run), nil, nil)
	_, _, records := s.do("GET", s.in("/runs/%s/records", run), nil, nil)
	recordings := want[struct{ Items []struct{ ID string } }](s, 200, "GET", s.in("/runs/%s/nodes/job/recordings", run), nil)
	if len(recordings.Items) == 0 {
		t.Error("nothing was recorded")
	}
	for _, r := range recordings.Items {
		_, _, one := s.do("GET", s.in("/runs/%s/nodes/job/recordings/%s", run, r.ID), nil, nil)
		detail += one
	}
	if !strings.Contains(detail, "culm-callback-token-put-in-by-the-gateway") {
		t.Error("the recordings do not show the URL without its token")
	}
	s.stop()
	everything := detail + records + log.String()
	_ = filepath.WalkDir(s.cfg.Data, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.Contains(path, "compiled") {
			b, _ := os.ReadFile(path)
			everything += string(b)
		}
		return nil
	})
	for _, hook := range []string{first, second} {
		token := hook[strings.LastIndex(hook, "/")+1:]
		if at := strings.Index(everything, token); at >= 0 {
			t.Errorf("a token is kept: …%q…", everything[max(0, at-80):min(len(everything), at+80)])
		}
	}
}

// tooLarge sends a gigabyte in one piece and in chunks without an announced end: each is
// refused, or cut off, after little of it.
func tooLarge(t *testing.T, hook string) {
	t.Helper()
	const gigabyte = 1 << 30
	for name, length := range map[string]int64{"announced": gigabyte, "in chunks": -1} {
		body := &counted{left: gigabyte}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook, body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		req.Header.Set("Content-Type", "application/json")
		res, err := new(http.Transport).RoundTrip(req)
		if err == nil { // else it had sent more than is dropped before it read the answer
			_ = res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("a gigabyte %s: %d", name, res.StatusCode)
			}
		}
		// What is behind the limit was dropped while the client read the answer, or lies in buffers of the sockets.
		if sent := body.sent.Load(); sent > 32<<20 {
			t.Errorf("a gigabyte %s: %d bytes were taken", name, sent)
		}
	}
}

// counted is a JSON text without end that counts what was read of it.
type counted struct {
	left int64
	sent atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.sent.Load() >= c.left {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = '['
	}
	c.sent.Add(int64(len(p)))
	return len(p), nil
}

// callbacksAudited checks what the audit says of a run whose second attempt was called back,
// and that the whole export holds it and verifies.
func (s *server) callbacksAudited(run string) {
	s.t.Helper()
	all := want[page.Of[audit.Entry]](s, 200, "GET", s.in("/audit?run=%s", run), nil)
	var got []string
	for _, e := range all.Items {
		if e.Kind == audit.KindCall && e.Source != nil {
			s.t.Errorf("a call of a run has a source: %+v", e)
		}
		if e.Kind == audit.KindCallback {
			if e.Source == nil || e.Source.Address != "127.0.0.1" || e.Source.Agent == "" || e.RequestHash == "" || e.Node != "job" {
				s.t.Errorf("%+v", e)
			}
			got = append(got, fmt.Sprintf("%s of attempt %d by %s: %s %s", e.Action, e.Attempt, e.Actor, e.Outcome, e.Code))
		}
	}
	if !slices.Equal(got, []string{"callback.accept of attempt 2 by system:jobs: ok ", "callback.late of attempt 1 by system:jobs: refused GONE"}) {
		s.t.Errorf("the audit has %q", got)
	}
	status, h, text := s.do("GET", "/api/v1/audit/export", nil, nil)
	if status != 200 || h.Get("Culm-Audit-Through") != h.Get("Culm-Audit-Head") {
		s.t.Fatalf("%d %v", status, h)
	}
	report, err := audit.Verify(func(yield func(audit.Line, error) bool) {
		for line := range strings.Lines(text) {
			var l audit.Line
			if err := json.Unmarshal([]byte(line), &l); !yield(l, err) {
				return
			}
		}
	}, nil)
	if err != nil || !report.OK() || !strings.Contains(text, `"kind":"callback"`) || fmt.Sprint(report.Head.Seq) != h.Get("Culm-Audit-Through") {
		s.t.Errorf("the export: %+v %v", report, err)
	}
}

// C04: a callback for a run that was revoked is gone.
func TestACallbackForARunThatIsOverIsGone(t *testing.T) {
	t.Parallel()
	s, j, _ := jobServer(t, false)
	run := s.run("job", nil)
	hook := <-j.hooks
	s.published.wait(t, run, "job waiting")
	if code, _, text := s.do("POST", s.in("/runs/%s/commands", run), nil, `{"command":"revoke"}`); code != 200 {
		t.Fatal(code, text)
	}
	s.published.wait(t, run, "run revoked")
	if status, text := callBack(t, hook, `{}`); status != 410 || !strings.Contains(text, `"GONE"`) {
		t.Errorf("%d %s", status, text)
	}
	late := want[page.Of[audit.Entry]](s, 200, "GET", s.in("/audit?run=%s&kind=callback", run), nil).Items
	if len(late) != 1 || late[0].Action != "callback.late" || late[0].Outcome != audit.OutcomeRefused || late[0].Code != "GONE" || late[0].Node != "job" {
		t.Errorf("the audit has %+v", late)
	}
}

// C10: what the page sends when somebody means it.
func TestTheFormOfThePageCallsBack(t *testing.T) {
	t.Parallel()
	s, j, _ := jobServer(t, false)
	run := s.run("job", nil)
	hook := <-j.hooks
	s.published.wait(t, run, "job waiting")
	res, err := http.Post(hook, "application/x-www-form-urlencoded", strings.NewReader("a=1&b=%C3%A9"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 202 {
		t.Fatal(res.StatusCode)
	}
	s.published.wait(t, run, "run succeeded")
	res, err = http.Get(hook)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != 409 || !strings.Contains(string(text), "has come already") {
		t.Errorf("afterwards: %d %s", res.StatusCode, text)
	}
}

// C11: where a node asks a person no callback answers, also none under a token of the node.
func TestACallbackDoesNotAnswerForAPerson(t *testing.T) {
	t.Parallel()
	s, _, _ := jobServer(t, false)
	s.publish(asking)
	run := s.run("asking", map[string]any{"who": "ada"})
	s.published.wait(t, run, "ask waiting")
	for _, f := range []func() error{
		func() error { return s.Runs.CheckCallback(t.Context(), request(s, run)) },
		func() error { return s.Runs.Callback(t.Context(), request(s, run)) },
	} {
		if err := f(); !fault.Is(err, fault.Forbidden) {
			t.Errorf("answered %v", err)
		}
	}
}

func request(s *server, run string) runs.CallbackRequest {
	return runs.CallbackRequest{
		Project: s.project, Run: run, Node: "ask", Attempt: 1, System: "jobs", CommandID: fmt.Sprint("c-", run), Data: json.RawMessage(`{"approved":true}`),
	}
}
