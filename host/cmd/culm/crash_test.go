package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/culmhq/culm/host/hosttest"
)

// K06: the program dies with all that it says at its death, while a credential and a secret
// are under way to a system. Neither that, nor what it leaves on disk, holds them; and no
// image of its memory, which must hold them, is written.
func TestACrashDumpHoldsNoSecret(t *testing.T) {
	t.Parallel()
	canaries := hosttest.Canaries{"credential": "c4nary/of+the=credential", "secret of the project": "c4nary/of+the=project", "secret of the run": `c4nary/"of" the run é`}
	arrived, hold := make(chan string, 1), make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- fmt.Sprint(r.Header, string(body))
		<-hold
	}))
	t.Cleanup(func() { close(hold); up.Close() })
	dir := filepath.Join(t.TempDir(), "data")
	prepare(t, dir)
	report := filepath.Join(t.TempDir(), "report") // the buffer of a server keeps the end only
	srv := launch(t, []string{"env", "GOTRACEBACK=crash", "sh", "-c", `exec "$@" 2>"$0"`, report}, dir, "--allow", strings.TrimPrefix(up.URL, "http://"), "--log-level", "debug", "--record-mode", "all")
	if err := srv.ready(); err != nil {
		t.Fatal(err)
	}
	if runtimeLimits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", srv.cmd.Process.Pid)); err == nil &&
		!regexp.MustCompile(`Max core file size +0 +0 `).Match(runtimeLimits) {
		t.Errorf("the program may leave an image of its memory:\n%s", runtimeLimits)
	}
	const in = "/api/v1/projects/default"
	const uses = `[{"system":"slow","operation":"send"}]`
	srv.must("PUT", in+"/systems/slow", json.RawMessage(`{"format":"culm.system/v1","id":"slow","title":"Slow","base_url":"`+up.URL+`","auth":{"type":"bearer"},"operations":[
		{"id":"send","title":"Send","method":"POST","path":"/send","retry":"keyed","risk":"write","body":{"type":"object","properties":{"a":{"type":"string","x-secret":true},"b":{"type":"string","x-secret":true}}}}]}`), nil)
	srv.must("PUT", in+"/systems/slow/credential", map[string]string{"token": canaries["credential"]}, nil)
	srv.must("PUT", in+"/secrets/KEY", map[string]string{"value": canaries["secret of the project"]}, nil)
	srv.must("PUT", in+"/plugins/http/grants", json.RawMessage(`{"grants":`+uses+`}`), nil)
	srv.must("POST", in+"/flows", json.RawMessage(`{"document":{"format":"culm.flow/v1","id":"send","name":"Send","variables":[
		{"name":"a","source":"input","secret":true,"required":true,"uses":`+uses+`},{"name":"b","source":"computed","secret":true,"expression":"secrets.KEY","uses":`+uses+`}],
		"nodes":[{"id":"start","type":"start"},{"id":"n","type":"task","plugin":"http","action":"call","inputs":{"system":"slow","operation":"send","body":{"a":"${a}","b":"${b}"}}},{"id":"end","type":"end"}],
		"edges":[{"id":"e1","from":"start","to":"n"},{"id":"e2","from":"n","to":"end"}]}}`), nil)
	srv.must("POST", in+"/flows/send/versions", json.RawMessage(`{"revision":1,"note":""}`), nil)
	srv.must("POST", in+"/flows/send/runs", map[string]any{"inputs": map[string]string{"a": canaries["secret of the run"]}}, nil)
	got := <-arrived
	for name := range canaries {
		if len(canaries.Search("", []byte(got))) < 3 {
			t.Errorf("the system got no %s: %s", name, got)
		}
	}
	if err := srv.cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	<-srv.done
	said, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	dump := string(said)
	if !strings.Contains(dump, "SIGABRT") || !strings.Contains(dump, "goroutine ") {
		t.Errorf("there is no dump: %.2000s", dump)
	}
	for _, hit := range canaries.Search("the dump", said) {
		t.Error(hit)
	}
	hits, n, err := canaries.SearchFiles(t.Context(), dir)
	if err != nil || n < 2 {
		t.Fatal(n, err)
	}
	for _, hit := range hits {
		t.Error(hit)
	}
}
