package wasm

import (
	"context"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/wasm/binary"
	"github.com/culmhq/culm/pdk/contract"
)

// Names of the import modules that exist. Whatever a module imports from elsewhere
// is refused.
const (
	moduleExtism = "extism:host/env"
	moduleCulm   = "culm:host/v1"
	moduleWASI   = "wasi_snapshot_preview1"
)

// hostFunc is a function that a plugin may import. sig writes its type as
// "parameters>results" with i for i32 and I for i64. The function takes its
// parameters from the stack and leaves its result there; it gives up on the call
// with invocation.abort and never returns a Go error.
type hostFunc struct {
	name string
	sig  string
	fn   func(ctx context.Context, v *invocation, guest api.Module, stack []uint64)
}

// hostFuncs returns the functions of every import module: the allow-list.
func hostFuncs() map[string][]hostFunc {
	return map[string][]hostFunc{
		moduleExtism: join(extismBlocks(), extismInput(), extismVars(), extismLog(), extismHTTP()),
		moduleCulm:   join(culmGateway(), culmEval(), culmVars(), culmLog(), culmBulk()),
		moduleWASI:   join(wasiClock(), wasiRandom(), wasiFiles(), wasiProcess()),
	}
}

func join(lists ...[]hostFunc) []hostFunc {
	var all []hostFunc
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// link makes the host modules of a runtime.
func link(ctx context.Context, r wazero.Runtime) error {
	for module, funcs := range hostFuncs() {
		b := r.NewHostModuleBuilder(module)
		for _, f := range funcs {
			params, results := signature(f.sig)
			fn := f.fn
			b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(
				func(ctx context.Context, guest api.Module, stack []uint64) {
					v := invocationOf(ctx)
					v.checkHalt()
					fn(ctx, v, guest, stack)
				}), params, results).Export(f.name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return fmt.Errorf("link %s: %w", module, err)
		}
	}
	return nil
}

// signature reads the type of a host function.
func signature(sig string) (params, results []api.ValueType) {
	p, r, _ := strings.Cut(sig, ">")
	return apiTypes(p), apiTypes(r)
}

func apiTypes(s string) []api.ValueType {
	ts := make([]api.ValueType, len(s))
	for i := range s {
		ts[i] = api.ValueTypeI32
		if s[i] == 'I' {
			ts[i] = api.ValueTypeI64
		}
	}
	return ts
}

// checkImports refuses a module that imports what is not offered, naming every
// such import at once.
func checkImports(m *binary.Module, manifest *contract.Manifest) *Error {
	all := hostFuncs()
	var refused []string
	for _, i := range m.Imports {
		why := refusal(all[i.Module], m.Types[i.Type], i)
		if why == "" && i.Module == moduleExtism && i.Name == httpRequestName && (manifest == nil || len(manifest.Needs) == 0) {
			why = "its manifest needs no operation of a system, and there is no other way to HTTP"
		}
		if why != "" {
			refused = append(refused, fmt.Sprintf("%s.%s (%s)", clean(i.Module, 60), clean(i.Name, 60), why))
		}
		if len(refused) == 10 {
			break
		}
	}
	if refused == nil {
		return nil
	}
	return failure(contract.OriginPlugin, CodeImportDenied,
		"the module imports functions that the host does not grant: %s", strings.Join(refused, ", "))
}

// refusal says why an import cannot be linked, or nothing.
func refusal(offered []hostFunc, t binary.FuncType, i binary.Import) string {
	if offered == nil {
		return "unknown module"
	}
	for _, f := range offered {
		if f.name != i.Name {
			continue
		}
		params, results := signature(f.sig)
		if sameTypes(t.Params, params) && sameTypes(t.Results, results) {
			return ""
		}
		return "its type differs: the host's is " + f.sig
	}
	return "unknown function"
}

func sameTypes(a []binary.ValueType, b []api.ValueType) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if byte(a[i]) != b[i] {
			return false
		}
	}
	return true
}

// guestBytes returns the guest's memory [ptr, ptr+n), or ends the call.
func (v *invocation) guestBytes(guest api.Module, what string, ptr, n uint32) []byte {
	m := guest.Memory()
	if m == nil {
		v.misuse("%s: the module has no memory", what)
	}
	b, ok := m.Read(ptr, n)
	if !ok {
		v.misuse("%s: %d bytes at %d lie outside the memory of %d bytes", what, n, ptr, m.Size())
	}
	return b
}
