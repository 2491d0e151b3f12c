package wasm_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// TestDecodeAnswer: what an answer may be, and what is refused with which reason.
func TestDecodeAnswer(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"status":"succeeded"}`:                                                        "",
		`{"status":"succeeded","outputs":{"a":1,"A":2}}`:                                "",
		`{"status":"failed","failure":{"code":"NO_HOST","message":"m"}}`:                "",
		`{"status":"waiting","wait":{"kind":"poll","after_ms":5000},"state":{"n":1}}`:   "",
		`{"status":"waiting","wait":{"kind":"human","prompt":{"en":"ok?","zh":"可以吗"}}}`: "",
		``:                                    "unexpected end",
		`null`:                                "null",
		`[]`:                                  "cannot unmarshal",
		`{"status":"done"}`:                   "status must be",
		`{}`:                                  "status must be",
		`{"status":"succeeded","surprise":1}`: "unknown field",
		`{"status":"failed","STATUS":"succeeded","failure":{"code":"A","message":""}}`: "unknown member",
		`{"status":"failed","failure":{"code":"A","Code":"B","message":""}}`:           "failure.unknown member",
		`{"status":"succeeded","status":"failed"}`:                                     "twice",
		`{"status":"succeeded","outputs":[1]}`:                                         "outputs must be an object",
		`{"status":"succeeded","wait":{"kind":"poll"}}`:                                "neither",
		`{"status":"succeeded","failure":{"code":"A","message":""}}`:                   "neither",
		`{"status":"failed"}`: "has a failure",
		`{"status":"failed","failure":{"code":"no host","message":""}}`:           "UPPER_SNAKE",
		`{"status":"failed","failure":{"code":"A","message":"","origin":"moon"}}`: "origin",
		`{"status":"waiting"}`:                                                                           "has a wait",
		`{"status":"waiting","wait":{"kind":"moon"}}`:                                                    "wait.kind",
		`{"status":"waiting","wait":{"kind":"poll","after_ms":-1}}`:                                      "out of range",
		`{"status":"waiting","wait":{"kind":"poll","after_ms":99999999999999}}`:                          "out of range",
		`{"status":"succeeded","outputs":{"x":NaN}}`:                                                     "unexpected character",
		`{"status":"succeeded","outputs":{"x":"\ud800"}}`:                                                "lone surrogate",
		`{"status":"succeeded","outputs":` + strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 71): "64 levels",
	} {
		_, err := wasm.DecodeAnswer([]byte(in))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.90s: %v, want %q", in, err, want)
		}
	}
	a, err := wasm.DecodeAnswer([]byte(`{"status":"failed","failure":{"code":"A","message":"red\u001b[31m\nline"}}`))
	if err != nil || a.Failure.Origin != contract.OriginPlugin || a.Failure.Message != `red\u001b[31m\u000aline` {
		t.Errorf("failure %+v, %v", a.Failure, err)
	}
}

// TestOutputInvalid: a plugin whose output is no answer fails with that code.
func TestOutputInvalid(t *testing.T) {
	t.Parallel()
	manifest := `{"format":"culm.plugin/v1","id":"x","version":"1.0.0","title":"x",` +
		`"actions":[{"id":"a","title":"a","inputs":{"type":"object"},"outputs":{"type":"object"}}]}`
	section := append(append([]byte{13}, "culm.manifest"...), manifest...)
	module := append(append(evil(t, "deep-json"), 0), append(uleb(len(section)), section...)...)
	m := load(t, newHost(t), module)
	_, _, err := m.Invoke(t.Context(), contract.Request{Action: "a", Reason: contract.ReasonExecute}, nil)
	if f := wantFailure(t, err, wasm.CodeOutputInvalid, contract.OriginPlugin); !strings.Contains(f.Message, "64 levels") {
		t.Errorf("message %q", f.Message)
	}
	bare := load(t, newHost(t), evil(t, "failing"))
	_, _, err = bare.Invoke(t.Context(), contract.Request{Action: "a", Reason: contract.ReasonExecute}, nil)
	wantFailure(t, err, wasm.CodeManifestInvalid, contract.OriginPlugin)
}
