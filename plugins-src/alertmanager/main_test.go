package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

const down = `{"matchers":[{"name":"alertname","operator":"=","value":"Down"},{"name":"instance","values":["a.b:9100","c|d"]}],"comment":"triage"}`

func TestCreateSilenceSendsWhatAlertmanagerExpects(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("alertmanager", "create_silence", 200, `{"silenceID":"6f1c"}`)
	pdktest.Waiting(t, b.Execute("create_silence", json.RawMessage(down)), contract.WaitTimer)
	// However late the node goes on, also after a crash, the request is the same.
	b.Now = b.Now.Add(time.Minute)
	out := pdktest.Succeeded[CreateOut](t, b.Fire())
	if out.SilenceID != "6f1c" || out.EndsAt.Sub(out.StartsAt) != time.Hour {
		t.Fatalf("outputs %+v: the default is one hour", out)
	}
	const want = `{"matchers":[` +
		`{"name":"alertname","value":"Down","isRegex":false,"isEqual":true},` +
		`{"name":"instance","value":"a\\.b:9100|c\\|d","isRegex":true,"isEqual":true}],` +
		`"startsAt":"2026-03-02T09:30:00Z","endsAt":"2026-03-02T10:30:00Z","createdBy":"local","comment":"triage"}`
	if got := string(b.Calls()[0].Body); got != want {
		t.Fatalf("body\n%s, want\n%s", got, want)
	}
}

func TestMatcherOperators(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]Matcher{
		`a="x"`:       {Name: "a", Value: "x"},
		`a!="x"`:      {Name: "a", Operator: "!=", Value: "x"},
		`a=~"x.*"`:    {Name: "a", Operator: "=~", Value: "x.*"},
		`a!~"x|y"`:    {Name: "a", Operator: "!=", Values: []string{"x", "y"}},
		`a!=""`:       {Name: "a", Operator: "!="},
		`a="q\"\\\n"`: {Name: "a", Value: "q\"\\\n"},
	} {
		w, err := m.wire("matchers.0")
		if err != nil || w.text() != want {
			t.Errorf("%+v is %s (%v), want %s", m, w.text(), err, want)
		}
	}
}

func TestCreateSilenceRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, field string }{
		"no value":           {`{"matchers":[{"name":"a"}],"comment":"c"}`, "matchers.0"},
		"value and values":   {`{"matchers":[{"name":"a","value":"x","values":["y"]}],"comment":"c"}`, "matchers.0"},
		"values as patterns": {`{"matchers":[{"name":"a","operator":"=~","values":["y"]}],"comment":"c"}`, "matchers.0"},
		"no duration":        {`{"matchers":[{"name":"a","value":"x"}],"comment":"c","duration":"0s"}`, "duration"},
		"no instant":         {`{"matchers":[{"name":"a","value":"x"}],"comment":"c","starts_at":"tomorrow"}`, "inputs"},
		"no comment":         {`{"matchers":[{"name":"a","value":"x"}]}`, "comment"},
		"no name":            {`{"matchers":[{"value":"x"}],"comment":"c"}`, "matchers.0.name"},
		"misspelt":           {`{"matchers":[{"name":"a","value":"x","regex":true}],"comment":"c"}`, "matchers.0.regex"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := pdktest.New(t, plugin)
			f := pdktest.Failed(t, b.Execute("create_silence", json.RawMessage(c.in)), pdk.CodeInput)
			if !strings.HasPrefix(f.Message, c.field+": ") {
				t.Fatalf("%q does not name %s", f.Message, c.field)
			}
			if len(b.Calls()) != 0 {
				t.Fatal("called Alertmanager all the same")
			}
		})
	}
}

func TestCreateSilenceRefusedByAlertmanager(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("alertmanager", "create_silence", 400, `"silence invalid: start time must be before end time"`)
	pdktest.Waiting(t, b.Execute("create_silence", json.RawMessage(down)), contract.WaitTimer)
	f := pdktest.Failed(t, b.Fire(), pdk.CodeStatus)
	if f.Origin != contract.OriginSystem || f.HTTPStatus != 400 || f.Retryable || !strings.Contains(f.Message, "start time") {
		t.Fatalf("failure %+v", f)
	}
}

func TestRollbackExpiresTheSilence(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("alertmanager", "create_silence", 200, `{"silenceID":"6f1c"}`)
	ans := b.Execute("create_silence", json.RawMessage(strings.Replace(down, "{", `{"starts_at":"2026-03-02T18:00:00+08:00",`, 1)))
	b.Reply("alertmanager", "get_silence", 200, `{"id":"6f1c","status":{"state":"active"}}`)
	b.Reply("alertmanager", "expire_silence", 200, "")
	pdktest.Succeeded[struct{}](t, b.Rollback(ans.Outputs))
	if body := string(b.Calls()[0].Body); !strings.Contains(body, `"startsAt":"2026-03-02T10:00:00Z"`) {
		t.Errorf("body %s", body)
	}
	if last := b.Calls()[2]; last.Operation != "expire_silence" || string(last.Params["id"]) != `"6f1c"` {
		t.Fatalf("last call %+v", last)
	}
}

const silences = `[
	{"id":"old","status":{"state":"expired"},"matchers":[],"startsAt":"2026-03-01T00:00:00Z","endsAt":"2026-03-01T01:00:00Z","createdBy":"a","comment":"x"},
	{"id":"short","status":{"state":"active"},"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2026-03-02T00:00:00Z","endsAt":"2026-03-02T10:00:00Z","createdBy":"a","comment":"x"},
	{"id":"long","status":{"state":"pending"},"matchers":[{"name":"a","value":"b","isRegex":true,"isEqual":false}],"startsAt":"2026-03-02T00:00:00Z","endsAt":"2026-03-03T00:00:00Z","createdBy":"a","comment":"x"}]`

func TestListSilencesLeavesExpiredOnesOut(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("alertmanager", "list_silences", 200, silences)
	out := pdktest.Succeeded[ListOut](t, b.Execute("list_silences", ListIn{Filter: []string{`a="b"`}}))
	if !slices.Equal(out.IDs, []string{"long", "short"}) || out.Count != 2 {
		t.Fatalf("ids %v", out.IDs)
	}
	if got := out.Silences[0].Matchers[0] + " " + out.Silences[1].Matchers[0]; got != `a!~"b" a="b"` {
		t.Errorf("matchers %s", got)
	}
	if got := string(b.Calls()[0].Params["filter"]); got != `["a=\"b\""]` {
		t.Errorf("filter %s", got)
	}
	b.Reply("alertmanager", "list_silences", 200, silences)
	all := pdktest.Succeeded[ListOut](t, b.Execute("list_silences", json.RawMessage(`{"states":["expired"]}`)))
	if !slices.Equal(all.IDs, []string{"old"}) {
		t.Fatalf("ids %v", all.IDs)
	}
}

func TestExpireSilence(t *testing.T) {
	t.Parallel()
	type reply struct {
		operation string
		status    int
		body      string
	}
	active, expired := reply{"get_silence", 200, `{"status":{"state":"active"}}`}, reply{"get_silence", 200, `{"status":{"state":"expired"}}`}
	for name, c := range map[string]struct {
		replies []reply
		already bool
		code    string
	}{
		"active":                          {[]reply{active, {"expire_silence", 200, ""}}, false, ""},
		"expired already":                 {[]reply{expired}, true, ""},
		"expired in between":              {[]reply{active, {"expire_silence", 500, `"already expired"`}, expired}, true, ""},
		"error and still there":           {[]reply{active, {"expire_silence", 500, `"boom"`}, active}, false, pdk.CodeStatus},
		"unknown":                         {[]reply{{"get_silence", 404, ""}}, false, "SILENCE_NOT_FOUND"},
		"gone when it is about to expire": {[]reply{active, {"expire_silence", 404, ""}, {"get_silence", 404, ""}}, false, pdk.CodeStatus},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := pdktest.New(t, plugin)
			for _, r := range c.replies {
				b.Reply("alertmanager", r.operation, r.status, r.body)
			}
			ans := b.Execute("expire_silence", ExpireIn{SilenceID: "6f1c"})
			if c.code != "" {
				pdktest.Failed(t, ans, c.code)
				return
			}
			if out := pdktest.Succeeded[ExpireOut](t, ans); out.Already != c.already {
				t.Fatalf("outputs %+v", out)
			}
		})
	}
}
