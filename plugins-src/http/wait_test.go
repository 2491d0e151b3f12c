package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

func TestACallWaitsForItsCallback(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Context.CallbackURL = "https://culm.example.com/callbacks/" + contract.CallbackToken
	b.Reply("jobs", "start", 202, `{"id":7}`)
	ans := b.Execute("call_and_wait", json.RawMessage(`{"system":"jobs","operation":"start","params":{"on":"done {callback_url}"},"body":{"hook":"{callback_url}?x=1"}}`))
	if ans.Status != contract.StatusWaiting || ans.Wait.Kind != contract.WaitCallback {
		t.Fatalf("answered %+v", ans)
	}
	sent := b.Calls()[0]
	if !strings.Contains(string(sent.Body), `"https://culm.example.com/callbacks/`+contract.CallbackToken+`?x=1"`) || !strings.Contains(string(sent.Params["on"]), contract.CallbackToken) {
		t.Errorf("sent %s %s", sent.Params, sent.Body)
	}
	out := pdktest.Succeeded[WaitOut](t, b.CallBack(json.RawMessage(`{"ok":true}`)))
	if string(out.Callback) != `{"ok":true}` {
		t.Errorf("got %s", out.Callback)
	}
}

func TestACallThatCannotBeCalledBackIsNotMade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ url, in, code string }{
		"no place for the URL":   {"https://culm.example.com/callbacks/x", `{"system":"jobs","operation":"start","body":{}}`, pdk.CodeInput},
		"no callbacks are taken": {"", `{"system":"jobs","operation":"start","body":"{callback_url}"}`, "CALLBACKS_OFF"},
	} {
		b := pdktest.New(t, plugin)
		b.Context.CallbackURL = c.url
		ans := b.Execute("call_and_wait", json.RawMessage(c.in))
		if ans.Failure == nil || ans.Failure.Code != c.code || len(b.Calls()) != 0 {
			t.Errorf("%s: %+v", name, ans)
		}
	}
}
