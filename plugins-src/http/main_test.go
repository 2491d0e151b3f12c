package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

func TestCallPassesParametersAndBodyThrough(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("cmdb", "search", 200, `{"code":0,"data":[9007199254740993]}`)
	ans := b.Execute("call", json.RawMessage(`{"system":"cmdb","operation":"search","params":{"biz":2,"tags":["a","b"]},"body":{"page":{"start":0}}}`))
	out := pdktest.Succeeded[CallOut](t, ans)
	if out.Status != 200 || string(out.Body) != `{"code":0,"data":[9007199254740993]}` || out.Text != "" {
		t.Fatalf("outputs %s", ans.Outputs)
	}
	got, err := json.Marshal(b.Calls()[0])
	if err != nil || string(got) != `{"system":"cmdb","operation":"search","params":{"biz":2,"tags":["a","b"]},"body":{"page":{"start":0}}}` {
		t.Fatalf("request %s (%v)", got, err)
	}
}

func TestCallSuccessCondition(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    int
		body      string
		success   string
		code      string
		retryable bool
	}{
		"no condition, 2xx":             {204, ``, ``, "", false},
		"no condition, 4xx":             {404, `{}`, ``, pdk.CodeStatus, false},
		"no condition, 5xx":             {503, `{}`, ``, pdk.CodeStatus, true},
		"an envelope that says yes":     {200, `{"result":true,"code":0}`, `status == 200 && body.result`, "", false},
		"an envelope that says no":      {200, `{"result":false,"message":"no such biz"}`, `body.result`, "CONDITION_FAILED", false},
		"a status that is wanted":       {404, `{}`, `status == 404`, "", false},
		"overloaded":                    {503, `{}`, `status == 200`, "CONDITION_FAILED", true},
		"text":                          {200, `OK 5`, `text.startsWith("OK")`, "", false},
		"numbers compare as numbers":    {200, `{"n":3.0}`, `body.n > 2 && body.n < 3.5`, "", false},
		"a field that is not there":     {200, `{}`, `body.result`, pdk.CodeInput, false},
		"has":                           {200, `{}`, `!has(body.error)`, "", false},
		"a condition that is not one":   {200, `{}`, `status`, pdk.CodeInput, false},
		"a condition that is no CEL":    {200, `{}`, `status ==`, pdk.CodeInput, false},
		"a name that does not exist":    {200, `{}`, `statsu == 200`, pdk.CodeInput, false},
		"headers exist without headers": {200, `{}`, `!("etag" in headers)`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := pdktest.New(t, plugin)
			b.Reply("cmdb", "search", c.status, c.body)
			ans := b.Execute("call", CallIn{System: "cmdb", Operation: "search", Success: c.success})
			if c.code == "" {
				pdktest.Succeeded[CallOut](t, ans)
				return
			}
			f := pdktest.Failed(t, ans, c.code)
			if f.Retryable != c.retryable {
				t.Errorf("retryable is %v", f.Retryable)
			}
			if c.code == pdk.CodeInput && !strings.HasPrefix(f.Message, "success: ") {
				t.Errorf("%q does not name the input", f.Message)
			}
			if out := pdktest.Outputs[CallOut](t, ans); out.Status != c.status {
				t.Errorf("outputs %s: what came back is lost", ans.Outputs)
			}
		})
	}
}

// A rule of the system says that a 200 is no success: what it answered is kept, and the
// condition of the node has no say any more.
func TestCallKeepsWhatTheRuleOfTheSystemRefuses(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.ReplyRefused("cmdb", "search", 200, `{"code":1101,"message":"no such biz"}`, "no such biz")
	ans := b.Execute("call", CallIn{System: "cmdb", Operation: "search", Success: "true"})
	if f := pdktest.Failed(t, ans, pdktest.CodeRefused); f.Origin != contract.OriginSystem || f.System != "cmdb" || f.HTTPStatus != 200 {
		t.Errorf("failure %+v", f)
	}
	if out := pdktest.Outputs[CallOut](t, ans); out.Status != 200 || string(out.Body) != `{"code":1101,"message":"no such biz"}` {
		t.Errorf("outputs %s: what came back is lost", ans.Outputs)
	}
}

func TestCallRefusedByTheGateway(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Refuse("cmdb", "search", contract.Failure{Code: "DENIED", Message: "no grant", Origin: contract.OriginGateway})
	ans := b.Execute("call", CallIn{System: "cmdb", Operation: "search", Success: "true"})
	if f := pdktest.Failed(t, ans, "DENIED"); f.Origin != contract.OriginGateway || f.System != "cmdb" {
		t.Fatalf("failure %+v", f)
	}
	if len(ans.Outputs) != 0 {
		t.Fatalf("outputs %s of a call that was not made", ans.Outputs)
	}
}
