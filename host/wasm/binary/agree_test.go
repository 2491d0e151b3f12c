package binary

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// twins are instances of one module: as it is, as Rewrite makes it, and with a yield
// at nearly every check.
type twins struct {
	runtime wazero.Runtime
	insts   []api.Module
	starts  []string // how the start functions ended
	module  *Module
}

// everies are the ticks between two yields of the rewritten twins.
func everies() []int { return []int{YieldEvery, 2} }

// newTwins makes twins, or reports why the parser or the runtime refuses the module.
func newTwins(ctx context.Context, module []byte) (*twins, error) {
	m, err := Parse(module, "", DefaultLimits())
	if err != nil {
		return nil, err
	}
	tw := &twins{module: m, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(64))}
	if err := tw.imports(ctx); err != nil {
		return tw, err
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	plain, err := tw.runtime.InstantiateWithConfig(ctx, module, config)
	if plain == nil && m.Start == nil {
		return tw, err
	}
	tw.insts, tw.starts = append(tw.insts, plain), append(tw.starts, ending(err))
	for _, every := range everies() {
		inst, err := tw.runtime.InstantiateWithConfig(ctx, rewrite(m, 1<<20, every).Bytes, config)
		if err != nil {
			return tw, fmt.Errorf("the original is accepted, the rewritten module is not: %w", err)
		}
		if m.HasMemory {
			all, _ := inst.Memory().Read(0, inst.Memory().Size())
			m.ApplyData(all)
		}
		if m.Start != nil {
			_, err = inst.ExportedFunction(StartExport).Call(ctx)
		}
		tw.insts, tw.starts = append(tw.insts, inst), append(tw.starts, ending(err))
	}
	return tw, nil
}

// imports offers what the modules of the runtime's tests import.
func (tw *twins) imports(ctx context.Context) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, tw.runtime); err != nil {
		return err
	}
	b := tw.runtime.NewHostModuleBuilder("spectest")
	i32, i64, f32, f64 := api.ValueTypeI32, api.ValueTypeI64, api.ValueTypeF32, api.ValueTypeF64
	for name, params := range map[string][]api.ValueType{
		"print": nil, "print_i32": {i32}, "print_i64": {i64}, "print_f32": {f32}, "print_f64": {f64},
		"print_i32_f32": {i32, f32}, "print_f64_f64": {f64, f64},
	} {
		b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) {}), params, nil).Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

func (tw *twins) close(ctx context.Context) error {
	if tw == nil {
		return nil
	}
	return tw.runtime.Close(ctx)
}

// agree calls an export of each twin and reports whether all ended in the same way,
// with the same memory and the same exported globals.
func (tw *twins) agree(ctx context.Context, t *testing.T, export string, args []uint64) {
	t.Helper()
	var seen []string
	for _, inst := range tw.insts {
		f := inst.ExportedFunction(export)
		if f == nil {
			seen = append(seen, "no such export")
			continue
		}
		results, err := f.Call(ctx, args...)
		seen = append(seen, fmt.Sprintf("%x %s %s", results, ending(err), tw.state(inst)))
	}
	for i := range seen {
		if seen[i] != seen[0] {
			t.Fatalf("%s%x: the original ends with\n%.300s\nthe rewritten module %d with\n%.300s", export, args, seen[0], i, seen[i])
		}
	}
}

// state is what can be seen of an instance from outside: its memory and its exported
// globals.
func (tw *twins) state(inst api.Module) string {
	var b strings.Builder
	if tw.module.HasMemory {
		all, _ := inst.Memory().Read(0, inst.Memory().Size())
		h := fnv.New64a()
		_, _ = h.Write(all)
		fmt.Fprintf(&b, "memory %d %x", len(all), h.Sum64())
	}
	for _, e := range tw.module.Exports {
		if e.Kind == KindGlobal {
			fmt.Fprintf(&b, " %s %x", e.Name, inst.ExportedGlobal(e.Name).Get())
		}
	}
	return b.String()
}

// ending is how a call ended.
func ending(err error) string {
	if err == nil {
		return "returned"
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	// The text of a start function that trapped names the module and the function.
	if _, after, ok := strings.Cut(line, "] failed: "); ok {
		line = after
	}
	return line
}

// sortedKeys is for loops whose order must not matter to a failure's text.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
