package build_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/scaffold"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// edges are actions beside those of the guide: what an engine in the module could get wrong.
const edges = `
import { log, plugin, succeeded, warn } from "./culm.js";

let calls = 0;
const loaded = Date.now();

plugin({
  edge: {
    async execute({ inputs }) {
      switch (inputs.what) {
        case "state": return succeeded({ calls: ++calls });
        case "time": return succeeded({ loaded, year: new Date().getFullYear() > 2000 });
        case "random": return succeeded({ numbers: [Math.random(), Math.random()] });
        case "await": return succeeded({ sum: (await Promise.all([1, Promise.resolve(2), new Promise((f) => f(3))])).reduce((a, b) => a + b) });
        case "text": console.log("日志", { a: 1 }); log(warn, inputs.text); return succeeded({ text: inputs.text + "\ud83d" });
        case "never": return new Promise(() => {});
        case "nothing": return;
        case "throw": throw new TypeError("not today");
        case "recursion": return (function deep() { return deep() + 1; })();
        case "memory": for (let all = []; ;) all.push(new Uint8Array(1 << 20).fill(1));
      }
    },
  },
});
`

const javaScriptManifest = `{"format": "culm.plugin/v1", "id": "js", "version": "1.0.0", "title": {"en": "JS", "zh": "JS"}, "actions": [
  {"id": "deploy", "title": {"en": "D", "zh": "D"}, "inputs": {"type": "object"}, "outputs": {"type": "object"}, "waits": ["poll"], "options": true},
  {"id": "edge", "title": {"en": "E", "zh": "E"}, "inputs": {"type": "object"}, "outputs": {"type": "object"}}]}`

// javaScript builds the example of the guide with the edges beside it.
func javaScript(t *testing.T) []byte {
	t.Helper()
	if missing := build.Missing(t.Context(), build.JavaScript); missing != nil {
		t.Skip(missing)
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs", "plugins", "js.md"))
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```js\n(.*?)```").FindSubmatch(guide)
	if example == nil {
		t.Fatal("the guide has no example")
	}
	dir := t.TempDir()
	if _, err := scaffold.Write(scaffold.Options{Name: "js", Language: build.JavaScript, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "plugin.js"), string(example[1])+"\nimport \"./edges.js\";\n")
	put(t, filepath.Join(dir, "edges.js"), edges)
	put(t, filepath.Join(dir, build.ManifestFile), javaScriptManifest)
	out := filepath.Join(dir, "js.wasm")
	if _, err := build.Build(t.Context(), dir, out, build.Options{}); err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

func TestTheGuidesPluginInJavaScriptRuns(t *testing.T) {
	t.Parallel()
	module := javaScript(t)
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
	m, err := h.Load(t.Context(), build.Digest(module), module)
	if err != nil {
		t.Fatal(err)
	}
	if !m.FromImage() {
		t.Error("the engine is initialised anew in every call")
	}
	o := &outside{replies: map[string]string{
		"demo start_deployment": `{"id":"d-1"}`, "demo get_deployment": `{"state":"running","percent":40}`,
	}}
	for _, c := range []struct {
		req  contract.Request
		want string
	}{
		{
			contract.Request{Action: "deploy", Reason: contract.ReasonExecute, Inputs: json.RawMessage(`{"service":"web","place":"eu"}`)},
			`{"status":"waiting","wait":{"kind":"poll","after_ms":1000},"state":{"id":"d-1"}}`,
		},
		{
			contract.Request{Action: "deploy", Reason: contract.ReasonPoll, State: json.RawMessage(`{"id":"d-1"}`), Polls: 3},
			`{"status":"waiting","wait":{"kind":"poll","after_ms":1000},"state":{"id":"d-1"}}`,
		},
		{
			contract.Request{Action: "deploy", Reason: contract.ReasonOptions, Field: "place", Form: json.RawMessage(`{}`)},
			`{"status":"succeeded","outputs":{"choices":[{"value":"eu","label":"Europe"},{"value":"as","label":"Asia"}]}}`,
		},
		{edge("state"), `{"status":"succeeded","outputs":{"calls":1}}`},
		{edge("state"), `{"status":"succeeded","outputs":{"calls":1}}`},
		{edge("time"), `{"status":"succeeded","outputs":{"loaded":0,"year":true}}`},
		{edge("await"), `{"status":"succeeded","outputs":{"sum":6}}`},
		{edge("text"), `{"status":"succeeded","outputs":{"text":"世界😀�"}}`},
	} {
		if got := invoke(t, m, o, c.req); got != c.want {
			t.Errorf("%s %s: answer\n%s, want\n%s", c.req.Action, c.req.Inputs, got, c.want)
		}
	}
	if o.percent != 40 || len(o.calls) != 2 || len(o.lines) != 2 || o.lines[0].Text != `日志 {"a":1}` || o.lines[1].Level != "warn" {
		t.Errorf("the host saw %d%%, %d calls, %+v", o.percent, len(o.calls), o.lines)
	}
	if a, b := invoke(t, m, o, edge("random")), invoke(t, m, o, edge("random")); a == b {
		t.Errorf("two calls drew the same numbers: %s", a)
	}
	javaScriptFails(t, m)
}

// javaScriptFails makes calls that break in the engine and must end as calls that broke.
func javaScriptFails(t *testing.T, m *wasm.Module) {
	t.Helper()
	for what, says := range map[string]string{
		"never":     "was never settled",
		"nothing":   "returned no answer",
		"throw":     "TypeError: not today\\u000a    at execute (plugin.js:",
		"recursion": "Maximum call stack",
		"memory":    "",
	} {
		_, _, err := m.Invoke(t.Context(), edge(what), &outside{})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v does not say %q", what, err, says)
		}
	}
}

func edge(what string) contract.Request {
	inputs, _ := json.Marshal(map[string]string{"what": what, "text": "世界😀"}) //nolint:errchkjson // strings
	return contract.Request{Action: "edge", Reason: contract.ReasonExecute, Inputs: inputs}
}
