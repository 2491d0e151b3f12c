package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// fetch makes the call that a module makes with Extism's http_request.
func (b *bench) fetch(method, url string, headers map[string]string, body string) contract.GatewayResponse {
	return b.gateway.Open(caller()).Call(b.t.Context(), contract.GatewayRequest{HTTP: &contract.HTTPRequest{
		Method: method, URL: url, Headers: headers, Body: []byte(body),
	}})
}

func TestAURLThatIsAGrantedOperationIsCalledAsOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path string
		headers      map[string]string
		body         string
		want         string
		operation    string
	}{
		"a path parameter": {"GET", "/things/a%20b", nil, "", "GET /things/a%20b ", "read"},
		"typed query": {
			"get", "/things?q=1&n=2&on=true&tag%5B%5D=x&tag%5B%5D=7&ids=a,b",
			map[string]string{"x-trace": "t", "Accept": "*/*", "User-Agent": "reqwest"},
			"",
			"GET /things?ids=a%2Cb&n=2&on=true&q=1&tag%5B%5D=x&tag%5B%5D=7 ", "search",
		},
		"one tag":         {"GET", "/things?tag[]=x", nil, "", "GET /things?tag%5B%5D=x ", "search"},
		"two parameters":  {"GET", "/a/1/b/2/c", nil, "", "GET /a/1/b/2/c ", "nested"},
		"a body":          {"POST", "/things", map[string]string{"Content-Type": "application/json"}, ` {"name": "n"} `, `POST /things {"name":"n"}`, "create"},
		"without a query": {"GET", "/things?", nil, "", "GET /things ", "search"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, setting{})
			res := b.fetch(c.method, b.up.URL+c.path, c.headers, c.body)
			if res.Failure != nil || res.Status != http.StatusOK {
				t.Fatalf("got %+v", res)
			}
			got := b.up.all()
			if len(got) != 1 || got[0].Method+" "+got[0].URI+" "+got[0].Body != c.want {
				t.Fatalf("the system got %+v, want %s", got, c.want)
			}
			if got[0].Header.Get("Authorization") == "" || got[0].Header.Get("User-Agent") != "culm" {
				t.Errorf("headers %v", got[0].Header)
			}
			rows, err := b.store.Audit().Rows(t.Context(), project, "run-1", "n1")
			if err != nil || len(rows) != 1 || rows[0].System != "things" || rows[0].Operation != c.operation {
				t.Errorf("the audit holds %+v, %v", rows, err)
			}
		})
	}
}

func TestAURLThatIsNoGrantedOperationGoesNowhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{noGrant: true})
	for _, op := range []string{"read", "search", "create"} {
		b.grant(project, "tool", "things", op)
	}
	host := strings.TrimPrefix(b.up.URL, "http://")
	for name, c := range map[string]struct{ method, url, body, code string }{
		"another method":         {"DELETE", b.up.URL + "/things/1", "", gateway.CodeDenied},
		"an operation not given": {"PUT", b.up.URL + "/things/1", "{}", gateway.CodeDenied},
		"another path":           {"GET", b.up.URL + "/thing/1", "", gateway.CodeDenied},
		"a longer path":          {"GET", b.up.URL + "/things/1/2", "", gateway.CodeDenied},
		"an escaped slash":       {"GET", b.up.URL + "/things/1%2F2", "", gateway.CodeParamInvalid},
		"a dot segment":          {"GET", b.up.URL + "/things/..", "", gateway.CodeParamInvalid},
		"another scheme":         {"GET", "https://" + host + "/things/1", "", gateway.CodeDenied},
		"another host":           {"GET", "http://evil.example/things/1", "", gateway.CodeDenied},
		"a user in front":        {"GET", "http://user:pass@" + host + "/things/1", "", gateway.CodeDenied},
		"a name before the host": {"GET", "http://" + host + "@evil.example/things/1", "", gateway.CodeDenied},
		"a fragment":             {"GET", b.up.URL + "/things/1#x", "", gateway.CodeDenied},
		"a file":                 {"GET", "file:///etc/passwd", "", gateway.CodeDenied},
		"nonsense":               {"GET", "http://[::1", "", gateway.CodeDenied},
		"nothing":                {"", "", "", gateway.CodeDenied},
		"an undeclared query":    {"GET", b.up.URL + "/things?admin=1", "", gateway.CodeParamInvalid},
		"a body that is no JSON": {"POST", b.up.URL + "/things", "name=n", gateway.CodeParamInvalid},
		"a body it breaks":       {"POST", b.up.URL + "/things", `{"name":7}`, gateway.CodeParamInvalid},
	} {
		res := b.fetch(c.method, c.url, nil, c.body)
		if res.Failure == nil || res.Failure.Code != c.code {
			t.Errorf("%s: %+v", name, res)
		}
	}
	for _, name := range []string{
		"Authorization", "authorization", "Cookie", "X-Forwarded-For", "Transfer-Encoding", "Upgrade", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-Url",
	} {
		res := b.fetch("GET", b.up.URL+"/things/1", map[string]string{name: "own"}, "")
		if res.Failure == nil || res.Failure.Code != gateway.CodeParamInvalid {
			t.Errorf("the header %s of its own: %+v", name, res)
		}
	}
	res := b.fetch("GET", b.up.URL+"/secret/x?key=c4nary", nil, "")
	if res.Failure == nil || strings.Contains(res.Failure.Message, "c4nary") {
		t.Errorf("the message %+v tells what the query held", res.Failure)
	}
	if len(b.up.all()) != 0 {
		t.Fatalf("the system was reached: %+v", b.up.all())
	}
	// What libraries of HTTP set without being asked is left out.
	for _, name := range []string{"Host", "Connection"} {
		if res := b.fetch("GET", b.up.URL+"/things/1", map[string]string{name: "own.example"}, ""); res.Status != http.StatusOK {
			t.Errorf("%s: %+v", name, res)
		}
	}
	for _, got := range b.up.all() {
		if strings.Contains(fmt.Sprint(got), "own.example") {
			t.Errorf("the system got %+v", got)
		}
	}
}

func TestAURLOfAFormMayOnlyRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	c := caller()
	c.Reason, c.Run, c.Node = contract.ReasonOptions, "", ""
	res := b.gateway.Open(c).Call(t.Context(), contract.GatewayRequest{HTTP: &contract.HTTPRequest{
		Method: "POST", URL: b.up.URL + "/things", Body: []byte(`{"name":"a"}`),
	}})
	refused(t, b, res, gateway.CodeDenied, contract.OriginGateway)
}
