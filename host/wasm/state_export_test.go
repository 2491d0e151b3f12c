package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/culmhq/culm/host/replay"
	rewrite "github.com/culmhq/culm/host/wasm/binary"
)

// State is what is in an instance at the end of a call: its memory, its mutable globals
// but references, and what the host holds for it.
type State [sha256.Size]byte

// Traced is a call, recorded, with the state at its end.
type Traced struct {
	Recording *replay.Recording
	State     State
	// Renewed says that the instance went back to be used again.
	Renewed bool
}

// Tracer makes calls of a module and looks at what they leave.
type Tracer struct {
	m       *Module
	globals []string
	bare    *live // makes instances in buffers that were never used
}

// Tracer returns a tracer of a module.
func (m *Module) Tracer(ctx context.Context) (*Tracer, error) {
	dir, e := m.host.compiled(ctx, m.info.Digest, m.wasm)
	if e != nil {
		return nil, e
	}
	a, e := analyse(m.wasm, m.host.limits)
	if e != nil {
		return nil, e
	}
	t := &Tracer{m: m}
	for _, g := range rewrite.Rewrite(a.module, m.host.limits.Module.TableElements).Globals {
		if kind := a.module.Globals[g].Type; kind == rewrite.I32 || kind == rewrite.I64 || kind == rewrite.F32 || kind == rewrite.F64 {
			t.globals = append(t.globals, rewrite.GlobalExport(g))
		}
	}
	if t.bare, e = m.host.assemble(ctx, a, dir, m.limits, (*live).bare); e != nil {
		return nil, e
	}
	t.bare.buffers.keep = 0
	return t, nil
}

// Close frees what the tracer holds.
func (t *Tracer) Close(ctx context.Context) { t.m.host.bury(ctx, t.bare) }

// Call makes a recorded call as Module.Call does. When it has ended, the instance's
// memory is grown to its limit and filled with rubbish, and so are its globals, before
// it is renewed: the worst that a guest could leave behind.
func (t *Tracer) Call(ctx context.Context, c Call) (Traced, error) {
	if t.m.calls[c.Export] == notCallable {
		return Traced{}, failure("", CodeExportMissing, "no export %s", c.Export)
	}
	l, e := t.m.acquire(ctx)
	if e != nil {
		return Traced{}, e
	}
	defer t.m.release(ctx, l)
	v := newInvocation(t.m.host, t.m.limits, c)
	v.enter(ctx)
	defer v.leave()
	v.tape = replay.NewTape(math.MaxInt64)
	v.tape.Input(c.Input)
	v.started = t.m.host.now()
	i, e := l.ready(ctx, v)
	if e != nil {
		return Traced{}, e
	}
	if !l.initialised {
		e = l.initialise(ctx, v, i)
	}
	var stack [1]uint64
	if e == nil {
		v.initialised, v.output = true, nil
		e = l.enterGuest(ctx, v, i, c.Export, stack[:], v.limits.GuestTime)
	}
	out := Traced{State: t.state(v, i)}
	i.vandalise()
	out.Renewed = !v.unwound && e == nil && l.renewable && l.renew(v, i) && l.idle.put(i)
	if !out.Renewed {
		if err := l.discard(ctx, i); err != nil {
			return Traced{}, err
		}
	}
	r, err := v.finish(ctx, statusOf(t.m.calls[c.Export], stack[0]), e)
	out.Recording = v.recording(t.m, l, c, r, err)
	return out, nil
}

// Pristine plays a recording in an instance in which nothing ever ran, and returns the
// state at its end.
func (t *Tracer) Pristine(ctx context.Context, r *replay.Recording) (State, *replay.Report, error) {
	l := t.bare
	v := newInvocation(t.m.host, t.m.limits, Call{Export: r.Export, Input: r.Input})
	v.enter(ctx)
	defer v.leave()
	v.playing, v.player = r, replay.NewPlayer(r, t.m.info.Digest)
	i, e := l.make(ctx, v)
	if e != nil {
		return State{}, nil, e
	}
	i.memory.limit = min(uint64(v.limits.MemoryBytes), l.buffers.reserve)
	var stack [1]uint64
	if e = l.initialise(ctx, v, i); e == nil {
		if v.player.Image() {
			v.log, v.counts, v.blocks = logState{}, counts{}, blocks{}
			v.refresh(i)
		}
		v.player.Started()
		v.initialised, v.output = true, nil
		e = l.enterGuest(ctx, v, i, r.Export, stack[:], v.limits.GuestTime)
	}
	res, err := v.finish(ctx, statusOf(t.m.calls[r.Export], stack[0]), e)
	v.player.End(outcomeOf(res, err))
	return t.state(v, i), v.player.Report(t.m.info.Digest), l.discard(ctx, i)
}

// state hashes what is in an instance and what the host holds for it.
func (t *Tracer) state(v *invocation, i *instance) State {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %v %q\n", i.memory.size, len(v.blocks.sizes), v.vars, v.errSet)
	h.Write(i.memory.base[:i.memory.size])
	for _, g := range t.globals {
		_ = binary.Write(h, binary.LittleEndian, i.inst.ExportedGlobal(g).Get())
	}
	return State(h.Sum(nil))
}

// vandalise writes everywhere.
func (i *instance) vandalise() {
	if m := i.inst.Memory(); m != nil {
		m.Grow(uint32((i.memory.limit - i.memory.size) / pageBytes))
	}
	memory := i.memory.base[:i.memory.size]
	for n := copy(memory, "\xa5\x01rubbish\xff"); n > 0 && n < len(memory); n *= 2 {
		copy(memory[n:], memory[:n])
	}
	for _, g := range i.globals {
		g.Set(g.Get() ^ 0x5a5a5a5a)
	}
	i.stop.Set(1)
}
