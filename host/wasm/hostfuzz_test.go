package wasm_test

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// puppet encodes a module whose execute reads numbers from its input and calls a host
// function with them: one module takes any number of inputs.
func puppet(f wasm.HostFunction) []byte {
	params, results, _ := strings.Cut(f.Sig, ">")
	types := func(s string) []byte {
		b := []byte{byte(len(s))}
		for _, c := range s {
			b = append(b, map[rune]byte{'i': 0x7f, 'I': 0x7e}[c])
		}
		return b
	}
	name := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	module := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, parts ...[]byte) {
		var content []byte
		for _, p := range parts {
			content = append(content, p...)
		}
		module = append(append(append(module, id), uleb(len(content))...), content...)
	}
	section(1, []byte{3, 0x60}, types(params), types(results), []byte{0x60, 0, 1, 0x7f, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f})
	section(2, []byte{2}, name(f.Module), name(f.Name), []byte{0, 0}, name("culm:host/v1"), name("input_read"), []byte{0, 2})
	section(3, []byte{1, 1})
	section(5, []byte{1, 0, 1})
	section(7, []byte{1}, name("execute"), []byte{0, 2})
	body := []byte{0, 0x41, 0, 0x41, 0, 0x41}
	body = append(append(body, 8*byte(len(params))&0x7f|0x80, 8*byte(len(params))>>7), 0x10, 1, 0x1a)
	for i, p := range params {
		load := []byte{0x29, 3}
		if p == 'i' {
			load = []byte{0x28, 2}
		}
		body = append(append(append(body, 0x41, 0), load...), 8*byte(i))
	}
	body = append(body, 0x10, 0)
	for range results {
		body = append(body, 0x1a)
	}
	body = append(body, 0x41, 0, 0x0b)
	section(10, []byte{1}, uleb(len(body)), body)
	manifest := `{"format":"culm.plugin/v1","id":"x","version":"1.0.0","title":"x","needs":[{"system":"a","operation":"b"}],` +
		`"actions":[{"id":"a","title":"a","inputs":{"type":"object"},"outputs":{"type":"object"}}]}`
	section(0, name("culm.manifest"), []byte(manifest))
	return module
}

// hostile makes the arguments of a call: edges, and numbers near and far.
func hostile(r *rand.Rand, n int) []byte {
	edges := []uint64{0, 1, 4, 8, 16, 64, 65_520, 65_528, 65_535, 65_536, 1<<31 - 1, 1 << 31, 1<<32 - 8, 1<<32 - 1, 1<<63 - 1, 1 << 63, ^uint64(0)}
	var b []byte
	for range n {
		v := edges[r.IntN(len(edges))]
		switch r.IntN(4) {
		case 0:
			v += uint64(r.IntN(16)) - 8
		case 1:
			v = r.Uint64() >> r.IntN(64)
		}
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// TestEveryHostFunctionIsFuzzed calls each host function with pointers, sizes and numbers
// of every kind, in both tiers: it returns, or ends the call with a typed error of the
// plugin, and the next call finds everything as it was. CULM_INPUTS sets how many.
func TestEveryHostFunctionIsFuzzed(t *testing.T) { inBothTiers(t, testEveryHostFunctionIsFuzzed) }

func testEveryHostFunctionIsFuzzed(t *testing.T, in tier) {
	n := wasm.Inputs(t, 2000, 200)
	if in.name != "in process" {
		n = max(n/10, 20)
	}
	h := newHost(t, slowMachine)
	for _, f := range wasm.HostFunctions() {
		t.Run(f.Module+"."+f.Name, func(t *testing.T) {
			m := in.load(t, h, puppet(f))
			params, _, _ := strings.Cut(f.Sig, ">")
			r := rand.New(rand.NewPCG(7, 11))
			count := n
			switch {
			case params == "":
				count = 1
			case f.Name == "poll_oneoff": // which waits
				count = n / 20
			}
			for range count {
				args := hostile(r, len(params))
				_, err := m.Call(t.Context(), wasm.Call{Export: "execute", Input: args, Limits: contract.Limits{TimeoutMS: 20}})
				if why := odd(err); why != "" {
					t.Fatalf("with %x: %s", args, why)
				}
			}
		})
	}
}

// odd says what is wrong with how a call of a hostile guest ended.
func odd(err error) string {
	f := wasm.AsFailure(err)
	if f == nil {
		return ""
	}
	switch f.Code {
	case wasm.CodeTrap, wasm.CodeResource, wasm.CodeHostCallLimit, wasm.CodeOutputLimit, wasm.CodeVarRefused, wasm.CodeTimeout, wasm.CodeFailed:
	case "GATEWAY_ABSENT": // what http_request ends with where there is no gateway
	default:
		return f.Error()
	}
	for _, leak := range []string{"goroutine", ".go:", "runtime error", "wazero"} {
		if strings.Contains(f.Message, leak) {
			return "it shows " + leak + ": " + f.Message
		}
	}
	return ""
}
