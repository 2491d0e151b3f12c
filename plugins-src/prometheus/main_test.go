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

func ask(t *testing.T, in QueryIn, status int, body string) (*pdktest.Bench, contract.Answer) {
	t.Helper()
	b := pdktest.New(t, plugin)
	b.Reply("prometheus", "query", status, body)
	return b, b.Execute("query", in)
}

func TestQueryVector(t *testing.T) {
	t.Parallel()
	b, ans := ask(t, QueryIn{Query: "up == 0"}, 200, `{"status":"success","data":{"resultType":"vector","result":[
		{"metric":{"__name__":"up","instance":"b:9100","job":"node"},"value":[1767225600.123,"0"]},
		{"metric":{"__name__":"up","instance":"a:9100","job":"node"},"value":[1767225600.123,"0"]},
		{"metric":{"__name__":"up","instance":"a:9100","job":"other"},"value":[1767225600.123,"0"]}]}}`)
	out := pdktest.Succeeded[QueryOut](t, ans)
	if out.Count != 3 || out.Type != "vector" || *out.Value != 0 {
		t.Fatalf("outputs %s", ans.Outputs)
	}
	if !slices.Equal(out.Instances, []string{"a:9100", "b:9100"}) {
		t.Errorf("instances %v, want them once and in order", out.Instances)
	}
	if want := time.Date(2026, 1, 1, 0, 0, 0, 123e6, time.UTC); !out.Samples[0].Time.Equal(want) {
		t.Errorf("time %s, want %s", out.Samples[0].Time, want)
	}
	if got := string(b.Calls()[0].Params["query"]); got != `"up == 0"` || len(b.Calls()[0].Params) != 1 {
		t.Errorf("parameters %v", b.Calls()[0].Params)
	}
}

func TestQueryWithoutResultSucceedsWithEmptyLists(t *testing.T) {
	t.Parallel()
	_, ans := ask(t, QueryIn{Query: "up == 7"}, 200, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
	pdktest.Succeeded[QueryOut](t, ans)
	if got := string(ans.Outputs); got != `{"type":"vector","count":0,"samples":[],"instances":[],"warnings":[]}` {
		t.Fatalf("outputs %s: a flow must find lists, not null", got)
	}
}

func TestQueryValuesThatAreNoNumbersOfJSON(t *testing.T) {
	t.Parallel()
	_, ans := ask(t, QueryIn{Query: "x"}, 200, `{"status":"success","data":{"resultType":"vector","result":[
		{"metric":{},"value":[1767225600,"NaN"]},{"metric":{},"value":[1767225600,"+Inf"]},
		{"metric":{},"value":[1767225600,"-Inf"]},{"metric":{},"value":[1767225600,"1.5e+300"]},
		{"metric":{},"histogram":[1767225600,{"count":"3","sum":"1"}]}]}}`)
	out := pdktest.Succeeded[QueryOut](t, ans)
	var texts []string
	for _, s := range out.Samples {
		texts = append(texts, s.Text)
		if (s.Value != nil) != (s.Text == "1.5e+300") {
			t.Errorf("%s has the value %v", s.Text, s.Value)
		}
	}
	if !slices.Equal(texts, []string{"NaN", "+Inf", "-Inf", "1.5e+300"}) || out.Value != nil {
		t.Fatalf("outputs %s", ans.Outputs)
	}
}

func TestQueryOtherResultTypes(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		result string
		texts  []string
	}{
		"scalar": {`[1767225600,"42"]`, []string{"42"}},
		"string": {`[1767225600,"7"]`, []string{"7"}},
		"matrix": {`[{"metric":{"a":"b"},"values":[[1,"1"],[2,"2"]]},{"metric":{},"values":[[1,"3"]]}]`, []string{"1", "2", "3"}},
	} {
		_, ans := ask(t, QueryIn{Query: "x"}, 200, `{"status":"success","data":{"resultType":"`+kind+`","result":`+c.result+`}}`)
		out := pdktest.Succeeded[QueryOut](t, ans)
		var texts []string
		for _, s := range out.Samples {
			texts = append(texts, s.Text)
		}
		if !slices.Equal(texts, c.texts) {
			t.Errorf("%s: samples %v, want %v", kind, texts, c.texts)
		}
		if (kind == "string") != (out.Value == nil) {
			t.Errorf("%s: value %v", kind, out.Value)
		}
	}
}

func TestQueryFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    int
		body      string
		code      string
		retryable bool
		says      string
	}{
		"bad query":          {400, `{"status":"error","errorType":"bad_data","error":"1:4: parse error"}`, "PROMETHEUS_BAD_DATA", false, "parse error"},
		"too slow":           {503, `{"status":"error","errorType":"timeout","error":"query timed out"}`, "PROMETHEUS_TIMEOUT", true, "timed out"},
		"execution":          {422, `{"status":"error","errorType":"execution","error":"many-to-many"}`, "PROMETHEUS_EXECUTION", false, "many-to-many"},
		"error under 200":    {200, `{"status":"error","errorType":"internal","error":"boom"}`, "PROMETHEUS_INTERNAL", true, "boom"},
		"a proxy in between": {502, `<html>Bad Gateway</html>`, pdk.CodeStatus, true, "502"},
		"not Prometheus":     {200, `<html>hello</html>`, pdk.CodeAnswer, false, "not JSON"},
		"unknown type":       {200, `{"status":"success","data":{"resultType":"cube","result":[]}}`, pdk.CodeAnswer, false, "cube"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ans := ask(t, QueryIn{Query: "x"}, c.status, c.body)
			f := pdktest.Failed(t, ans, c.code)
			if f.Retryable != c.retryable || !strings.Contains(f.Message, c.says) {
				t.Fatalf("failure %+v", f)
			}
		})
	}
}

func TestQueryPassesAFailureOfTheGatewayThrough(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Refuse("prometheus", "query", contract.Failure{Code: "DENIED", Message: "no grant", Origin: contract.OriginGateway})
	f := pdktest.Failed(t, b.Execute("query", QueryIn{Query: "up"}), "DENIED")
	if f.Origin != contract.OriginGateway || f.System != "prometheus" || f.Operation != "query" {
		t.Fatalf("failure %+v", f)
	}
}

func TestQuerySendsWhatIsSetAndLogsWarnings(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 8, 0, 0, 0, time.FixedZone("", 8*3600))
	b, ans := ask(t, QueryIn{Query: "x", Time: &at, Timeout: pdk.Duration(90 * time.Second), Limit: 5}, 200,
		`{"status":"success","warnings":["partial"],"data":{"resultType":"vector","result":[]}}`)
	if out := pdktest.Succeeded[QueryOut](t, ans); !slices.Equal(out.Warnings, []string{"partial"}) {
		t.Fatalf("warnings %v", out.Warnings)
	}
	got, err := json.Marshal(b.Calls()[0].Params)
	if err != nil || string(got) != `{"limit":5,"query":"x","time":"2026-01-01T00:00:00Z","timeout":"90000ms"}` {
		t.Fatalf("parameters %s (%v)", got, err)
	}
	if l := b.Lines(); len(l) != 2 || l[0].Level != contract.LevelWarn || !strings.Contains(l[0].Text, "partial") {
		t.Fatalf("log %v", l)
	}
}
