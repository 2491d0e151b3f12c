package wasm_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/culmhq/culm"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/scaffold"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// remembering are modules of every language that is at hand, each by a way to build it.
func remembering() map[string]func(*testing.T) ([]byte, error) {
	file := func(name string) func(*testing.T) ([]byte, error) {
		return func(*testing.T) ([]byte, error) { return os.ReadFile(filepath.Join("testdata", name)) }
	}
	gos := func(name string) func(*testing.T) ([]byte, error) {
		return func(t *testing.T) ([]byte, error) {
			goTurn <- struct{}{}
			defer func() { <-goTurn }()
			return goBuild(t, name)
		}
	}
	out := map[string]func(*testing.T) ([]byte, error){
		"go": gos("goplugin"), "go, initialised in every call": gos("goseeds"),
		"assemblyscript": file("restock.wasm"), "wat": file("small.wasm"), "wat, from an image": file("evil/state-image.wasm"),
		"wat, with tables": file("evil/state.wasm"),
	}
	for _, id := range []string{"core", "http"} {
		out["shipped "+id] = func(*testing.T) ([]byte, error) { return fs.ReadFile(shipped.Files, id+".wasm") }
	}
	for _, l := range []build.Language{build.C, build.Rust, build.Zig} {
		out["template "+string(l)] = func(t *testing.T) ([]byte, error) { return template(t, l) }
	}
	return out
}

// template builds the plugin that culm plugin new writes in a language, where its tools
// are installed.
func template(t *testing.T, l build.Language) ([]byte, error) {
	t.Helper()
	if missing := build.Missing(t.Context(), l); missing != nil {
		return nil, errors.Join(fs.ErrNotExist, missing)
	}
	dir, out := filepath.Join(t.TempDir(), "remember"), filepath.Join(t.TempDir(), "remember.wasm")
	if _, err := scaffold.Write(scaffold.Options{Name: "remember", Language: l, Dir: dir, PDK: culm.PDK}); err != nil {
		return nil, err
	}
	if _, err := build.Build(t.Context(), dir, out, build.Options{}); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// callsOf are calls of a module: for one with a manifest of its actions, with inputs that
// are right and wrong, and for others of what the module exports.
func callsOf(t *testing.T, m *wasm.Module) []wasm.Call {
	t.Helper()
	manifest := m.Info().Manifest
	if manifest == nil {
		var all []wasm.Call
		for _, export := range []string{"execute", "count", "random", "clock", "speak", "fail", "boom", "show", "echo", "call"} {
			all = append(all, wasm.Call{Export: export, Input: []byte(`{"system":"s","operation":"o","inputs":{"name":"n"}}`)})
		}
		return all
	}
	var all []wasm.Call
	for _, a := range manifest.Actions {
		for _, inputs := range []string{
			`{}`, `{"name":"Ada"}`, `{"system":"cmdb","operation":"list","service":"s","wanted":3,"success":"status == 200","filter":"x","prefix":"x"}`,
			`{"duration":"1s","condition":false,"message":"no","prompt":"?","variables":{"a":1}}`, `[1]`,
		} {
			input, err := json.Marshal(contract.Request{
				ABI: contract.ABI, Action: a.ID, Reason: contract.ReasonExecute, Inputs: json.RawMessage(inputs),
				Context: contract.Context{Project: "p", Run: "r", Node: "n", Attempt: 1, Zone: "Asia/Shanghai"},
			})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, wasm.Call{Export: contract.ExportExecute, Input: input})
		}
	}
	return all
}

// TestNoStateFromCallToCall: calls of a module in every language take turns in one
// instance. After each, everything in it that can be written is overwritten, its memory
// grown to the limit. Then each call is made again, from its recording, in an instance
// in which nothing ever ran: had anything been left for the call, its memory, its
// globals, what it asked and what it answered could not all be the same to the byte.
func TestNoStateFromCallToCall(t *testing.T) {
	t.Parallel()
	for name, read := range remembering() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module, err := read(t)
			if errors.Is(err, fs.ErrNotExist) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			m := load(t, newHost(t, func(c *wasm.Config) { c.Parallel = 1 }), module)
			noState(t, m)
		})
	}
}

func noState(t *testing.T, m *wasm.Module) {
	t.Helper()
	s := &services{
		vars: map[string]json.RawMessage{"name": json.RawMessage(`"Ada"`)},
		gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
			return contract.GatewayResponse{Status: 200, Body: json.RawMessage(`{"instances":["a","b"],"hosts":[{"name":"h"}]}`)}
		},
	}
	tracer, err := m.Tracer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close(t.Context())
	var made []wasm.Traced
	renewed := 0
	calls := callsOf(t, m)
	for range max(2, 60/len(calls)) {
		for _, c := range calls {
			c.Services = s
			r, err := tracer.Call(t.Context(), c)
			if f := wasm.AsFailure(err); f != nil && f.Code == wasm.CodeExportMissing {
				continue
			} else if f != nil {
				t.Fatal(err)
			}
			made = append(made, r)
			if r.Renewed {
				renewed++
			}
		}
	}
	if len(made) == 0 {
		t.Fatal("no call was made")
	}
	for n, r := range made {
		state, report, err := tracer.Pristine(t.Context(), r.Recording)
		if err != nil {
			t.Fatal(err)
		}
		if report.Difference != nil || report.Cut {
			t.Errorf("call %d, %s: %+v", n, r.Recording.Export, report.Difference)
		}
		if state != r.State {
			t.Errorf("call %d, %s: another state than in an instance in which nothing ever ran", n, r.Recording.Export)
		}
	}
	t.Logf("%d calls, %d of them in an instance that was used again", len(made), renewed)
}
