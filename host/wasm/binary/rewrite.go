package binary

import "strconv"

// Reserved begins the names of the exports that Rewrite adds; no module may
// export such a name itself.
const Reserved = "culm:"

// The exports that Rewrite adds.
const (
	// StopExport is a mutable i32 global. Once it is not zero, the module traps
	// with unreachable at its next yield.
	StopExport = Reserved + "stop"
	// StartExport is the former start function, in a module that had one.
	StartExport = Reserved + "start"
	// DrawExport is a mutable i32 global that is not zero once a Go program drew
	// from the runtime's random source; absent where that cannot be told.
	DrawExport = Reserved + "draws"
)

// RewriteVersion changes whenever the same module would be rewritten to other
// bytes or with other meaning; it is part of the keys of caches.
const RewriteVersion = 6

// YieldEvery is the number of ticks between two yields: rounds of loops and calls, more
// for those that are long. A yield leaves native code for a moment: 5,000 ticks are some
// microseconds of a tight loop and a few milliseconds of the slowest code, so that a stop
// and the Go scheduler are never far, and cost nothing that can be measured.
const YieldEvery = 5_000

// GlobalExport returns the name under which Rewrite exports the mutable global i.
func GlobalExport(i int) string { return Reserved + "g" + strconv.Itoa(i) }

// Rewritten is a module prepared for the host.
type Rewritten struct {
	Bytes []byte
	// Globals are the indices of the mutable globals, each exported as
	// GlobalExport(i).
	Globals []int
	// TracksDraws says that DrawExport exists.
	TracksDraws bool
}

// Rewrite prepares a parsed module:
//
//   - a counter is decremented at loop headers, at the entry of functions that may call
//     themselves again or are large, by the more the more code follows, and by its length
//     at every bulk instruction; when YieldEvery ticks are used up a helper leaves native
//     code by memory.grow 0, which is where the Go scheduler and the garbage collector
//     get their chance, and traps if StopExport is set;
//   - tables get a maximum of tableElements, so that table.grow fails beyond;
//   - the start function becomes StartExport, to be called under a deadline;
//   - mutable globals are exported, for the snapshot;
//   - active data segments are taken out: the host puts their bytes into the
//     memory image. Passive ones stay, under their indices;
//   - custom sections but the names are dropped.
//
// Indices of types, functions, globals and tables do not change: everything new
// is appended.
func Rewrite(m *Module, tableElements uint32) Rewritten {
	return rewrite(m, tableElements, YieldEvery)
}

// rewrite is Rewrite with that many ticks between two yields, at least two.
func rewrite(m *Module, tableElements uint32, every int) Rewritten {
	w := rewriter{m: m, tableElements: tableElements, plan: plan{every: every}}
	w.drawers, w.tracks = m.goDraws()
	ng := uint64(len(m.Globals))
	w.helper = uint64(len(m.Imports) + len(m.Functions))
	w.stop, w.ticks, w.draws = ng, ng+1, ng+2
	w.mark = appendU([]byte{0x41, 1, 0x24}, w.draws) // i32.const 1; global.set draws
	w.weigh()
	return w.assemble()
}

// rewriter holds the indices of what is appended and the code to insert.
type rewriter struct {
	m             *Module
	tableElements uint32
	drawers       map[int]bool
	tracks        bool

	stop, ticks, draws, helper uint64 // global and function indices

	mark    []byte // inserted at the entry of functions that draw
	checked []bool // the functions that are checked at their entry
	work    []int  // of calling those that are not, in bytes of code
	plan    plan   // of the function at hand
}

// assemble writes the new module.
func (w *rewriter) assemble() Rewritten {
	raw := map[byte]section{}
	size := 0
	for _, s := range w.m.sections {
		size += len(s.body)
		if s.id != secCustom {
			raw[s.id] = s
		}
	}
	out := append(make([]byte, 0, size+size/8+256), "\x00asm\x01\x00\x00\x00"...)
	put := func(id byte, b []byte) {
		if b != nil {
			out = appendU(append(out, id), uint64(len(b)))
			out = append(out, b...)
		}
	}
	globals := w.mutableGlobals()
	put(secType, extend(raw[secType].body, 2, []byte{0x60, 0, 0, 0x60, 1, byte(I32), 0}))
	put(secImport, raw[secImport].body)
	put(secFunction, extend(raw[secFunction].body, 2, appendU(appendU(nil, uint64(len(w.m.Types))), uint64(len(w.m.Types)+1))))
	put(secTable, w.tables())
	put(secMemory, w.memory(raw[secMemory].body))
	put(secGlobal, w.globals(raw[secGlobal].body))
	put(secExport, w.exports(raw[secExport].body, globals))
	put(secElement, raw[secElement].body)
	if w.m.Features.DataDrops {
		put(secDataCount, raw[secDataCount].body)
	}
	put(secCode, w.code())
	if w.m.Features.DataDrops {
		put(secData, w.data())
	}
	if w.m.names != nil {
		put(secCustom, append(appendName(nil, "name"), w.m.names...))
	}
	return Rewritten{Bytes: out, Globals: globals, TracksDraws: w.tracks}
}

// extend returns a vector section with n entries appended; a missing section
// becomes one of just those.
func extend(body []byte, n uint64, entries []byte) []byte {
	r := reader{b: body}
	if body != nil {
		n += uint64(r.u32())
	}
	b := appendU(make([]byte, 0, len(body)+len(entries)+4), n)
	b = append(b, body[r.pos:]...)
	return append(b, entries...)
}

// mutableGlobals lists the globals that a snapshot must hold.
func (w *rewriter) mutableGlobals() []int {
	var is []int
	for i, g := range w.m.Globals {
		if g.Mutable {
			is = append(is, i)
		}
	}
	return is
}

// tables writes the table section with a maximum for each table.
func (w *rewriter) tables() []byte {
	if w.m.Tables == nil {
		return nil
	}
	b := appendU(nil, uint64(len(w.m.Tables)))
	for _, t := range w.m.Tables {
		high := w.tableElements
		if t.HasMax {
			high = min(high, t.Max)
		}
		b = appendU(append(b, t.Type, 1), uint64(t.Min))
		b = appendU(b, uint64(high))
	}
	return b
}

// memory returns the memory section, or one of no pages: yields need a memory.
func (w *rewriter) memory(body []byte) []byte {
	if w.m.HasMemory {
		return body
	}
	return []byte{1, 1, 0, 0}
}

// globals appends the stop flag, the tick counter and, for Go, the draw flag.
func (w *rewriter) globals(body []byte) []byte {
	zero := []byte{byte(I32), 1, 0x41, 0, 0x0b}
	b := append([]byte{}, zero...)
	b = append(b, byte(I32), 1, 0x41)
	b = append(appendS(b, int64(w.plan.every)), 0x0b)
	n := uint64(2)
	if w.tracks {
		b = append(b, zero...)
		n++
	}
	return extend(body, n, b)
}

// exports appends what the host needs to reach.
func (w *rewriter) exports(body []byte, globals []int) []byte {
	var b []byte
	n := uint64(0)
	add := func(name string, kind byte, index uint64) {
		b = appendU(append(appendName(b, name), kind), index)
		n++
	}
	for _, i := range globals {
		add(GlobalExport(i), KindGlobal, uint64(i))
	}
	add(StopExport, KindGlobal, w.stop)
	if w.tracks {
		add(DrawExport, KindGlobal, w.draws)
	}
	if w.m.Start != nil {
		add(StartExport, KindFunc, uint64(*w.m.Start))
	}
	return extend(body, n, b)
}

// code writes the code section with the checks and the helper.
func (w *rewriter) code() []byte {
	size := 0
	for _, c := range w.m.codes {
		size += len(c.bytes)
	}
	b := appendU(make([]byte, 0, size+size/8+64), uint64(len(w.m.codes)+2))
	var f []byte
	for i, c := range w.m.codes {
		f = w.function(f[:0], i, c)
		b = appendU(b, uint64(len(f)))
		b = append(b, f...)
	}
	for _, f := range w.helpers() {
		b = appendU(b, uint64(len(f)))
		b = append(b, f...)
	}
	return b
}

// helpers returns the bodies of the functions that checks call: the yield, and what takes
// ticks for the rounds of a short loop and yields if none are left.
func (w *rewriter) helpers() [2][]byte {
	f := append([]byte{0, 0x41}, appendS(nil, int64(w.plan.every))...) // no locals; i32.const every
	f = appendU(append(f, 0x24), w.ticks)                              // global.set ticks
	f = append(f, 0x41, 0, 0x40, 0, 0x1a)                              // i32.const 0; memory.grow; drop
	f = appendU(append(f, 0x23), w.stop)                               // global.get stop
	f = append(f, 4, 0x40, 0, 0x0b, 0x0b)                              // if; unreachable; end; end
	return [2][]byte{f, append(w.yield(w.pay([]byte{0})), 0x0b)}
}

// function appends one body with its checks to f.
func (w *rewriter) function(f []byte, i int, c body) []byte {
	k := walker{reader: reader{b: c.bytes, base: c.at}, m: w.m, locals: ^uint32(0), plan: &w.plan}
	w.plan.begin()
	imports := uint32(len(w.m.Imports))
	k.callees = func(f uint32) {
		if f >= imports {
			w.plan.more(w.work[f-imports])
		}
	}
	k.walk()
	params := uint64(len(w.m.Types[w.m.Functions[i]].Params))
	locals, temp, left := w.localsOf(&k)
	temp, left = params+temp, params+left
	f = append(f, locals...)
	if w.drawers[i] {
		f = append(f, w.mark...)
	}
	if w.checked[i] {
		f = w.entry(f, w.plan.weightOf(w.plan.work(&k)))
	}
	last := k.start
	for _, e := range w.plan.edits {
		f = append(f, c.bytes[last:e.at]...)
		last = e.end
		f = w.edit(f, e, c.bytes[e.at:e.end], temp, left)
	}
	return append(f, c.bytes[last:]...)
}

// edit appends what an edit puts in the place of the old bytes. temp and left are the locals of localsOf.
func (w *rewriter) edit(f []byte, e edit, old []byte, temp, left uint64) []byte {
	switch e.kind {
	case wrapLoop:
		f = w.openLoop(f, old[1], e.value)
	case closeLoop:
		f = w.closeLoop(f)
	case wrapShort:
		f = w.openShort(f, old[1], left, e.value)
	case closeShort:
		f = w.closeShort(f, left, e.value)
	case wrapDispatch:
		f = w.openDispatch(f)
	case wrapNothing:
		f = w.openNothing(f)
	case closeNothing:
		f = w.closeNothing(f)
	case chargeJump:
		f = w.chargeJump(f, e.value, e.label)
	case relabel:
		f = appendU(f, uint64(e.value))
	case chargeLoop:
		f = w.yield(w.tick(f, e.value, false))
	case chargeBulk:
		f = w.chargeBulk(f, temp, e.value)
	}
	return f
}

// localsOf returns the locals of a body, with those that the checks need: the length of a
// bulk instruction, and the rounds that a short loop has left.
func (w *rewriter) localsOf(k *walker) (locals []byte, temp, left uint64) {
	first := k.total
	temp, left = first, first
	bulk, short := false, false
	for _, e := range w.plan.edits {
		bulk, short = bulk || e.kind == chargeBulk, short || e.kind == wrapShort
	}
	n := byte(0)
	if bulk {
		n++
		left++
	}
	if short {
		n++
	}
	locals = k.b[:k.start]
	if n > 0 {
		locals = extend(locals, 1, []byte{n, byte(I32)})
	}
	return locals, temp, left
}

// data keeps passive segments and replaces active ones by empty ones.
func (w *rewriter) data() []byte {
	b := appendU(nil, uint64(len(w.m.Data)))
	for _, s := range w.m.Data {
		if s.Active {
			b = append(b, 0, 0x41, 0, 0x0b, 0)
			continue
		}
		b = appendU(append(b, 1), uint64(len(s.Bytes)))
		b = append(b, s.Bytes...)
	}
	return b
}

// ApplyData writes the active data segments into mem, which holds the memory's
// minimum size and is otherwise zero.
func (m *Module) ApplyData(mem []byte) {
	for _, s := range m.Data {
		if s.Active {
			copy(mem[s.Offset:], s.Bytes)
		}
	}
}
