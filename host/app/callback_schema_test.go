package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/api"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/pdk/contract"
)

const pickyFlow = `{"format":"culm.flow/v1","id":"picky","name":"Picky",
	"nodes":[{"id":"start","type":"start"},
		{"id":"job","type":"task","plugin":"picky","action":"wait"},
		{"id":"end","type":"end"}],
	"edges":[{"id":"e1","from":"start","to":"job"},{"id":"e2","from":"job","to":"end"}]}`

// C07 in a whole server: a plugin says what a callback must look like. One that does not is
// refused with the place and the rule, leaves the token and the wait as they were, and is no
// effect of the run; the right one ends the wait.
func TestACallbackAgainstItsSchemaIsRefusedAndTheNextOneCounts(t *testing.T) {
	t.Parallel()
	s, j, _ := jobServer(t, false)
	code, err := os.ReadFile(filepath.Join("testdata", "schema-callback.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	object := json.RawMessage(`{"type":"object"}`)
	module, err := build.Pack(code, contract.Manifest{
		Format: contract.ManifestFormat, ID: "picky", Version: "1.0.0", Title: contract.T("Picky"),
		Actions: []contract.Action{{ID: "wait", Title: contract.T("Wait"), Inputs: object, Outputs: object, Waits: []contract.WaitKind{contract.WaitCallback}}},
		Needs:   []contract.Need{{System: "jobs", Operation: "start"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.upload(module, "", http.StatusCreated)
	want[map[string]any](s, 200, "PUT", s.in("/plugins/picky/grants"), `{"grants":[{"system":"jobs","operation":"start"}]}`)
	s.publish(pickyFlow)
	run := s.run("picky", nil)
	hook := s.URL() + api.CallbackPath + <-j.hooks
	s.published.wait(t, run, "job waiting")
	records := s.in("/runs/%s/records", run)
	_, _, before := s.do("GET", records, nil, nil)
	for body, says := range map[string][2]string{
		`{"n":"x"}`: {`"field":"/data/n"`, `"reason":"SCHEMA_TYPE"`},
		`{"n":1.5}`: {`"field":"/data/n"`, `"reason":"SCHEMA_TYPE"`},
		`{}`:        {`"field":"/data/n"`, `"reason":"SCHEMA_REQUIRED"`},
		`[]`:        {`"field":"/data"`, `"reason":"SCHEMA_TYPE"`},
	} {
		status, text := callBack(t, hook, body)
		if status != http.StatusUnprocessableEntity || !strings.Contains(text, says[0]) || !strings.Contains(text, says[1]) {
			t.Errorf("%q: %d %s", body, status, text)
		}
	}
	if status, _, after := s.do("GET", records, nil, nil); status != http.StatusOK || after != before {
		t.Errorf("a callback that was refused left a record: %d %s", status, after)
	}
	if status, text := callBack(t, hook, `{"n":1}`); status != http.StatusAccepted || text != `{"accepted":true}` {
		t.Fatalf("the right one: %d %s", status, text)
	}
	s.published.wait(t, run, "job succeeded", "run succeeded")
}
