package wasm

import (
	"context"
	"encoding/binary"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// namedFunc is a host function with its module.
type namedFunc struct {
	module string
	hostFunc
}

// allFuncs lists every host function in a fixed order.
func allFuncs() []namedFunc {
	var all []namedFunc
	for module, funcs := range hostFuncs() {
		for _, f := range funcs {
			all = append(all, namedFunc{module, f})
		}
	}
	slices.SortFunc(all, func(a, b namedFunc) int { return strings.Compare(a.module+a.name, b.module+b.name) })
	return all
}

// caller encodes a module whose execute calls a host function with constants.
func caller(f namedFunc, args []uint64) []byte {
	params, results := signature(f.sig)
	vec := func(items ...byte) []byte { return append([]byte{byte(len(items))}, items...) }
	typ := append([]byte{2, 0x60}, vec(params...)...)
	typ = append(append(typ, vec(results...)...), 0x60, 0, 1, 0x7f)
	imp := append([]byte{1, byte(len(f.module))}, f.module...)
	imp = append(append(append(imp, byte(len(f.name))), f.name...), 0, 0)
	body := []byte{0}
	for i, p := range params {
		v := int64(args[i])
		op := byte(0x42)
		if p == 0x7f {
			v, op = int64(int32(v)), 0x41
		}
		body = append(body, op)
		for {
			c := byte(v & 0x7f)
			v >>= 7
			if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
				body = append(body, c)
				break
			}
			body = append(body, c|0x80)
		}
	}
	body = append(body, 0x10, 0)
	for range results {
		body = append(body, 0x1a)
	}
	body = append(body, 0x41, 0, 0x0b)
	module := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, content []byte) { module = append(append(module, id, byte(len(content))), content...) }
	section(1, typ)
	section(2, imp)
	section(3, []byte{1, 1})
	section(5, []byte{1, 0, 1})
	section(7, append(append([]byte{1}, vec([]byte("execute")...)...), 0, 1))
	section(10, append([]byte{1, byte(len(body))}, body...))
	if f.name == httpRequestName {
		manifest := contract.ManifestSection + `{"format":"culm.plugin/v1","id":"p","version":"1.0.0","title":"p","actions":[{"id":"a","title":"a","inputs":{"type":"object"},` +
			`"outputs":{"type":"object"}}],"needs":[{"system":"s","operation":"o"}]}`
		size := len(contract.ManifestSection)
		module = binary.AppendUvarint(append(module, 0), uint64(len(manifest)+1))
		module = append(append(module, byte(size)), manifest...)
	}
	return module
}

// callHostile builds and runs a module that makes one call, and checks how it ends.
func callHostile(t *testing.T, h *Host, f namedFunc, args []uint64) {
	t.Helper()
	a, e := analyse(caller(f, args), h.limits)
	if e != nil {
		t.Fatalf("%s.%s: %v", f.module, f.name, e)
	}
	l, e := h.build(t.Context(), a, t.TempDir(), h.limits)
	if e != nil {
		t.Fatalf("%s.%s: %v", f.module, f.name, e)
	}
	defer l.close(t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	v := newInvocation(h, h.limits, Call{Input: []byte("some input")})
	v.enter(ctx)
	defer v.leave()
	_, i, e := l.run(ctx, v, "execute", returnsStatus)
	l.keep(ctx, v, i)
	if e == nil {
		return
	}
	switch e.Failure.Code {
	case CodeTrap, CodeResource, CodeHostCallLimit, CodeOutputLimit, CodeVarRefused, CodeTimeout:
	default:
		t.Errorf("%s.%s(%#x): %v, cause %v", f.module, f.name, args, e, e.Cause)
	}
	if e.Failure.Origin == contract.OriginHost || strings.Contains(e.Failure.Message, ".go") {
		t.Errorf("%s.%s(%#x): %+v", f.module, f.name, args, e.Failure)
	}
}

// TestHostFunctionsMisused calls every host function with pointers and sizes at and
// beyond every edge: it returns or ends the call with an error of the plugin.
func TestHostFunctionsMisused(t *testing.T) {
	t.Parallel()
	h := newHost(Config{Parallel: 64})
	edges := []uint64{0, 1, 8, 65528, 65535, 65536, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1<<32 - 8, 1<<63 - 1, 1 << 63, ^uint64(0) - 7, ^uint64(0)}
	for _, f := range allFuncs() {
		params, _ := signature(f.sig)
		for i, edge := range edges {
			if raceDetector && i%4 != 3 { // each call compiles a module
				continue
			}
			args := make([]uint64, len(params))
			for p := range args {
				args[p] = edge
				if p%2 == 1 {
					args[p] = edges[(i*5+p)%len(edges)]
				}
			}
			callHostile(t, h, f, args)
			if len(params) == 0 {
				break
			}
		}
	}
}

// FuzzHostFunctions calls a host function with any arguments.
func FuzzHostFunctions(f *testing.F) {
	h := newHost(Config{Parallel: 64})
	all := allFuncs()
	f.Add(uint8(0), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		args := make([]uint64, 9)
		for i := range args {
			var b [8]byte
			copy(b[:], raw[min(8*i, len(raw)):])
			args[i] = binary.LittleEndian.Uint64(b[:])
		}
		callHostile(t, h, all[int(which)%len(all)], args)
	})
}

// TestHostFunctionsDocumented: each function of culm:host/v1 is in the package's
// documentation, with its type.
func TestHostFunctionsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range hostFuncs()[moduleCulm] {
		params, results := signature(f.sig)
		line := regexp.MustCompile(`(?m)^//\t` + f.name + `\(([^)]*)\)( -> \(([^)]*)\))?`).FindStringSubmatch(string(doc))
		if line == nil {
			t.Errorf("%s is not documented", f.name)
			continue
		}
		if got := strings.Count(line[1], "i32") + strings.Count(line[1], "i64"); got != len(params) {
			t.Errorf("%s is documented with %d parameters, it has %d", f.name, got, len(params))
		}
		if got := strings.Count(line[3], "i32") + strings.Count(line[3], "i64"); got != len(results) {
			t.Errorf("%s is documented with %d results, it has %d", f.name, got, len(results))
		}
	}
}
