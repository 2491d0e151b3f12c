package build_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// outside is what a module under test reaches: one scripted answer an operation.
type outside struct {
	wasm.None

	mu      sync.Mutex
	replies map[string]string
	calls   []contract.GatewayRequest
	lines   []contract.LogLine
	percent int
}

func (o *outside) Gateway(_ context.Context, req contract.GatewayRequest) contract.GatewayResponse {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, req)
	body, ok := o.replies[req.System+" "+req.Operation]
	if !ok {
		return contract.GatewayResponse{Failure: &contract.Failure{Code: "DENIED", Message: "no grant", Origin: contract.OriginGateway}}
	}
	return contract.GatewayResponse{Status: 200, Body: json.RawMessage(body)}
}

func (o *outside) Log(l contract.LogLine) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, l)
}

func (o *outside) Progress(percent int, _ string) { o.percent = percent }

// Eval knows one expression: that the real language is behind it is tested elsewhere.
func (o *outside) Eval(_ context.Context, req contract.EvalRequest) contract.EvalResponse {
	return contract.EvalResponse{Value: json.RawMessage(fmt.Sprint(req.Expression == "status == 200" && string(req.Values["status"]) == "200"))}
}

// shipped says what a real call of each plugin must do.
func shipped() map[string]struct {
	action, inputs string
	replies        map[string]string
	want           string
} {
	type c = struct {
		action, inputs string
		replies        map[string]string
		want           string
	}
	return map[string]c{
		"core": {
			action: "wait_until", inputs: `{"at":"2020-03-29 02:30","zone":"Europe/Berlin","past":"continue"}`,
			want: `{"status":"succeeded","outputs":{"at":"2020-03-29T01:30:00Z","passed":true}}`,
		},
		"http": {
			action: "call", inputs: `{"system":"cmdb","operation":"search","success":"status == 200"}`,
			replies: map[string]string{"cmdb search": `{"n":1}`},
			want:    `{"status":"succeeded","outputs":{"status":200,"headers":{},"body":{"n":1}}}`,
		},
		"prometheus": {
			action: "query", inputs: `{"query":"up == 0"}`,
			replies: map[string]string{"prometheus query": `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"a"},"value":[1767225600,"0"]}]}}`},
			want:    `{"status":"succeeded","outputs":{"type":"vector","count":1,"samples":[{"metric":{"instance":"a"},"value":0,"text":"0","time":"2026-01-01T00:00:00Z"}],"instances":["a"],"value":0,"warnings":[]}}`,
		},
		"alertmanager": {
			action: "list_silences", inputs: `{}`,
			replies: map[string]string{"alertmanager list_silences": `[]`},
			want:    `{"status":"succeeded","outputs":{"count":0,"ids":[],"silences":[]}}`,
		},
		"etcd": {
			action: "get", inputs: `{"key":"a"}`,
			replies: map[string]string{"etcd range": `{"header":{"revision":"3"},"kvs":[{"key":"YQ==","value":"Yg==","version":"1","mod_revision":"2","create_revision":"2"}],"count":"1"}`},
			want:    `{"status":"succeeded","outputs":{"found":true,"value":"b","kvs":[{"key":"a","value":"b","version":1,"create_revision":2,"mod_revision":2}],"count":1,"more":false,"revision":3}}`,
		},
		"demo": {
			action: "deploy_service", inputs: `{"service":"web","version":"2","hosts":["w1"]}`,
			replies: map[string]string{"demo start_deployment": `{"id":"d","state":"running","percent":40,"message":"m"}`},
			want:    `{"status":"waiting","wait":{"kind":"poll","after_ms":1000},"state":"d"}`,
		},
	}
}

// TestShippedPluginsRunOnTheRealHost builds each plugin and runs it as the program does.
func TestShippedPluginsRunOnTheRealHost(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(root, "plugins-src", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	cases := shipped()
	if len(dirs) != len(cases) {
		t.Fatalf("%d plugins are there, %d are tested", len(dirs), len(cases))
	}
	program := compiler(t)
	h, err := wasm.New(t.Context(), wasm.Config{
		CacheDir: filepath.Join(t.TempDir(), "cache"),
		Compiler: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, program, "__compile") },
		Limits:   wasm.Limits{CompileTime: 5 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, main := range dirs {
		dir := filepath.Dir(main)
		id := filepath.Base(dir)
		t.Run(id, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), id+".wasm")
			p, err := build.Build(t.Context(), dir, file, build.Options{})
			if err != nil {
				t.Fatal(err)
			}
			module, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkPackage(t, id, p, module)
			m, err := h.Load(t.Context(), p.Digest, module)
			if err != nil {
				t.Fatal(err)
			}
			if !m.FromImage() {
				t.Error("the module is initialised anew in every call")
			}
			c := cases[id]
			o := &outside{replies: c.replies}
			// Twice: a second call must find nothing of the first.
			for range 2 {
				if got := invoke(t, m, o, contract.Request{Action: c.action, Reason: contract.ReasonExecute, Inputs: json.RawMessage(c.inputs)}); got != c.want {
					t.Fatalf("answer\n%s, want\n%s", got, c.want)
				}
			}
			refuse(t, m, c.action)
		})
	}
}

// compiler returns the program that compiles modules: this test binary, or, because a
// compiler with the race detector in it takes ten times as long and more memory than
// the host allows, another build of it.
func compiler(t *testing.T) string {
	t.Helper()
	if raceEnabled {
		program := filepath.Join(t.TempDir(), "compiler")
		if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", program, ".").CombinedOutput(); err != nil {
			t.Fatalf("build the compiler: %v\n%s", err, out)
		}
		return program
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// TestModulesLinkNoSchemaCode: what makes manifests stays on the author's machine.
func TestModulesLinkNoSchemaCode(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./plugins-src/...")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, "github.com/culmhq/culm/pdk") || !slices.Contains(linked, "github.com/extism/go-pdk") {
		t.Fatalf("these are not the packages of the modules: %v", linked)
	}
	for _, heavy := range []string{"github.com/culmhq/culm/pdk/manifest", "github.com/invopop/jsonschema", "go/doc", "net", "net/http", "regexp", "text/template"} {
		if slices.Contains(linked, heavy) {
			t.Errorf("the modules link %s", heavy)
		}
	}
}

// checkPackage checks what a catalogue reads without running anything.
func checkPackage(t *testing.T, id string, p build.Package, module []byte) {
	t.Helper()
	m, err := build.ReadManifest(module)
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != id || m.Version != p.Manifest.Version || len(m.Actions) != len(p.Manifest.Actions) {
		t.Fatalf("manifest %+v", m)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if m.Title.Zh == "" || strings.Count(string(raw), `"ui:i18n"`) == 0 {
		t.Error("the manifest has no Chinese texts")
	}
	for _, export := range []string{contract.ExportExecute, contract.ExportResume, contract.ExportCancel, contract.ExportRollback, contract.ExportOptions} {
		if !slices.Contains(exports(t, module), export) {
			t.Errorf("the module does not export %s", export)
		}
	}
}

func invoke(t *testing.T, m *wasm.Module, o *outside, req contract.Request) string {
	t.Helper()
	req.Context = contract.Context{Project: "p", Run: "r", Node: "n", Attempt: 1, Operator: "local", Zone: "Asia/Shanghai"}
	ans, _, err := m.Invoke(t.Context(), req, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(ans)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// refuse checks that a module holds its schema by itself.
func refuse(t *testing.T, m *wasm.Module, action string) {
	t.Helper()
	ans, _, err := m.Invoke(t.Context(), contract.Request{
		Action: action, Reason: contract.ReasonExecute, Inputs: json.RawMessage(`{"no_such_input":1}`),
	}, &outside{})
	if err != nil {
		t.Fatal(err)
	}
	if ans.Failure == nil || ans.Failure.Code != "INVALID_INPUT" || ans.Failure.Origin != contract.OriginFlow {
		t.Fatalf("an unknown input is answered with %+v (%+v)", ans, ans.Failure)
	}
}

// exports lists the functions that a module exports.
func exports(t *testing.T, module []byte) []string {
	t.Helper()
	names, err := build.Exports(module)
	if err != nil {
		t.Fatal(err)
	}
	return names
}
