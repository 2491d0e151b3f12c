package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// pathPayloads try to leave their segment.
func pathPayloads() []string {
	return []string{
		"", ".", "..", "...", "../../admin", "../", "/", "//", "a/b", "/etc/passwd", `\`, `..\..\admin`, `a\b`,
		"%2e", "%2e%2e", "%2e%2e%2f", "%2E%2E%2F", "%252e", "%252e%252e%252f", "%2f", "%5c", "%00", "a%00b", "%", "%zz", "%u002e",
		"..;", "..;x=/", ";", "a;b=c", "?", "a?x=1", "#", "a#b", "a\x00b", "\x00", "a\r\nHost: evil", "\r", "\n", "a\tb", "\x7f", "\u0085",
		"\u2024\u2024", "\uff0e\uff0e", "\uff0e\uff0e\uff0f", "a\uff0fb", "a\u2215b", "a\u2044b", "a\uff3cb", "\uff05\uff12\uff45", "a\u2028b", "\u202e", "\ufeff", "a\u200bb",
		"\xc0\xae\xc0\xae", "\xff", "\ufffd", " ", " a", "a ", "\u00a0", strings.Repeat("a", 1025),
	}
}

func TestPathParametersStayInTheirSegment(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	payloads := pathPayloads()
	if len(payloads) < 40 {
		t.Fatalf("only %d payloads", len(payloads))
	}
	for _, v := range payloads {
		for _, params := range []map[string]any{{"x": v, "y": "ok"}, {"x": "ok", "y": v}} {
			res := b.call("nested", params, "")
			if res.Failure == nil || res.Failure.Code != gateway.CodeParamInvalid || res.Failure.Origin != contract.OriginFlow {
				t.Errorf("%q: got %+v", v, res)
			} else if len(v) > 3 && strings.Contains(res.Failure.Message, v) {
				t.Errorf("%q: the failure repeats the value", v)
			}
		}
	}
	for _, v := range []any{nil, []string{"a"}, []string{"a", "b"}, []string{}, map[string]any{"a": "b"}, 5, true} {
		if res := b.call("read", map[string]any{"id": v}, ""); res.Failure == nil {
			t.Errorf("%v is accepted", v)
		}
	}
	if got := b.up.all(); len(got) != 0 {
		t.Fatalf("the upstream received %+v", got)
	}
}

func TestPathParametersArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	var seen string
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.URL.Path
		writeJSON(w, `{}`)
	}, setting{})
	for _, v := range []string{"a", "a b", "主机-01", "a.b", "..a", "a..b", "é", "a+b", "a&b=c", "a:b@c", "~!$'()*,", "{x}", "\"<>|^`", "10.0.0.1:9100"} {
		res := b.call("nested", map[string]any{"x": v, "y": "1"}, "")
		if res.Status != http.StatusOK || seen != "/a/"+v+"/b/1/c" {
			t.Errorf("%q: got %+v, the upstream saw %q", v, res, seen)
		}
	}
}

func TestQueryParametersAreData(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	res := b.call("search", map[string]any{
		"q": "a&admin=1#x", "n": 12345678901234567, "on": true, "tag": []string{"x", "y=z"}, "ids": []string{"1", "2"}, "X-Trace": "t-1",
	}, "")
	if res.Status != http.StatusOK || string(res.Body) != `{"ok":true}` {
		t.Fatalf("got %+v", res)
	}
	got := b.up.all()[0]
	u, err := url.ParseRequestURI(got.URI)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("q") != "a&admin=1#x" || q.Has("admin") || q.Get("n") != "12345678901234567" || q.Get("on") != "true" ||
		strings.Join(q["tag[]"], "|") != "x|y=z" || q.Get("ids") != "1,2" || len(q) != 5 {
		t.Fatalf("the upstream received %s", got.URI)
	}
	if got.Header.Get("X-Trace") != "t-1" || got.Header.Get("Authorization") != "Bearer "+canary {
		t.Fatalf("the upstream received the headers %v", got.Header)
	}
}

func TestParametersAreCheckedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	for name, c := range map[string]struct {
		op     string
		params map[string]any
		body   string
		says   string
	}{
		"undeclared":          {"search", map[string]any{"url": "http://evil"}, "", "not declared"},
		"a header by name":    {"search", map[string]any{"Authorization": "x"}, "", "not declared"},
		"method override":     {"search", map[string]any{"_method": "DELETE"}, "", "not declared"},
		"missing":             {"read", nil, "", "is missing"},
		"wrong type":          {"search", map[string]any{"n": "5"}, "", "must be of type integer"},
		"fraction":            {"search", map[string]any{"n": 1.5}, "", "must be of type integer"},
		"object":              {"search", map[string]any{"q": map[string]any{"a": 1}}, "", "must be of type string"},
		"comma in a list":     {"search", map[string]any{"ids": []string{"a,b", "c"}}, "", "comma"},
		"header break":        {"search", map[string]any{"X-Trace": "a\r\nAuthorization: b"}, "", "printable ASCII"},
		"header bare return":  {"search", map[string]any{"X-Trace": "a\rb"}, "", "printable ASCII"},
		"header NUL":          {"search", map[string]any{"X-Trace": "a\x00"}, "", "printable ASCII"},
		"header not ASCII":    {"search", map[string]any{"X-Trace": "é"}, "", "printable ASCII"},
		"header space":        {"search", map[string]any{"X-Trace": " a"}, "", "printable ASCII"},
		"body not declared":   {"search", nil, `{}`, "not declared"},
		"body missing":        {"create", nil, "", "is missing"},
		"body null":           {"create", nil, "null", "is missing"},
		"body extra field":    {"create", nil, `{"name":"a","is_admin":true}`, "additionalProperties"},
		"body lacks a field":  {"create", nil, `{}`, "lacks name"},
		"body not JSON":       {"create", nil, `{"name":`, "one JSON value"},
		"body twice":          {"create", nil, `{"name":"a"}{"name":"b"}`, "one JSON value"},
		"value in a message?": {"create", nil, `{"name":"` + strings.Repeat("hunter2", 20) + `"}`, "maxLength"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := b.call(c.op, c.params, c.body)
			refused(t, b, res, gateway.CodeParamInvalid, contract.OriginFlow)
			if !strings.Contains(res.Failure.Message, c.says) || strings.Contains(res.Failure.Message, "hunter2") {
				t.Fatalf("got %q, want it to say %q", res.Failure.Message, c.says)
			}
			// Clients say it in their language by what the detail holds; that names no value either.
			var detail struct {
				Parameter, Code string
				Body            bool
			}
			err := json.Unmarshal(res.Failure.Detail, &detail)
			if err != nil || detail.Code == "" || detail.Body == (detail.Parameter != "") || strings.Contains(string(res.Failure.Detail), "hunter2") {
				t.Errorf("detail %s, %v", res.Failure.Detail, err)
			}
		})
	}
}

func TestBodyThatIsSentIsTheOneThatWasChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	if res := b.call("create", nil, " {\"name\" : \"first\",\n \"name\":\"<second>\"}"); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
	got := b.up.all()[0]
	if got.Body != `{"name":"<second>"}` || got.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("the upstream received %q", got.Body)
	}
	if res := b.call("replace", map[string]any{"id": "1"}, `{"n":12345678901234567890.10}`); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
	if got := b.up.all()[1].Body; got != `{"n":12345678901234567890.10}` {
		t.Fatalf("the upstream received %q: a number lost digits", got)
	}
}

func TestRequestLimits(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{limits: "{request_bytes: 100}"})
	refused(t, b, b.call("replace", map[string]any{"id": "1"}, `{"a":"`+strings.Repeat("x", 100)+`"}`), gateway.CodeRequestLimit, contract.OriginLimit)
	refused(t, b, b.call("search", map[string]any{"q": strings.Repeat("x", 40000)}, ""), gateway.CodeRequestLimit, contract.OriginLimit)
}

func TestCallsOfOnePluginCallAreCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	s := b.gateway.Open(caller())
	for i := range gateway.DefaultCallsPerSession {
		if res := s.Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, "")); res.Status != http.StatusOK {
			t.Fatalf("call %d: %+v", i+1, res)
		}
	}
	for range 3 {
		fails(t, s.Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, "")), gateway.CodeHostcallLimit, contract.OriginLimit)
	}
	if n := len(b.up.all()); n != gateway.DefaultCallsPerSession {
		t.Fatalf("the upstream received %d calls", n)
	}
}
