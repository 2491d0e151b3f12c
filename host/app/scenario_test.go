package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/api"
	"github.com/culmhq/culm/host/projects"
)

// scenario is one request to a fresh project that has the flow "asking" with one run
// that asks a person: what is answered, and which records it makes.
type scenario struct {
	method, path string
	header       header
	body         string
	status       int
	// contains and omits are parts of the answer.
	contains, omits []string
	// records are published for the run, in this order.
	records []string
	// then is another request, after the records.
	then *scenario
}

const base = "/api/v1/projects/{project}"

func scenarios() map[string]scenario {
	node := func(body string) scenario {
		return scenario{method: "POST", path: base + "/runs/{run}/nodes/ask/commands", body: body, status: 200}
	}
	command := func(body string) scenario {
		return scenario{method: "POST", path: base + "/runs/{run}/commands", body: body, status: 200}
	}
	with := func(s scenario, records ...string) scenario { s.records = records; return s }
	refused := func(s scenario, status int, contains ...string) scenario {
		s.status, s.contains = status, contains
		return s
	}
	return map[string]scenario{
		"approve":          with(node(`{"command":"callback","data":{"approved":true}}`), "ask running", "ask succeeded", "run succeeded"),
		"refuse":           with(node(`{"command":"callback","data":{"approved":false,"comment":"no"}}`), "ask running", "ask failed", "run blocked"),
		"wrong answer":     refused(node(`{"command":"callback","data":{"approved":"perhaps"}}`), 422, `"INVALID"`, `"field":"/data/approved"`),
		"force fail":       with(node(`{"command":"force_fail","reason":"tired"}`), "ask failed", "run blocked"),
		"unknown command":  refused(node(`{"command":"explode"}`), 422, `"field":"/command"`),
		"unknown field":    refused(node(`{"command":"skip","nodes":["x"]}`), 422, `"field":"/nodes"`),
		"retry what waits": refused(node(`{"command":"retry"}`), 409, `"WRONG_STATE"`),
		"unknown node": refused(scenario{method: "POST", path: base + "/runs/{run}/nodes/nope/commands", body: `{"command":"skip"}`},
			404, `"NOT_FOUND"`),
		"stale":  refused(node(`{"command":"skip","expected_seq":1}`), 409, `"CONFLICT"`, `"current":{`),
		"revoke": with(command(`{"command":"revoke","reason":"enough"}`), "ask cancelled", "run revoked"),
		"pause and resume": func() scenario {
			s := with(command(`{"command":"pause"}`), "run suspended")
			resume := with(command(`{"command":"resume"}`), "run running")
			s.then = &resume
			return s
		}(),
		"after the end": func() scenario {
			s := with(command(`{"command":"revoke"}`), "run revoked")
			late := refused(command(`{"command":"pause"}`), 409, `"RUN_ENDED"`)
			s.then = &late
			return s
		}(),
		"fail":             with(command(`{"command":"fail","reason":"no use"}`), "ask cancelled", "run failed"),
		"set variables":    refused(command(`{"command":"set_variables","values":{"nope":1}}`), 422, `"field":"/values/nope"`),
		"roll back, stale": refused(command(`{"command":"rollback","from":"ask","to":"start","mode":"any","expected_seq":1}`), 409, `"CONFLICT"`, `"current":{`),
		"preview of a rollback that is refused": refused(scenario{
			method: "POST", path: base + "/runs/{run}/rollback/preview", body: `{"from":"ask","to":"start","mode":"any"}`,
		}, 409, `"WRONG_STATE"`, `"node":"`),
		"reschedule what does not wait for a time": refused(node(`{"command":"reschedule","at":"2030-01-01T00:00:00Z"}`), 409, `"WRONG_STATE"`),
		"preview of a start":                       {method: "POST", path: base + "/flows/asking/preview", body: `{}`, status: 200, contains: []string{`"version":1`, `"problems":[]`, `"document":{`}},
		"preview without what is needed":           {method: "POST", path: base + "/flows/asking/preview", body: `{"without":["ask"]}`, status: 200, contains: []string{`"field":"/without/0"`}},
		"start at an end":                          {method: "POST", path: base + "/flows/asking/runs", body: `{"inputs":{"who":"a"},"start_at":"end"}`, status: 422, contains: []string{`"field":"/start_at"`}},
		"runs below":                               {method: "GET", path: base + "/runs?parent={run}", status: 200, contains: []string{`{"items":[]}`}},
		"a flow inside another":                    inside(),

		"list runs":           {method: "GET", path: base + "/runs?flow=asking&state=running&state=blocked", status: 200, contains: []string{`"id":"{run}"`, `"flow_name":"Asking"`}},
		"list runs, none":     {method: "GET", path: base + "/runs?state=failed", status: 200, contains: []string{`{"items":[]}`}},
		"other project":       {method: "GET", path: "/api/v1/projects/other/runs/{run}", status: 404, contains: []string{`"NOT_FOUND"`}},
		"plugins":             {method: "GET", path: base + "/plugins", status: 200, contains: []string{`"id":"core"`, `"grants":[]`, `"actions":[`}},
		"plugin, absent":      {method: "GET", path: base + "/plugins/nope", status: 404, contains: []string{`"NOT_FOUND"`}},
		"meta":                {method: "GET", path: "/api/v1/meta", status: 200, contains: []string{`"version":"test"`, `"demo":false`, `"actor":"local"`}},
		"healthy":             {method: "GET", path: "/healthz", status: 200},
		"ready":               {method: "GET", path: "/readyz", status: 200},
		"projects":            {method: "GET", path: "/api/v1/projects", status: 200, contains: []string{`"id":"default"`, `"zone":"UTC"`}},
		"flow":                {method: "GET", path: base + "/flows/asking", status: 200, contains: []string{`"revision":1`, `"version":1`, `"problems":[]`}},
		"flow, absent":        {method: "GET", path: base + "/flows/nope", status: 404, contains: []string{`"NOT_FOUND"`}},
		"flow, taken":         {method: "POST", path: base + "/flows", body: `{"document":` + asking + `}`, status: 409, contains: []string{`"EXISTS"`}},
		"flow with problems":  {method: "POST", path: base + "/flows", body: `{"document":{"format":"culm.flow/v1","name":"Bad","nodes":[],"edges":[]}}`, status: 201, contains: []string{`"problems":[{"code"`}},
		"save, stale":         {method: "PUT", path: base + "/flows/asking", header: header{"If-Match": `"7"`}, body: `{"document":` + asking + `}`, status: 409, contains: []string{`"CONFLICT"`, `"current":{`, `"revision":1`}},
		"save":                {method: "PUT", path: base + "/flows/asking", header: header{"If-Match": `"1"`}, body: `{"document":` + asking + `}`, status: 200, contains: []string{`"revision":`}},
		"validate":            {method: "POST", path: base + "/flows/validate", body: `{"document":` + strings.Replace(asking, "confirm", "conform", 1) + `}`, status: 200, contains: []string{`"node":"ask"`}},
		"start, wrong input":  {method: "POST", path: base + "/flows/asking/runs", body: `{"inputs":{"nope":1}}`, status: 422, contains: []string{`"field":"/inputs/nope"`}},
		"start, no version":   {method: "POST", path: base + "/flows/asking/runs", body: `{"version":9}`, status: 404, contains: []string{`"NOT_FOUND"`}},
		"versions":            {method: "GET", path: base + "/flows/asking/versions", status: 200, contains: []string{`"version":1`, `"sha256:`}},
		"version":             {method: "GET", path: base + "/flows/asking/versions/1", status: 200, contains: []string{`"document":{`}},
		"publish, unchanged":  {method: "POST", path: base + "/flows/asking/versions", body: `{"revision":1,"note":"again"}`, status: 201, contains: []string{`"version":1`}},
		"delete":              {method: "DELETE", path: base + "/flows/asking", status: 204, then: &scenario{method: "GET", path: base + "/runs/{run}", status: 200, contains: []string{`"id":"{run}"`}}},
		"grants, not asked":   {method: "PUT", path: base + "/plugins/core/grants", body: `{"grants":[{"system":"x","operation":"y"}]}`, status: 422, contains: []string{`"INVALID"`, `/grants/0`}},
		"system":              {method: "PUT", path: base + "/systems/ticket", body: ticket, status: 200, contains: []string{`"credential_set":false`, `"retry":"never"`}, then: &scenario{method: "PUT", path: base + "/systems/ticket/credential", body: `{"token":"s3cret-t0ken-of-mine"}`, status: 200, then: &scenario{method: "GET", path: base + "/systems/ticket", status: 200, contains: []string{`"credential_set":true`}, omits: []string{"s3cret"}}}},
		"system, other id":    {method: "PUT", path: base + "/systems/other", body: ticket, status: 422, contains: []string{`"field":"/id"`}},
		"credential, no such": {method: "PUT", path: base + "/systems/none/credential", body: `{"token":"s3cret-t0ken-of-mine"}`, status: 404, omits: []string{"s3cret"}},
	}
}

// inside is the flow "asking" as a subflow of another: it is not deleted, its nodes are
// named by their path, and it does not come to contain the other one.
func inside() scenario {
	const outer = `{"format":"culm.flow/v1","id":"outer","name":"Outer","nodes":[{"id":"start","type":"start"},` +
		`{"id":"sub","type":"subflow","flow":"asking","inputs":{"who":"you"}},{"id":"end","type":"end"}],` +
		`"edges":[{"id":"e1","from":"start","to":"sub"},{"id":"e2","from":"sub","to":"end"}]}`
	circle := strings.Replace(strings.Replace(outer, `"outer"`, `"asking"`, 1), `"flow":"asking","inputs":{"who":"you"}`, `"flow":"outer"`, 1)
	steps := []scenario{
		{method: "POST", path: base + "/flows", body: `{"document":` + outer + `}`, status: 201, contains: []string{`"problems":[]`}, omits: []string{`"subflows"`}},
		{method: "POST", path: base + "/flows/outer/versions", body: `{"revision":1,"note":""}`, status: 201},
		{method: "DELETE", path: base + "/flows/asking", status: 409, contains: []string{`"IN_USE"`, "outer"}},
		{
			method: "PUT", path: base + "/flows/asking", header: header{"If-Match": `"1"`}, body: `{"document":` + circle + `}`, status: 200,
			contains: []string{`"SUBFLOW_RECURSION"`, "asking → outer → asking"},
		},
		{method: "POST", path: base + "/flows/asking/versions", body: `{"revision":2,"note":""}`, status: 422, contains: []string{`"SUBFLOW_RECURSION"`}},
		{method: "POST", path: base + "/flows/outer/preview", body: `{}`, status: 200, contains: []string{`"subflows":{"asking@1":`, `"version":1`}},
		{method: "POST", path: base + "/flows/outer/runs", body: `{}`, status: 201, contains: []string{`"flow":"outer"`}},
	}
	for i := len(steps) - 1; i > 0; i-- {
		steps[i-1].then = &steps[i]
	}
	return steps[0]
}

const ticket = `{"format":"culm.system/v1","id":"ticket","title":"Tickets","base_url":"https://ticket.example.org/api","auth":{"type":"bearer"},
"operations":[{"id":"open","title":"Open","method":"POST","path":"/tickets","body":{"type":"object"},"retry":"never","risk":"write"}]}`

func TestScenarios(t *testing.T) {
	t.Parallel()
	shared := start(t, false, "core")
	n := 0
	t.Run("all", func(t *testing.T) { // returns when its parallel subtests have ended
		for name, sc := range scenarios() {
			n++
			s := *shared
			s.project = fmt.Sprintf("p-%d", n)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s.t = t
				s.scenario(&sc)
			})
		}
	})
}

func (s *server) scenario(sc *scenario) {
	s.t.Helper()
	if err := s.Projects.Ensure(s.t.Context(), projects.Project{ID: s.project, Name: s.project, Zone: "UTC"}); err != nil {
		s.t.Fatal(err)
	}
	s.publish(asking)
	run := s.run("asking", nil)
	s.published.wait(s.t, run, "ask waiting")
	for step := sc; step != nil; step = step.then {
		s.check(step, run)
	}
}

func (s *server) check(sc *scenario, run string) {
	s.t.Helper()
	fill := strings.NewReplacer("{run}", run, "{project}", s.project).Replace
	status, _, text := s.do(sc.method, fill(sc.path), sc.header, body(sc.body))
	if status != sc.status {
		s.t.Fatalf("%s %s: %d %s, want %d", sc.method, sc.path, status, text, sc.status)
	}
	for _, part := range sc.contains {
		if part = fill(part); !strings.Contains(text, part) {
			s.t.Errorf("%s %s: %s does not hold %s", sc.method, sc.path, text, part)
		}
	}
	for _, part := range sc.omits {
		if strings.Contains(text, part) {
			s.t.Errorf("%s %s: %s holds %s", sc.method, sc.path, text, part)
		}
	}
	s.published.wait(s.t, run, sc.records...)
}

func body(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// TestNodesOfSubflowsAreNamedByTheirPath commands a node inside an inline subflow over
// HTTP, and follows it in the stream.
func TestNodesOfSubflowsAreNamedByTheirPath(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.publish(asking)
	steps := inside()
	s.publish(strings.TrimSuffix(strings.TrimPrefix(steps.body, `{"document":`), "}"))
	run := s.run("outer", nil)
	c := s.follow(run, -1)
	c.until("sub.ask waiting")
	detail := want[struct {
		Node     string           `json:"node"`
		Attempts []map[string]any `json:"attempts"`
	}](s, 200, "GET", s.in("/runs/%s/nodes/sub.ask", run), nil)
	if detail.Node != "sub.ask" || len(detail.Attempts) != 1 {
		t.Errorf("detail %+v", detail)
	}
	want[any](s, 404, "GET", s.in("/runs/%s/nodes/ask", run), nil)
	want[any](s, 200, "POST", s.in("/runs/%s/nodes/sub/commands", run), `{"command":"pause"}`)
	c.until("sub suspended")
	want[any](s, 200, "POST", s.in("/runs/%s/nodes/sub.ask/commands", run), `{"command":"callback","data":{"approved":true}}`)
	c.until("sub.ask succeeded")
	want[any](s, 200, "POST", s.in("/runs/%s/nodes/sub/commands", run), `{"command":"resume"}`)
	c.until("run succeeded")
}

// TestIdempotencyKeys repeats creating calls: the same key with the same body answers
// the same, and makes one thing.
func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.publish(asking)
	key := header{"Idempotency-Key": "k-1"}
	path := s.in("/flows/asking/runs")
	_, _, first := s.do("POST", path, key, `{"inputs":{"who":"a"}}`)
	status, _, second := s.do("POST", path, key, `{"inputs":{"who":"a"}}`)
	if status != 201 || idOf(t, first) != idOf(t, second) {
		t.Fatalf("%d %s, want %s", status, second, first)
	}
	if status, _, text := s.do("POST", path, key, `{"inputs":{"who":"b"}}`); status != 422 || !strings.Contains(text, "IDEMPOTENCY_KEY_REUSED") {
		t.Fatalf("another body: %d %s", status, text)
	}
	if _, _, text := s.do("GET", s.in("/runs"), nil, nil); strings.Count(text, `"flow":"asking"`) != 1 {
		t.Fatalf("runs: %s", text)
	}
}

func idOf(t *testing.T, text string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, `"id":"`)
	if !ok {
		t.Fatalf("no id in %s", text)
	}
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// TestTooLargeIsSaidBeforeTheBodyIsRead announces a body that is too large, and sends
// none of it.
func TestTooLargeIsSaidBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		s.in("/flows"), api.BodyMaxBytes+1)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 413 || !strings.Contains(string(text), `"TOO_LARGE"`) {
		t.Fatalf("%d %s %v", resp.StatusCode, text, err)
	}
}
