package wasm

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm/binary"
)

// globalValue is the value that a mutable global has at the beginning of a call.
type globalValue struct {
	export string
	value  uint64
}

// globalsMax bounds the globals that are restored for each call; the instances of a
// module with more mutable globals are made anew.
const globalsMax = 256

// snapshot takes the memory image: after initialisation where that is sound, else
// before it.
func (l *live) snapshot(ctx context.Context, h *Host, a *analysis, rw binary.Rewritten, lim Limits) *Error {
	if e := l.bare(ctx, h, a, rw, lim); e != nil {
		return e
	}
	v := newInvocation(h, lim, Call{})
	v.tape = replay.NewTape(startBytesMax)
	v.enter(ctx)
	defer v.leave()
	i, e := l.make(ctx, v)
	if e != nil {
		return e
	}
	l.globals, l.renewable = globalValues(i.inst, a, rw)
	taken, e := l.afterStart(ctx, v, i, a, rw)
	if err := l.discard(ctx, i); err != nil && e == nil {
		e = hostFault("closing a plugin", err)
	}
	if e != nil || taken == nil {
		l.initialised = len(l.start) == 0
		return e
	}
	old := l.buffers
	if e := l.setImage(h, taken.memory, taken.random, lim); e != nil {
		return e
	}
	l.globals, l.initialised = taken.globals, true
	began, whole := v.tape.Events()
	l.began, l.beganCut = began, !whole
	if err := errors.Join(old.close(), old.image.mapping.close()); err != nil {
		return hostFault("freeing a memory image", err)
	}
	return nil
}

// bare takes the image before initialisation.
func (l *live) bare(_ context.Context, h *Host, a *analysis, _ binary.Rewritten, lim Limits) *Error {
	before := make([]byte, uint64(a.module.MemoryMin)*pageBytes)
	a.module.ApplyData(before)
	return l.setImage(h, before, nil, lim)
}

// setImage makes buffers that hold data.
func (l *live) setImage(h *Host, data []byte, random []span, lim Limits) *Error {
	m, err := newMapping(data)
	if err != nil {
		return hostFault("a memory image", err)
	}
	l.buffers = &buffers{
		image:   &image{mapping: m, size: uint64(len(data)), random: random},
		reserve: max(uint64(lim.MemoryBytes), uint64(len(data))),
		keep:    cap(h.slots), dirt: h.dirt,
	}
	l.idle.keep = cap(h.slots)
	return nil
}

// globalValues reads the mutable globals of an instance, and reports whether these
// and the memory are all that can change in it: no instruction of the module writes
// to a table or drops a segment, and no global is of a type that cannot be set from
// outside.
func globalValues(inst api.Module, a *analysis, rw binary.Rewritten) ([]globalValue, bool) {
	f := a.module.Features
	if f.TableWrites || f.DataDrops || len(rw.Globals) > globalsMax {
		return nil, false
	}
	var values []globalValue
	for _, i := range rw.Globals {
		switch a.module.Globals[i].Type {
		case binary.I32, binary.I64, binary.F32, binary.F64:
			name := binary.GlobalExport(i)
			values = append(values, globalValue{name, inst.ExportedGlobal(name).Get()})
		default:
			return nil, false
		}
	}
	return values, true
}

// frozen is what was taken from an initialised instance.
type frozen struct {
	memory  []byte
	random  []span
	globals []globalValue
}

// afterStart initialises an instance and takes its image, or nothing where a call
// would notice that it did not initialise itself: there is other state than memory
// and globals, state of the host or the time was read, or randomness that cannot
// be renewed.
func (l *live) afterStart(ctx context.Context, v *invocation, i *instance, a *analysis, rw binary.Rewritten) (*frozen, *Error) {
	if e := l.initialise(ctx, v, i); e != nil {
		return nil, e
	}
	noSnapshot := a.info.Manifest != nil && a.info.Manifest.NoSnapshot
	t := &v.touch
	if noSnapshot || !l.renewable || t.blocks || t.realtime || v.output != nil {
		return nil, nil
	}
	taken := &frozen{memory: append([]byte{}, i.memory.base[:i.memory.size]...)}
	if len(t.random) > 0 || t.mono {
		drew := !rw.TracksDraws || i.inst.ExportedGlobal(binary.DrawExport).Get() != 0
		if len(t.random) != 1 || drew {
			return nil, nil
		}
		var ok bool
		if taken.random, ok = goSeeds(t.random[0], taken.memory); !ok {
			return nil, nil
		}
	}
	var ok bool
	if taken.globals, ok = globalValues(i.inst, a, rw); !ok {
		return nil, nil
	}
	return taken, nil
}
