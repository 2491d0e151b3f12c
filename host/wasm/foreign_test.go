package wasm_test

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/foreign"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/wasmtest"
	"github.com/culmhq/culm/pdk/contract"
)

// sidecar packs a foreign module with a manifest of one action.
func sidecar(tb testing.TB, module []byte, f contract.Foreign, needs ...contract.Need) []byte {
	tb.Helper()
	out, err := build.Pack(module, contract.Manifest{
		Format: contract.ManifestFormat, ID: "foreign", Version: "1.0.0", Title: contract.T("Foreign"), Needs: needs,
		Actions: []contract.Action{{
			ID: "run", Title: contract.T("Run"), Foreign: &f,
			Inputs: json.RawMessage(`{"type":"object"}`), Outputs: json.RawMessage(`{"type":"object"}`),
		}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// callForeign runs the one action of a foreign module as the executor does.
func callForeign(tb testing.TB, m *wasm.Module, inputs string, s wasm.Services) (string, error) {
	tb.Helper()
	f := m.Info().Manifest.Actions[0].Foreign
	in, err := foreign.Input(f, json.RawMessage(inputs))
	if err != nil {
		tb.Fatal(err)
	}
	config, err := foreign.Config(f, json.RawMessage(inputs))
	if err != nil {
		tb.Fatal(err)
	}
	r, err := m.Call(tb.Context(), wasm.Call{Export: f.Export, Input: in, Config: config, Services: s})
	if err != nil {
		return "", err
	}
	out, err := foreign.Outputs(f, r.Output)
	return string(out), err
}

func text(field string) contract.Codec { return contract.Codec{As: contract.CodecText, Field: field} }

func base64(field string) contract.Codec {
	return contract.Codec{As: contract.CodecBase64, Field: field}
}

// The modules are those that Extism's own Go library is tested with: Rust, Go, C, C++, Haskell, by hand.
func TestForeignModulesRunUnchanged(t *testing.T) {
	t.Parallel()
	textIn := contract.Encoding{Input: text("in"), Output: text("out")}
	none := contract.Codec{As: contract.CodecNone}
	for name, c := range map[string]struct {
		module       string
		f            contract.Foreign
		inputs, want string
	}{
		"count vowels": {
			"count_vowels.wasm",
			contract.Foreign{Export: "count_vowels", Encoding: contract.Encoding{Input: text("text")}},
			`{"text":"hello world"}`, `{"count":3,"total":3,"vowels":"aeiouAEIOU"}`,
		},
		"count vowels of an input's choice": {
			"count_vowels.wasm",
			contract.Foreign{
				Export: "count_vowels", Encoding: contract.Encoding{Input: text("text")},
				ConfigInputs: map[string]string{"vowels": "vowels"},
			},
			`{"text":"hello world","vowels":"lo"}`, `{"count":5,"total":5,"vowels":"lo"}`,
		},
		"a command in Go": {
			"count_vowels_std.wasm",
			contract.Foreign{Export: "_start", Encoding: contract.Encoding{Input: text("text")}},
			`{"text":"hello world"}`, `{"count":3,"config":"<unset by host>","a":"this is var a"}`,
		},
		"a command that greets": {
			"std_command.wasm",
			contract.Foreign{Export: "_start", Encoding: textIn},
			`{"in":"Benjamin"}`, `{"out":"hello Benjamin"}`,
		},
		"config": {
			"config.wasm",
			contract.Foreign{Export: "run_test", Config: map[string]string{"thing": "hello"}},
			`{}`, `{"config":"hello"}`,
		},
		"variables of the call": {
			"var.wasm",
			contract.Foreign{Export: "run_test", Encoding: contract.Encoding{Input: none, Output: text("out")}},
			`{}`, `{"out":"a: 0"}`,
		},
		"by hand": {
			"hello.wasm",
			contract.Foreign{Export: "run_test", Encoding: contract.Encoding{Output: text("out")}},
			`{}`, `{"out":"Hello, world!"}`,
		},
		"Haskell": {
			"hello_haskell.wasm",
			contract.Foreign{Export: "testing", Encoding: textIn, Config: map[string]string{"greeting": "Howdy"}},
			`{"in":"John"}`, `{"out":"Howdy, John"}`,
		},
		"blocks":      {"alloc.wasm", contract.Foreign{Export: "run_test", Encoding: contract.Encoding{Output: text("out")}}, `{}`, `{"out":""}`},
		"bytes":       {"input_offset.wasm", contract.Foreign{Export: "input_offset_length", Encoding: contract.Encoding{Input: text("in"), Output: base64("out")}}, `{"in":"xxxx"}`, `{"out":"BAAAAAAAAAA="}`},
		"no output":   {"noop.wasm", contract.Foreign{Export: "run_test", Encoding: contract.Encoding{Output: none}}, `{}`, `{}`},
		"printing":    {"println.wasm", contract.Foreign{Export: "run_test", Encoding: contract.Encoding{Output: none}}, `{}`, `{}`},
		"a log":       {"log.wasm", contract.Foreign{Export: "run_test", Encoding: contract.Encoding{Output: none}}, `{}`, `{}`},
		"replacement": {"replace.wasm", contract.Foreign{Export: "run_test", Encoding: contract.Encoding{Output: none}}, `{}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			code := wasmtest.Extism(t, c.module)
			packed := sidecar(t, code, c.f)
			if string(packed[:len(code)]) != string(code) {
				t.Error("packing changed the module's code")
			}
			m := load(t, h, packed)
			for range 3 { // nothing is left from call to call
				got, err := callForeign(t, m, c.inputs, nil)
				if err != nil || got != c.want {
					t.Fatalf("outputs %s, %v; want %s", got, err, c.want)
				}
			}
		})
	}
}

// The manifest in docs/foreign.md, packed into the module that it is about.
func TestTheManifestOfTheDocumentsRuns(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/foreign.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```json\n(\\{.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("there is no manifest")
	}
	manifest, err := wasm.ParseManifest(block[1])
	if err != nil {
		t.Fatal(err)
	}
	packed, err := build.Pack(wasmtest.Extism(t, "count_vowels.wasm"), *manifest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := callForeign(t, load(t, newHost(t), packed), `{"text":"hello world","vowels":"lo"}`, nil)
	if want := `{"count":5,"total":5,"vowels":"lo"}`; err != nil || got != want {
		t.Errorf("outputs %s, %v; want %s", got, err, want)
	}
}

func TestForeignModulesFailAsTheySay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		module string
		f      contract.Foreign
		code   string
		says   string
	}{
		"an error":      {"fail.wasm", contract.Foreign{Export: "run_test"}, wasm.CodeFailed, "Some error message"},
		"an exit":       {"exit.wasm", contract.Foreign{Export: "_start", Config: map[string]string{"code": "3"}}, wasm.CodeTrap, "exit status 3"},
		"no file there": {"fs.wasm", contract.Foreign{Export: "run_test"}, wasm.CodeFailed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := load(t, newHost(t), sidecar(t, wasmtest.Extism(t, c.module), c.f))
			_, err := callForeign(t, m, `{}`, nil)
			if f := wantFailure(t, err, c.code, contract.OriginPlugin); !strings.Contains(f.Message, c.says) {
				t.Errorf("message %q does not say %q", f.Message, c.says)
			}
		})
	}
}

// todo is the request that http.wasm makes.
const todo = "https://jsonplaceholder.typicode.com/todos/1"

func TestForeignHTTPIsAGatewayCall(t *testing.T) {
	t.Parallel()
	f := contract.Foreign{Export: "run_test"}
	m := load(t, newHost(t), sidecar(t, wasmtest.Extism(t, "http.wasm"), f, contract.Need{System: "todos", Operation: "read"}))
	var asked []contract.GatewayRequest
	s := &services{gateway: func(_ context.Context, r contract.GatewayRequest) contract.GatewayResponse {
		asked = append(asked, r)
		return contract.GatewayResponse{Status: 200, Body: json.RawMessage(`{"id":1,"title":"buy tea"}`)}
	}}
	got, err := callForeign(t, m, `{}`, s)
	if err != nil || got != `{"id":1,"title":"buy tea"}` {
		t.Fatalf("outputs %s, %v", got, err)
	}
	if len(asked) != 1 || asked[0].System != "" || asked[0].HTTP == nil || asked[0].HTTP.URL != todo || asked[0].HTTP.Method != "GET" {
		t.Fatalf("the gateway was asked %+v", asked)
	}
	s.gateway = func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
		return contract.GatewayResponse{Failure: &contract.Failure{Code: "DENIED", Origin: contract.OriginGateway, Message: "no grant"}}
	}
	_, err = callForeign(t, m, `{}`, s)
	wantFailure(t, err, "DENIED", contract.OriginGateway)
}

func TestForeignHTTPHeadersAreThoseLetThrough(t *testing.T) {
	t.Parallel()
	f := contract.Foreign{Export: "http_get", Encoding: contract.Encoding{Output: text("out")}}
	m := load(t, newHost(t), sidecar(t, wasmtest.Extism(t, "http_headers.wasm"), f, contract.Need{System: "todos", Operation: "read"}))
	s := &services{gateway: func(_ context.Context, r contract.GatewayRequest) contract.GatewayResponse {
		return contract.GatewayResponse{Status: 200, Text: "ok", Headers: map[string]string{"etag": "v1"}}
	}}
	got, err := callForeign(t, m, `{"url":"`+todo+`"}`, s)
	if err != nil || !strings.Contains(got, `etag`) {
		t.Fatalf("outputs %s, %v", got, err)
	}
}

func TestHTTPWithoutANeedIsRefusedAtInstall(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	code := wasmtest.Extism(t, "http.wasm")
	_, err := h.Inspect(t.Context(), code)
	wantFailure(t, err, wasm.CodeImportDenied, contract.OriginPlugin)
	granted := sidecar(t, code, contract.Foreign{Export: "run_test"}, contract.Need{System: "todos", Operation: "read"})
	without := []byte(strings.Replace(string(granted), `,"needs":[{"system":"todos","operation":"read"}]`, strings.Repeat(" ", len(`,"needs":[{"system":"todos","operation":"read"}]`)), 1))
	_, err = h.Inspect(t.Context(), without)
	if f := wantFailure(t, err, wasm.CodeImportDenied, contract.OriginPlugin); !strings.Contains(f.Message, "http_request") {
		t.Errorf("message %q", f.Message)
	}
}

// What needs another host's own functions, or several modules linked together, is refused with the names.
func TestForeignModulesThatNeedAnotherHostAreRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for name, says := range map[string]string{
		"host.wasm":          "extism:host/user",
		"host_multiple.wasm": "hostGreenMessage",
		"host_memory.wasm":   "host.to_upper",
		"main.wasm":          "lib",
	} {
		_, err := h.Inspect(t.Context(), wasmtest.Extism(t, name))
		if f := wantFailure(t, err, wasm.CodeImportDenied, contract.OriginPlugin); !strings.Contains(f.Message, says) {
			t.Errorf("%s: message %q does not say %q", name, f.Message, says)
		}
	}
}
