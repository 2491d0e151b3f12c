package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

const secretDocument = `
format: culm.system/v1
id: things
title: Things
base_url: BASE
auth: {type: none}
operations:
  - id: send
    title: Send
    method: POST
    path: /send/{id}
    retry: safe
    risk: write
    body: {type: object, properties: {key: {type: string, x-secret: true, pattern: "^c4n"}, list: {type: array, items: {type: string, x-secret: true}}, note: {type: string}}}
    parameters:
      - {name: id, in: path, required: true}
      - {name: token, in: header, wire: X-Token, secret: true}
      - {name: key, in: query, secret: true}
      - {name: plain, in: query}
      - {name: sign, in: header, wire: X-Sign, secret: true, compute: {function: hmac_sha256_base64, of: text}}
      - {name: text, in: compute}
`

// quoted is a text as the gateway writes it.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSpace(b.String())
}

// secretBench is a bench whose system takes secrets, and a caller that holds a handle.
func secretBench(t *testing.T) (*bench, gateway.Caller, string) {
	t.Helper()
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, `{"token":`+quoted(r.Header.Get("X-Token"))+`}`)
	}, setting{auth: "{type: none}"})
	doc, err := systems.Parse([]byte(strings.Replace(secretDocument, "BASE", b.up.URL, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if b.systems["things"], err = systems.Compile(doc); err != nil {
		t.Fatal(err)
	}
	b.grant(project, "tool", "things", "send")
	c := caller()
	ref, err := b.vault.PutRun(t.Context(), project, c.Run, "token", secrets.NewSecret(canary))
	if err != nil {
		t.Fatal(err)
	}
	handle := b.vault.Handle(secrets.Attempt{Project: project, Run: c.Run, Node: c.Node, Attempt: 1}, ref)
	c.Secrets = []gateway.SecretHandle{{Handle: handle, Ref: ref, Uses: []gateway.SecretUse{{System: "things", Operation: "send"}}}}
	return b, c, handle
}

func TestAHandleIsReplacedInMarkedPlacesOnly(t *testing.T) {
	t.Parallel()
	b, c, handle := secretBench(t)
	other := b.vault.Handle(secrets.Attempt{Project: project, Run: c.Run, Node: c.Node, Attempt: 2}, c.Secrets[0].Ref)
	escaped := strings.Replace(handle, "c", `\u0063`, 1)
	for name, x := range map[string]struct {
		params map[string]any
		body   string
	}{
		"another attempt's":  {map[string]any{"id": "1", "token": other}, ``},
		"a piece of a text":  {map[string]any{"id": "1", "token": "Bearer " + handle}, ``},
		"a list":             {map[string]any{"id": "1", "token": []string{handle}}, ``},
		"a path":             {map[string]any{"id": handle}, ``},
		"a plain parameter":  {map[string]any{"id": "1", "plain": handle}, ``},
		"a plain text":       {map[string]any{"id": "1"}, `{"note":"` + handle + `"}`},
		"an escaped handle":  {map[string]any{"id": "1"}, `{"note":"` + escaped + `"}`},
		"a name":             {map[string]any{"id": "1"}, `{"` + handle + `":1}`},
		"inside of a text":   {map[string]any{"id": "1"}, `{"key":"x` + handle + `"}`},
		"a value to compute": {map[string]any{"id": "1", "sign": "plain-text", "text": "x"}, ``},
		"a text to compute":  {map[string]any{"id": "1", "sign": handle, "text": handle}, ``},
	} {
		res := b.gateway.Open(c).Call(t.Context(), ask(t, "send", x.params, x.body))
		if res.Failure == nil || res.Failure.Code != gateway.CodeSecretRefused || strings.Contains(res.Failure.Message, handle) {
			t.Errorf("%s: %+v %s", name, res.Failure, res.Body)
		}
	}
	if got := b.up.all(); len(got) != 0 {
		t.Fatalf("the upstream received %+v", got)
	}
	res := b.gateway.Open(c).Call(t.Context(), ask(t, "send", map[string]any{"id": "1", "token": handle, "key": handle, "sign": handle, "text": "t"},
		`{"key":"`+handle+`","list":["a","`+escaped+`"]}`))
	if res.Failure != nil || string(res.Body) != `{"token":"***"}` {
		t.Fatalf("%+v %s", res.Failure, res.Body)
	}
	got := b.up.all()[0]
	if got.Header.Get("X-Token") != canary || !strings.Contains(got.URI, url.QueryEscape(canary)) || got.Body != `{"key":`+quoted(canary)+`,"list":["a",`+quoted(canary)+`]}` || got.Header.Get("X-Sign") == "" {
		t.Errorf("the upstream received %+v", got)
	}
}

// G19, G20: without the grant of the project nothing of a secret matters; one that was
// deleted is missed before anything is sent.
func TestASecretNeedsAGrantAndAValue(t *testing.T) {
	t.Parallel()
	b, c, handle := secretBench(t)
	c.Plugin = "stranger"
	refused(t, b, b.gateway.Open(c).Call(t.Context(), ask(t, "send", map[string]any{"id": "1", "token": handle}, ``)), gateway.CodeDenied, contract.OriginGateway)
	c.Plugin = "tool"
	if err := b.vault.DropRun(t.Context(), c.Run); err != nil {
		t.Fatal(err)
	}
	refused(t, b, b.gateway.Open(c).Call(t.Context(), ask(t, "send", map[string]any{"id": "1", "token": handle}, ``)), gateway.CodeSecretMissing, contract.OriginGateway)
}

// K05: a secret that breaks its schema is refused without its value.
func TestAWrongSecretIsNotShown(t *testing.T) {
	t.Parallel()
	b, c, _ := secretBench(t)
	ref, err := b.vault.PutRun(t.Context(), project, c.Run, "token", secrets.NewSecret("another-value"))
	if err != nil {
		t.Fatal(err)
	}
	c.Secrets[0].Ref = ref
	body, err := json.Marshal(map[string]string{"key": c.Secrets[0].Handle})
	if err != nil {
		t.Fatal(err)
	}
	res := b.gateway.Open(c).Call(t.Context(), ask(t, "send", map[string]any{"id": "1"}, string(body)))
	refused(t, b, res, gateway.CodeParamInvalid, contract.OriginFlow)
	if strings.Contains(res.Failure.Message, "another") {
		t.Errorf("%s", res.Failure.Message)
	}
}
