package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
)

// adding is a flow that adds an input to a variable of the project; asking asks first.
const (
	adding = `{"format":"culm.flow/v1","id":"adding","name":"Adding",
		"variables":[{"name":"count","source":"input","schema":{"type":"integer","maximum":100},"required":true},
			{"name":"where","source":"computed","expression":"env.region","output":true},
			{"name":"total","source":"node","schema":{"type":"integer"},"output":true}],
		"nodes":[{"id":"start","type":"start"},{"id":"add","type":"task","plugin":"toy","action":"add","inputs":{"a":"${count}"},"outputs":{"total":"sum"}},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"add"},{"id":"e2","from":"add","to":"end"}]}`
	asking = `{"format":"culm.flow/v1","id":"asking","name":"Asking",
		"nodes":[{"id":"start","type":"start"},{"id":"ask","type":"task","plugin":"toy","action":"ask"},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"ask"},{"id":"e2","from":"ask","to":"end"}]}`
)

// simulator is a server that can simulate and has no runner: what would store a run
// panics. The flow adding is published, and its draft has another name since.
func simulator(t *testing.T) *Server {
	t.Helper()
	p := hosttest.Open(t)
	fs := p.Flows(nil)
	actor := engine.Actor{ID: hosttest.Actor}
	if _, err := fs.Create(t.Context(), flows.CreateRequest{Project: hosttest.Project, Actor: actor, Document: hosttest.Flow(t, adding)}); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: "adding", Revision: 1}); err != nil {
		t.Fatal(err)
	}
	draft := hosttest.Flow(t, strings.Replace(adding, `"id":"add"`, `"id":"draft"`, 1))
	draft.Edges[0].To, draft.Edges[1].From = "draft", "draft"
	if _, err := fs.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: "adding", Revision: 1, Document: draft}); err != nil {
		t.Fatal(err)
	}
	return bare(t, Options{Projects: p.Projects, Flows: fs, Plugins: p.Plugins, Runs: runs.New(runs.Options{
		Flows: fs, Projects: p.Projects, Catalogue: p.Plugins, Graphs: runs.NewGraphs(p.Plugins), Clock: p.Clock,
	})})
}

func TestSimulationsOverHTTP(t *testing.T) {
	t.Parallel()
	s := simulator(t)
	for name, c := range map[string]struct {
		path, body      string
		status          int
		contains, omits []string
	}{
		"the draft": {
			"adding", `{"script":{"format":"culm.script/v1","inputs":{"count":3},"nodes":{"draft":[{"after":"2m","succeed":{"sum":5}}]},"expect":{"outputs":{"total":6}}}}`, 200,
			[]string{`"state":"succeeded"`, `"elapsed_ms":120000`, `"total":5`, `"where":"east"`, `"node":"draft"`, `"unmet":[{"pointer":"/expect/outputs/total"`},
			[]string{`"records"`},
		},
		"a version, with records": {
			"adding", `{"version":1,"records":true,"script":{"format":"culm.script/v1","inputs":{"count":3},"env":{"region":"west"}}}`, 200,
			[]string{`"node":"add"`, `"version":1`, `"where":"west"`, `"kind":"run.started"`},
			nil,
		},
		"a document": {
			"asking", `{"document":` + asking + `,"script":{"format":"culm.script/v1","nodes":{"ask":[{"waits":[{"kind":"human"}]}]},
			"actions":[{"at":"1s","do":"callback","node":"ask","data":"yes"},{"at":"2h","do":"pause","refused":"RUN_ENDED"}]}}`, 200,
			[]string{`"state":"succeeded"`, `"refused":"RUN_ENDED"`, `"wait":"human"`},
			[]string{`"unmet"`},
		},
		"without a script": {"asking", `{"document":` + asking + `}`, 200, []string{`"state":"succeeded"`, `"parts":[]`}, []string{`null`}},
		"a limit": {
			"asking", `{"document":` + asking + `,"script":{"format":"culm.script/v1","nodes":{"ask":[{"after":"9999h"}]}}}`, 200,
			[]string{`"state":"running"`, `"stopped":{"code":"LIMIT_VIRTUAL_TIME"`},
			nil,
		},
		"no such flow":    {"nope", `{}`, 404, []string{`"NOT_FOUND"`}, nil},
		"no such version": {"adding", `{"version":7}`, 404, []string{`"NOT_FOUND"`}, nil},
		"a version and a document": {
			"adding", `{"version":1,"document":` + asking + `}`, 422, []string{`"field":"/version"`}, nil,
		},
		"a negative version": {"adding", `{"version":-1}`, 422, []string{`"field":"/version"`}, nil},
		"an unknown field":   {"adding", `{"script":{"nodez":{}}}`, 422, []string{`"field":"/script/nodez"`}, nil},
		"another format":     {"adding", `{"script":{"format":"culm.script/v9","inputs":{"count":1}}}`, 422, []string{`"field":"/script/format"`}, nil},
		"a script that does not fit": {
			"adding", `{"script":{"format":"culm.script/v1","inputs":{"count":3},"nodes":{"add":[{}],"draft":[{"succeed":{"sum":"x"}}]}}}`, 422,
			[]string{`"field":"/script/nodes/add"`, `"problems":[`, `"field":"/script/nodes/draft/0/succeed/sum"`, `"SCRIPT_OUTPUTS_INVALID"`},
			nil,
		},
		"a missing input": {"adding", `{"script":{"format":"culm.script/v1"}}`, 422, []string{`"field":"/script/inputs/count"`}, nil},
		"a wrong input":   {"adding", `{"script":{"format":"culm.script/v1","inputs":{"count":101}}}`, 422, []string{`"field":"/script/inputs/count"`}, nil},
		"a flow with problems": {
			"adding", `{"document":` + strings.Replace(asking, `"ask","inputs`, `"x","inputs`, 1)[:len(asking)-2] + `,{"id":"e2","from":"x","to":"end"}]}}`, 422, []string{`"problems":[`}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, prefix+"/projects/"+hosttest.Project+"/flows/"+c.path+"/simulate", strings.NewReader(c.body))
			r.Host = "127.0.0.1:8080"
			r.Header.Set("Content-Type", "application/json")
			resp, body := do(t, s, r)
			if resp.StatusCode != c.status {
				t.Fatalf("status %d: %s", resp.StatusCode, body)
			}
			for _, part := range c.contains {
				if !strings.Contains(body, part) {
					t.Errorf("no %s in %s", part, body)
				}
			}
			for _, part := range c.omits {
				if strings.Contains(body, part) {
					t.Errorf("%s in %s", part, body)
				}
			}
		})
	}
}
