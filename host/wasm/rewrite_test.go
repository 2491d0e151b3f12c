package wasm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// observed is what can be seen of a call from outside.
type observed struct {
	status uint32
	output string
	trap   string
	memory string
}

// plainCall runs an export of the module as it is, without rewrite, image or
// watch.
func plainCall(t *testing.T, h *Host, c wazero.RuntimeConfig, module []byte, export string, input []byte) observed {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), c)
	defer r.Close(context.Background())
	if err := link(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	v := newInvocation(h, h.limits, Call{Input: input})
	ctx := &invocationContext{t.Context(), v}
	inst, err := r.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		t.Fatal(err)
	}
	v.initialised, v.output = true, nil
	res, err := inst.ExportedFunction(export).Call(ctx)
	return observe(v, inst, res, err)
}

// PlainCall runs an export of the module as it is, by the interpreter, and returns
// its output, and whether it trapped.
func PlainCall(t *testing.T, h *Host, module []byte, export string, input []byte) (string, bool) {
	t.Helper()
	o := plainCall(t, h, wazero.NewRuntimeConfigInterpreter(), module, export, input)
	return o.output, o.trap != ""
}

// hostCall runs an export as the host does.
func hostCall(t *testing.T, h *Host, module []byte, export string, input []byte) observed {
	t.Helper()
	a, e := analyse(module, h.limits)
	if e != nil {
		t.Fatal(e)
	}
	l, e := h.build(t.Context(), a, t.TempDir(), h.limits)
	if e != nil {
		t.Fatal(e)
	}
	defer l.close(t.Context())
	v := newInvocation(h, h.limits, Call{Input: input})
	i, e := l.ready(t.Context(), v)
	if e != nil {
		t.Fatal(e)
	}
	if !l.initialised {
		if e := l.initialise(t.Context(), v, i); e != nil {
			t.Fatal(e)
		}
	}
	v.initialised, v.output = true, nil
	res, err := i.inst.ExportedFunction(export).Call(&invocationContext{t.Context(), v})
	o := observe(v, i.inst, res, err)
	if err := l.discard(t.Context(), i); err != nil {
		t.Error(err)
	}
	return o
}

func observe(v *invocation, inst api.Module, res []uint64, err error) observed {
	o := observed{output: string(v.output)}
	if len(res) > 0 {
		o.status = uint32(res[0])
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		o.trap = e.Failure.Message
	case err != nil:
		o.trap = firstLine(err.Error())
	}
	if m := inst.Memory(); m != nil {
		b, _ := m.Read(0, m.Size())
		o.memory = fmt.Sprintf("%d bytes %x", m.Size(), sha256.Sum256(b))
	}
	return o
}

// TestRewriteChangesNothing: the original module and the rewritten one, which runs
// over the image, agree in status, output, trap and every byte of memory.
func TestRewriteChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(Config{})
	for _, path := range []string{
		"flow", "small", "restock", "evil/state", "evil/state-image", "evil/divide", "evil/outside", "evil/unreachable",
		"evil/indirect", "evil/exits", "evil/failing", "evil/log-spam", "evil/deep-json", "evil/output-huge", "evil/alloc-huge",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			module, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(path)+".wasm"))
			if err != nil {
				t.Fatal(err)
			}
			input := []byte(`{"action":"missing","inputs":{"system":"s","service":"x","wanted":3}}`)
			plain := plainCall(t, h, wazero.NewRuntimeConfigCompiler(), module, "execute", input)
			host := hostCall(t, h, module, "execute", input)
			if plain != host {
				t.Errorf("the original gives %+v\nthe rewritten  %+v", plain, host)
			}
			if path == "flow" && (plain.trap != "" || len(plain.output) != 8) {
				t.Errorf("the flow module does not run to its end: %+v", plain)
			}
		})
	}
}
