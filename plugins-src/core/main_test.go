package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

func TestWaitForSleepsOnceAndReportsBothTimes(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	began := b.Now
	w := pdktest.Waiting(t, b.Execute("wait_for", json.RawMessage(`{"duration":"1h30m"}`)), contract.WaitTimer)
	if got := time.Duration(w.AfterMS) * time.Millisecond; got != 90*time.Minute {
		t.Fatalf("waits %s, want 1h30m", got)
	}
	b.Now = began.Add(90 * time.Minute)
	out := pdktest.Succeeded[WaitForOut](t, b.Fire())
	if !out.StartedAt.Equal(began) || !out.EndedAt.Equal(b.Now) {
		t.Fatalf("outputs %+v", out)
	}
}

func TestWaitForZeroGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	pdktest.Succeeded[WaitForOut](t, b.Execute("wait_for", json.RawMessage(`{"duration":"0s"}`)))
}

func TestWaitForRefusesWhatIsNoDuration(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	for _, in := range []string{`{"duration":"soon"}`, `{"duration":"-5s"}`, `{"duration":90}`, `{}`, `{"duration":"5s","extra":1}`} {
		f := pdktest.Failed(t, b.Execute("wait_for", json.RawMessage(in)), pdk.CodeInput)
		if f.Origin != contract.OriginFlow {
			t.Errorf("%s: origin %s, want flow", in, f.Origin)
		}
		if b.Validate("wait_for", json.RawMessage(in)) == nil {
			t.Errorf("%s: the schema lets it through", in)
		}
	}
}

func TestWaitUntilFindsTheInstant(t *testing.T) {
	t.Parallel()
	// 2026-03-02 09:30 in UTC.
	for name, c := range map[string]struct{ at, zone, want string }{
		"instant":                       {"2026-03-02T12:00:00Z", "", "2026-03-02T12:00:00Z"},
		"instant with offset":           {"2026-03-02T20:00:00+08:00", "America/New_York", "2026-03-02T12:00:00Z"},
		"local in the project's zone":   {"2026-03-03 09:00", "", "2026-03-03T01:00:00Z"},
		"local in another zone":         {"2026-03-03T09:00", "Europe/Berlin", "2026-03-03T08:00:00Z"},
		"time of day, later today":      {"18:00", "", "2026-03-02T10:00:00Z"},
		"time of day, tomorrow":         {"17:30", "", "2026-03-03T09:30:00Z"},
		"with seconds":                  {"17:30:01", "", "2026-03-02T09:30:01Z"},
		"skipped in spring moves on":    {"2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:30:00Z"},
		"before the skip":               {"2026-03-29 01:59", "Europe/Berlin", "2026-03-29T00:59:00Z"},
		"after the skip":                {"2026-03-29 03:00", "Europe/Berlin", "2026-03-29T01:00:00Z"},
		"shown twice takes the first":   {"2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"},
		"after what is shown twice":     {"2026-10-25 03:00", "Europe/Berlin", "2026-10-25T02:00:00Z"},
		"skipped west of Greenwich":     {"2026-03-08 02:30", "America/New_York", "2026-03-08T07:30:00Z"},
		"shown twice west of Greenwich": {"2026-11-01 01:30", "America/New_York", "2026-11-01T05:30:00Z"},
		"half an hour of change":        {"2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := pdktest.New(t, plugin)
			b.Context.Zone = "Asia/Shanghai"
			w := pdktest.Waiting(t, b.Execute("wait_until", WaitUntilIn{At: c.at, Zone: c.zone}), contract.WaitTimer)
			if got := w.At.Format(time.RFC3339); got != c.want {
				t.Fatalf("waits until %s, want %s", got, c.want)
			}
			out := pdktest.Succeeded[WaitUntilOut](t, b.Fire())
			if out.Passed || !out.At.Equal(*w.At) {
				t.Fatalf("outputs %+v", out)
			}
		})
	}
}

func TestWaitUntilAMomentThatHasPassed(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	in := WaitUntilIn{At: "2026-03-02 09:30", Zone: "UTC"}
	if out := pdktest.Succeeded[WaitUntilOut](t, b.Execute("wait_until", in)); !out.Passed {
		t.Fatalf("outputs %+v, want passed", out)
	}
	in.Past = "fail"
	pdktest.Failed(t, b.Execute("wait_until", in), "MOMENT_PASSED")
}

func TestWaitUntilRefusesUnknownZonesAndTexts(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	for field, in := range map[string]WaitUntilIn{
		"zone": {At: "09:00", Zone: "Mars/Olympus"},
		"at":   {At: "tomorrow"},
	} {
		f := pdktest.Failed(t, b.Execute("wait_until", in), pdk.CodeInput)
		if !strings.HasPrefix(f.Message, field+": ") {
			t.Errorf("%q does not name the field %s", f.Message, field)
		}
	}
	f := pdktest.Failed(t, b.Execute("wait_until", WaitUntilIn{At: "09:00", Zone: "Local"}), pdk.CodeInput)
	if !strings.Contains(f.Message, "Local") {
		t.Errorf("the zone of the server is no zone of a flow: %s", f.Message)
	}
}

func TestConfirmApproved(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	ans := b.Execute("confirm", json.RawMessage(`{"prompt":"Go on with web-1?","form":{"type":"object","properties":{"ticket":{"type":"string"}}}}`))
	w := pdktest.Waiting(t, ans, contract.WaitHuman)
	if w.Prompt.In("zh") != "Go on with web-1?" {
		t.Fatalf("prompt %+v", w.Prompt)
	}
	var schema struct {
		Required   []string
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(w.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if len(schema.Required) != 2 || !strings.Contains(string(schema.Properties["answers"]), "ticket") {
		t.Fatalf("schema %s", w.Schema)
	}
	out := pdktest.Succeeded[ConfirmOut](t, b.CallBack(json.RawMessage(`{"approved":true,"comment":"ok","answers":{"ticket":"T-1"}}`)))
	if !out.Approved || out.Comment != "ok" || out.Answers["ticket"] != "T-1" {
		t.Fatalf("outputs %+v", out)
	}
}

func TestConfirmRefused(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	pdktest.Waiting(t, b.Execute("confirm", ConfirmIn{Prompt: "Go on?"}), contract.WaitHuman)
	ans := b.CallBack(json.RawMessage(`{"approved":false,"comment":"not today"}`))
	f := pdktest.Failed(t, ans, "REJECTED")
	if !strings.Contains(f.Message, "not today") || f.Retryable {
		t.Fatalf("failure %+v", f)
	}
	if out := pdktest.Outputs[ConfirmOut](t, ans); out.Comment != "not today" {
		t.Fatalf("the remark is lost: %s", ans.Outputs)
	}
}

func TestConfirmRefusesAFormThatIsNoObject(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	pdktest.Failed(t, b.Execute("confirm", json.RawMessage(`{"prompt":"?","form":{"type":"string"}}`)), pdk.CodeInput)
}

func TestSetVariablesKeepsTypes(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	ans := b.Execute("set_variables", json.RawMessage(`{"values":{"hosts":["a","b"],"n":9007199254740993,"ok":true}}`))
	pdktest.Succeeded[SetVariablesOut](t, ans)
	if got := string(ans.Outputs); got != `{"hosts":["a","b"],"n":9007199254740993,"ok":true}` {
		t.Fatalf("outputs %s", got)
	}
	for _, name := range []string{"", "A", "1a", "a-b", "_a", strings.Repeat("a", 65)} {
		pdktest.Failed(t, b.Execute("set_variables", SetVariablesIn{Values: map[string]json.RawMessage{name: json.RawMessage("1")}}), pdk.CodeInput)
	}
}

func TestAssert(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	pdktest.Succeeded[AssertOut](t, b.Execute("assert", AssertIn{Condition: true, Message: "x"}))
	if f := pdktest.Failed(t, b.Execute("assert", AssertIn{Message: "100% full"}), "ASSERTION_FAILED"); f.Message != "100% full" {
		t.Fatalf("message %q", f.Message)
	}
	pdktest.Failed(t, b.Execute("assert", AssertIn{}), "ASSERTION_FAILED")
}
