package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/wasm/wasmtest"
	"github.com/culmhq/culm/pdk/contract"
)

// choices is what the route of choices answers.
type choices struct {
	Choices []struct {
		Value    string
		Label    string
		Disabled bool
	}
	Failure *contract.Failure
}

// TestChoicesOfAFormComeThroughTheGateway asks for the hosts of a service as the canvas does.
func TestChoicesOfAFormComeThroughTheGateway(t *testing.T) {
	t.Parallel()
	s := start(t, true, "core", "demo")
	path := s.in("/plugins/demo/options")
	got := want[choices](s, 200, "POST", path, `{"action":"deploy_service","source":"hosts","form":{"service":"checkout","version":"${v}"}}`)
	if got.Failure != nil || len(got.Choices) == 0 || got.Choices[0].Value == "" || got.Choices[0].Label == got.Choices[0].Value {
		t.Fatalf("got %+v", got)
	}
	if got := want[choices](s, 200, "POST", path, `{"action":"deploy_service","source":"hosts","form":{}}`); got.Failure != nil || len(got.Choices) != 0 {
		t.Errorf("without the service: %+v", got)
	}
	got = want[choices](s, 200, "POST", path, `{"action":"deploy_service","source":"hosts","form":{"service":"${env.service}"}}`)
	if got.Failure == nil || got.Failure.Code != "NEEDS_RUNTIME" {
		t.Errorf("a service that is not known yet: %+v", got)
	}
	want[map[string]any](s, 422, "POST", path, `{"action":"deploy_service","source":"nope"}`)
	want[map[string]any](s, 404, "POST", s.in("/plugins/nope/options"), `{"action":"deploy_service","source":"hosts"}`)
	// An admin takes the grant away, and the next question is denied with the gateway's words.
	want[map[string]any](s, 200, "PUT", s.in("/plugins/demo/grants"), `{"grants":[]}`)
	got = want[choices](s, 200, "POST", path, `{"action":"deploy_service","source":"hosts","form":{"service":"checkout"}}`)
	if got.Failure == nil || got.Failure.Code != "DENIED" || got.Failure.Origin != contract.OriginGateway {
		t.Errorf("without the grant: %+v", got)
	}
	recorded := s.in("/plugins/demo/options/recordings")
	field := "?action=deploy_service&source=hosts"
	kept := want[struct{ Items []recordings.Meta }](s, 200, "GET", recorded+field, nil)
	if len(kept.Items) != 1 || kept.Items[0].Code != "DENIED" || kept.Items[0].Run != "" || kept.Items[0].Phase != "options" || kept.Items[0].Attempt != 1 {
		t.Fatalf("recorded %+v", kept)
	}
	view := want[recordings.View](s, 200, "GET", recorded+"/"+kept.Items[0].ID+field, nil)
	if view.Recording == nil || view.Recording.Export != contract.ExportOptions || !strings.Contains(string(view.Recording.Input), "checkout") {
		t.Errorf("recording %+v", view.Recording)
	}
	want[map[string]any](s, 404, "GET", recorded+"/"+kept.Items[0].ID+"?action=deploy_service&source=other", nil)
	want[map[string]any](s, 422, "GET", recorded+"?action=deploy_service", nil)
}

// installForeign packs a module of Extism's own tests with a side-car and installs it.
func (s *server) installForeign(id, file string, a contract.Action, needs ...contract.Need) {
	s.t.Helper()
	code, err := build.Pack(wasmtest.Extism(s.t, file), contract.Manifest{
		Format: contract.ManifestFormat, ID: id, Version: "1.0.0", Title: contract.T(id), Actions: []contract.Action{a}, Needs: needs,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.Plugins.Install(s.t.Context(), plugins.InstallRequest{Actor: engine.Actor{ID: "local"}, Code: code}); err != nil {
		s.t.Fatal(err)
	}
}

// TestForeignModulesAreNodesOfAFlow runs other people's modules as nodes: one that
// computes, one that does HTTP.
func TestForeignModulesAreNodesOfAFlow(t *testing.T) {
	t.Parallel()
	s := start(t, true, "core", "demo")
	text := json.RawMessage(`{"type":"object","required":["text"],"properties":{"text":{"type":"string"},"vowels":{"type":"string"}}}`)
	s.installForeign("vowels", "count_vowels.wasm", contract.Action{
		ID: "count", Title: contract.T("Count vowels"), Inputs: text,
		Outputs: json.RawMessage(`{"type":"object","required":["count"],"properties":{"count":{"type":"integer"},"total":{"type":"integer"},"vowels":{"type":"string"}}}`),
		Foreign: &contract.Foreign{
			Export: "count_vowels", Encoding: contract.Encoding{Input: contract.Codec{As: contract.CodecText, Field: "text"}},
			ConfigInputs: map[string]string{"vowels": "vowels"},
		},
	})
	demo := want[struct {
		BaseURL string `json:"base_url"`
	}](s, 200, "GET", s.in("/systems/demo"), nil)
	s.installForeign("fetch", "http_headers.wasm", contract.Action{
		ID: "get", Title: contract.T("Get"), Inputs: json.RawMessage(`{"type":"object","properties":{"url":{"type":"string"}}}`),
		Outputs: json.RawMessage(`{"type":"object"}`),
		Foreign: &contract.Foreign{Export: "http_get", Encoding: contract.Encoding{Output: contract.Codec{As: contract.CodecJSON, Field: "headers"}}},
	}, contract.Need{System: "demo", Operation: "list_hosts"})
	s.publish(`{"format":"culm.flow/v1","id":"vowels","name":"Vowels","variables":[{"name":"n","source":"node","schema":{"type":"integer"},"output":true}],
		"nodes":[{"id":"start","type":"start"},{"id":"count","type":"task","plugin":"vowels","action":"count","inputs":{"text":"hello world","vowels":"l"},"outputs":{"n":"count"}},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"count"},{"id":"e2","from":"count","to":"end"}]}`)
	run := s.run("vowels", nil)
	s.published.wait(t, run, "count succeeded", "run succeeded")
	detail := want[struct {
		Attempts []struct{ Outputs map[string]any }
	}](s, 200, "GET", s.in("/runs/%s/nodes/count", run), nil)
	if len(detail.Attempts) != 1 || detail.Attempts[0].Outputs["count"] != 3.0 || detail.Attempts[0].Outputs["vowels"] != "l" {
		t.Errorf("node %+v", detail)
	}
	fetch := func(id, url string) string {
		s.publish(fmt.Sprintf(`{"format":"culm.flow/v1","id":%q,"name":"Fetch",
			"nodes":[{"id":"start","type":"start"},{"id":"get","type":"task","plugin":"fetch","action":"get","inputs":{"url":%q}},{"id":"end","type":"end"}],
			"edges":[{"id":"e1","from":"start","to":"get"},{"id":"e2","from":"get","to":"end"}]}`, id, url))
		return s.run(id, nil)
	}
	hosts := demo.BaseURL + "/hosts?service=web"
	s.published.wait(t, fetch("ungranted", hosts), "get failed", "run blocked")
	want[map[string]any](s, 200, "PUT", s.in("/plugins/fetch/grants"), `{"grants":[{"system":"demo","operation":"list_hosts"}]}`)
	s.published.wait(t, fetch("granted", hosts), "get succeeded", "run succeeded")
	other := fetch("other", demo.BaseURL+"/health/web")
	s.published.wait(t, other, "get failed", "run blocked")
	denied := want[struct {
		Attempts []struct{ Failure *contract.Failure }
	}](s, 200, "GET", s.in("/runs/%s/nodes/get", other), nil)
	if len(denied.Attempts) != 1 || denied.Attempts[0].Failure == nil || denied.Attempts[0].Failure.Code != "DENIED" || denied.Attempts[0].Failure.Origin != contract.OriginGateway {
		t.Errorf("node %+v", denied)
	}
}

// TestAFaultyManifestIsRefusedWithItsPlace uploads a module whose form cannot be drawn:
// the refusal says where in the text that the author packed.
func TestAFaultyManifestIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	code, err := build.Pack(wasmtest.Extism(t, "hello.wasm"), contract.Manifest{
		Format: contract.ManifestFormat, ID: "hello", Version: "1.0.0", Title: contract.T("Hello"), Actions: []contract.Action{{
			ID: "hello", Title: contract.T("Hello"), Foreign: &contract.Foreign{Export: "run_test"},
			Inputs: json.RawMessage(`{"type":"object","properties":{"a":{"ui:widget":"text"}}}`), Outputs: json.RawMessage(`{"type":"object"}`),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for old, c := range map[string]struct{ new, field, says, code string }{
		`"ui:widget":"text"`: {`"ui:widget":"knob"`, "/manifest/actions/0/inputs/properties/a/ui:widget", "must be one of text", "FORM_ONE_OF"},
		`"ui:widget":`:       {`"ui:wigdet":`, "/manifest/actions/0/inputs/properties/a/ui:wigdet", "not part of the profile", "FORM_KEYWORD"},
		`"id":"hello"`:       {`"id":"Hello"`, "/manifest/id", "lower-case", "MANIFEST_ID"},
	} {
		_, err := s.Plugins.Install(t.Context(), plugins.InstallRequest{
			Actor: engine.Actor{ID: "local"}, Code: bytes.Replace(code, []byte(old), []byte(c.new), 1),
		})
		var f *fault.Error
		if !errors.As(err, &f) || f.Field != c.field || !strings.Contains(f.Message, c.says) || !strings.Contains(f.Message, "line 1, column ") {
			t.Errorf("%s: %v", c.new, err)
			continue
		}
		if p := f.Problems[0]; f.Reason != "MANIFEST_WRONG" || p.Code != c.code || p.Field != c.field || !strings.Contains(p.Message, c.says) {
			t.Errorf("%s: for translation: %s %+v", c.new, f.Reason, f.Problems)
		}
	}
}
