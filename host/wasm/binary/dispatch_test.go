package binary

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// dispatch writes a loop as Go's compiler puts around bodies: blocks, a table that selects one by a local, and jumps that set the
// local. Each place where it can go on spends fuel: its header must not.
func (k *maker) dispatch() {
	local := slices.Index(k.locals, I32)
	if local < 0 {
		return
	}
	n := 1 + k.r.IntN(4)
	k.labels = append(k.labels, nil)
	loop := len(k.labels)
	k.op(0x03, 0x40)
	for range n {
		k.labels = append(k.labels, nil)
		k.op(0x02, 0x40)
	}
	k.op(0x20, byte(local), 0x0e, byte(n))
	for range n + 1 {
		k.op(byte(k.r.IntN(n)))
	}
	jump := func() {
		k.b = appendS(append(k.b, 0x41), int64(k.r.IntN(n+3)-1))
		k.op(0x21, byte(local), 0x0c, byte(len(k.labels)-loop))
	}
	for range n {
		k.labels = k.labels[:len(k.labels)-1]
		k.op(0x0b)
		k.spend()
		k.list(nil)
		switch k.r.IntN(4) {
		case 0, 1:
			k.value(I32)
			k.labels = append(k.labels, nil)
			k.op(0x04, 0x40)
			jump()
			k.labels = k.labels[:len(k.labels)-1]
			k.op(0x0b)
		case 2:
			jump()
		}
	}
	k.labels = k.labels[:len(k.labels)-1]
	k.op(0x0b)
}

// The modules made at random hold every kind of edit that a rewrite makes.
func TestRandomModulesMeetEveryEdit(t *testing.T) {
	t.Parallel()
	seen := map[editKind]bool{}
	for seed := range uint64(300) {
		m, err := parse(makeModule(seed))
		if err != nil {
			continue
		}
		w := rewriter{m: m, tableElements: 10, plan: plan{every: YieldEvery}}
		w.weigh()
		for i, c := range m.codes {
			w.function(nil, i, c)
			for _, e := range w.plan.edits {
				seen[e.kind] = true
			}
		}
	}
	for k := wrapLoop; k <= chargeJump; k++ {
		if !seen[k] {
			t.Errorf("no module has an edit of kind %d", k)
		}
	}
}

// dispatching is a module whose function runs body in the last of two blocks, which 0 selects; 1 and what is beyond the table
// select the other, which ends behind body. Labels in body: 0 is that block, 1 the loop.
func dispatching(body ...byte) []byte {
	f := []byte{1, 2, 0x7f, 0x03, 0x40, 0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0e, 1, 0, 1, 0x0b}
	f = append(append(f, body...), 0x0b, 0x0b, 0x41, 3, 0x0b)
	return build(sec(1, 1, 0x60, 0, 1, 0x7f), sec(3, 1, 0), sec(7, 1, 3, 'r', 'u', 'n', 0, 0), sec(10, append([]byte{1, byte(len(f))}, f...)...))
}

// Whatever way a function of this shape finds to go on for ever, it meets a check; one that only goes on meets none.
func TestDispatchThatGoesBackIsStopped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body []byte
		ends bool
	}{
		"jump back":                       {body: []byte{0x41, 0, 0x21, 0, 0x0c, 1}},
		"jump back out of an if":          {body: []byte{0x41, 1, 0x04, 0x40, 0x41, 0, 0x21, 0, 0x0c, 2, 0x0b}},
		"jump without a choice":           {body: []byte{0x0c, 1}},
		"jump that may be taken":          {body: []byte{0x41, 1, 0x0d, 1}},
		"jump by a table":                 {body: []byte{0x41, 1, 0x0e, 1, 0, 1}},
		"jump that sets another local":    {body: []byte{0x41, 1, 0x21, 1, 0x0c, 1}},
		"jump that sets it to what it is": {body: []byte{0x20, 0, 0x21, 0, 0x0c, 1}},
		"jump with a word in between":     {body: []byte{0x41, 1, 0x1a, 0x41, 0, 0x21, 0, 0x01, 0x0c, 1}},
		"loop in the block":               {body: []byte{0x03, 0x40, 0x0c, 0, 0x0b}},
		"jump on":                         {body: []byte{0x41, 1, 0x21, 0, 0x0c, 1}, ends: true},
		"jump beyond the table":           {body: []byte{0x41, 9, 0x21, 0, 0x0c, 1}, ends: true},
		"jump to what is negative":        {body: []byte{0x41, 0x7f, 0x21, 0, 0x0c, 1}, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := parse(dispatching(c.body...))
			if err != nil {
				t.Fatal(err)
			}
			r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler())
			defer r.Close(context.Background())
			inst, instErr := r.InstantiateWithConfig(t.Context(), Rewrite(m, 10).Bytes, wazero.NewModuleConfig().WithStartFunctions())
			if instErr != nil {
				t.Fatal(instErr)
			}
			late := time.AfterFunc(10*time.Millisecond, func() { inst.ExportedGlobal(StopExport).(api.MutableGlobal).Set(1) })
			defer late.Stop()
			res, callErr := inst.ExportedFunction("run").Call(t.Context())
			if c.ends != (callErr == nil) || c.ends && res[0] != 3 {
				t.Errorf("it ended with %v, %v", res, callErr)
			}
		})
	}
}
