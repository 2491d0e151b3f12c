package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk/contract"
)

func TestEveryHintHasATextInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, h := range contract.Hints() {
		w := failureWords()["hint."+string(h)]
		if w[0] == "" || w[1] == "" || w[0] == w[1] {
			t.Errorf("%s: %q", h, w)
		}
	}
	if n := len(failureWords()); n != len(contract.Hints())+4 {
		t.Errorf("%d texts", n)
	}
}

// The command sends what it was given, prints the answer, and ends as the call did.
func TestCallingAnOperation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "body.json")
	if err := os.WriteFile(file, []byte(`{"name": "x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args   []string
		in     string
		env    []string
		answer string
		status int
		sent   string
		code   int
		out    []string // on standard output
		err    []string // on standard error
	}{
		"an answer": {
			args: []string{"-p", "id=7", "-p", "limit:=20"}, answer: `{"status":200,"body":{"a":1},"request_id":"r-1","attempts":2,"duration_ms":5}`,
			sent: `{"params":{"id":"7","limit":20}}`, out: []string{"{\n  \"a\": 1\n}"}, err: []string{"HTTP 200 · request r-1 · sent 2× · 5 ms"},
		},
		"a body from a file":  {args: []string{"--body", file, "--yes"}, answer: `{"status":204}`, sent: `{"body":{"name":"x"},"confirm":true}`},
		"a body from a pipe":  {args: []string{"--body", "-"}, in: `[1]`, answer: `{"status":200,"text":"ok"}`, sent: `{"body":[1]}`, out: []string{"ok"}},
		"another status":      {answer: `{"status":500,"text":"no"}`, sent: `{}`, code: exitFailed, out: []string{"no"}},
		"the whole, as JSON":  {args: []string{"--json"}, answer: `{"status":503,"text":"no"}`, sent: `{}`, code: exitFailed, out: []string{`"status": 503`}},
		"refused by the API":  {status: 422, answer: `{"code":"INVALID","detail":"confirm that it is meant","field":"/confirm"}`, sent: `{}`, code: exitRefused, err: []string{"/confirm"}},
		"no such system":      {status: 404, answer: `{"code":"NOT_FOUND","detail":"no system"}`, sent: `{}`, code: exitRefused},
		"a parameter, broken": {args: []string{"-p", "id:=x"}, code: exitRefused, err: []string{"NAME=TEXT"}},
		"a parameter twice":   {args: []string{"-p", "id=x", "-p", "id=y"}, code: exitRefused, err: []string{"twice"}},
		"a body, broken":      {args: []string{"--body", "-"}, in: `{`, code: exitRefused, err: []string{"not JSON"}},
		"a failure": {
			answer: `{"failure":{"code":"UPSTREAM_TIMEOUT","message":"no complete answer within 5s","origin":"system","system":"cmdb","operation":"list","request_id":"culm-1","attempts":3,"hint":"retry_later","retry_after_ms":1500}}`,
			sent:   `{}`, code: exitFailed,
			err: []string{"[system] UPSTREAM_TIMEOUT: no complete answer", "cmdb/list · request culm-1 · sent 3× · asks to wait 2 s", "what to do: retry later"},
		},
		"a failure, in Chinese": {
			env: []string{"LANG=zh_CN.UTF-8"}, sent: `{}`, code: exitFailed,
			answer: `{"failure":{"code":"DENIED","message":"m","origin":"gateway"}}`, err: []string{"[网关配置] DENIED", "怎么办：请管理员给这个插件授权该接口"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent []byte
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/projects/ops/systems/cmdb/operations/list/call" || r.Method != http.MethodPost {
					t.Errorf("asked for %s %s", r.Method, r.URL)
				}
				sent, _ = io.ReadAll(r.Body)
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				_, _ = io.WriteString(w, c.answer)
			}))
			defer srv.Close()
			var out, err bytes.Buffer
			args := append([]string{"call", "cmdb", "list", "--project", "ops", "--server", srv.URL}, c.args...)
			code := run(t.Context(), args, outside{in: strings.NewReader(c.in), out: &out, err: &err, environ: c.env})
			if code != c.code || string(sent) != c.sent {
				t.Errorf("ended with %d, sent %s\n%s%s", code, sent, &out, &err)
			}
			for _, part := range c.out {
				if !strings.Contains(out.String(), part) {
					t.Errorf("standard output lacks %q: %s", part, &out)
				}
			}
			for _, part := range c.err {
				if !strings.Contains(err.String(), part) {
					t.Errorf("standard error lacks %q: %s", part, &err)
				}
			}
		})
	}
}
