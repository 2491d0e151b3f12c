package wasm

import (
	"slices"
	"testing"
)

// TestTheAnswerComesBeforeTheInstanceIsRestored: who waits for a result does not wait until the
// instance is fit for the next call, and the next call finds it fit.
func TestTheAnswerComesBeforeTheInstanceIsRestored(t *testing.T) {
	t.Parallel()
	h := newHost(Config{Parallel: 1})
	all := allFuncs()
	f := all[slices.IndexFunc(all, func(f namedFunc) bool { return f.name == "input_length" })]
	a, e := analyse(caller(f, nil), h.limits)
	if e != nil {
		t.Fatal(e)
	}
	l, e := h.build(t.Context(), a, t.TempDir(), h.limits)
	if e != nil {
		t.Fatal(e)
	}
	defer l.close(t.Context())
	m := &Module{host: h, info: a.info, calls: a.calls, limits: h.limits, live: l}
	l.refs = 1
	for range 3 {
		var idle []int
		count := func() {
			l.idle.mu.Lock()
			defer l.idle.mu.Unlock()
			idle = append(idle, len(l.idle.free))
		}
		r, err := m.Call(t.Context(), Call{Export: "execute", answered: func(got Result, err error) {
			if count(); err != nil || got.Output == nil {
				t.Errorf("the answer is %v, %v", got, err)
			}
		}})
		if count(); err != nil || !slices.Equal(idle, []int{0, 1}) {
			t.Errorf("%v, %v: idle instances at the answer and after the call: %v", r, err, idle)
		}
	}
}
