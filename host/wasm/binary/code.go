package binary

// blockDepth bounds the nesting of blocks that the walker follows. Go's compiler
// nests one block a resumption point, some thousands in large functions.
const blockDepth = 200_000

// walker walks the instructions of one function body. It notes the places where
// the rewriter inserts its checks; it allocates only for those.
type walker struct {
	reader
	// m tells which indices exist. They are checked here although the compiler
	// does so too: it sees the rewritten module, in which an index one past the end
	// would name the stop flag.
	m      *Module
	locals uint32 // limit

	start       int    // offset of the first instruction
	total       uint64 // locals, without the parameters
	tableWrites bool
	dataDrops   bool
	callees     func(index uint32) // told of each direct call, may be nil
	plan        *plan              // what the rewriter has to do, nil while only reading
}

// How much of a bulk instruction counts as one tick, as a shift of its length:
// 256 bytes of memory, 32 elements of a table.
const (
	memoryShift = 8
	tableShift  = 5
)

// walk reads a whole body.
func (w *walker) walk() {
	groups := w.count("groups of locals", w.locals)
	for range groups {
		w.total += uint64(w.u32())
		valueType(&w.reader)
		if w.err == nil && w.total > uint64(w.locals) {
			w.err = overLimit("locals of a function", w.total, uint64(w.locals))
		}
	}
	w.start = w.pos
	depth := 1
	for depth > 0 && w.err == nil {
		depth = w.instruction(depth)
	}
	if w.err == nil && w.pos != len(w.b) {
		w.fail("a function has bytes behind its end")
	}
}

// instruction reads one instruction and returns the new depth of blocks.
func (w *walker) instruction(depth int) int {
	switch op := w.byte(); op {
	case 0x02, 0x03, 0x04: // block, loop, if
		from := w.pos - 1
		w.skipSigned(33)
		w.plan.open(w, op, from)
		if depth++; depth > blockDepth {
			w.fail("blocks are nested too deeply")
		}
	case 0x0b: // end
		w.plan.end(w)
		depth--
	case 0x0c: // br
		from := w.pos - 1
		w.plan.jump(w, from, w.u32())
	case 0x0d: // br_if
		at := w.pos
		w.plan.label(w, at, w.u32())
	case 0x0e: // br_table
		w.branches()
	case 0x10: // call
		w.plan.call(w)
		f := w.index("function", len(w.m.Imports)+len(w.m.Functions))
		if w.callees != nil && w.err == nil {
			w.callees(f)
		}
	case 0x11: // call_indirect
		w.plan.call(w)
		w.plan.indirect()
		w.index("type", len(w.m.Types))
		w.u32()
	case 0x0f: // return
		w.plan.branch()
	default:
		w.plain(op)
	}
	return depth
}

// branches reads the targets of a br_table.
func (w *walker) branches() {
	n := w.u32()
	if w.err == nil && uint64(n) > uint64(len(w.b)) {
		w.fail("unexpected end")
	}
	for i := uint64(0); i <= uint64(n) && w.err == nil; i++ {
		at := w.pos
		w.plan.label(w, at, w.u32())
	}
}

// plain reads an instruction that does not change the flow of control.
func (w *walker) plain(op byte) {
	switch op {
	case 0x1c: // select with types
		for range w.count("types of a select", 1) {
			valueType(&w.reader)
		}
	case 0x20, 0x22, 0x25: // locals, table.get
		w.u32()
	case 0x21: // local.set
		from := w.pos - 1
		w.plan.set(w, from, w.u32())
	case 0x23, 0x24: // global.get, global.set
		w.index("global", len(w.m.Globals))
	case 0x26: // table.set
		w.tableWrites = true
		w.u32()
	case 0x3f, 0x40: // memory.size, memory.grow
		w.needMemory()
		if w.byte() != 0 {
			w.fail("an instruction names another memory")
		}
	case 0x41, 0x42, 0x43, 0x44:
		w.constant(op)
	case 0xd0: // ref.null
		valueType(&w.reader)
	case 0xd2: // ref.func
		w.index("function", len(w.m.Imports)+len(w.m.Functions))
	case 0xfc:
		at := w.pos - 1
		w.misc(w.u32(), at)
	case 0xfd:
		w.vector(w.u32())
	default:
		w.simple(op)
	}
}

// constant reads the value of a constant.
func (w *walker) constant(op byte) {
	switch op {
	case 0x41:
		at := w.pos
		w.skipSigned(32)
		w.plan.constant(w, at)
	case 0x42:
		w.skipSigned(64)
	case 0x43:
		w.take(4)
	case 0x44:
		w.take(8)
	}
}

// simple reads loads, stores, and instructions without immediates.
func (w *walker) simple(op byte) {
	switch {
	case op >= 0x28 && op <= 0x3e: // loads and stores
		w.memarg()
	case op >= 0x45 && op <= 0xc4: // arithmetic
	case op <= 0x01, op == 0x05, op == 0x1a, op == 0x1b, op == 0xd1:
		// unreachable, nop, else, drop, select, ref.is_null
	default:
		w.fail("instruction %#x is not supported", op)
	}
}

// index reads an index that must be below n.
func (w *walker) index(what string, n int) uint32 {
	i := w.u32()
	if w.err == nil && uint64(i) >= uint64(n) {
		w.fail("unknown %s %d", what, i)
	}
	return i
}

// needMemory refuses memory instructions in a module without a memory, which the
// rewriter gives one of no pages.
func (w *walker) needMemory() {
	if !w.m.HasMemory {
		w.fail("there is no memory")
	}
}

// memarg reads the alignment and offset of a memory access. Bit 6 of the
// alignment would name another memory.
func (w *walker) memarg() {
	w.needMemory()
	if align := w.u32(); w.err == nil && align >= 64 {
		w.fail("malformed alignment")
	}
	w.u32()
}

// misc reads the immediates of the instructions behind 0xfc, which is at at.
func (w *walker) misc(sub uint32, at int) {
	switch sub {
	case 8, 10, 11: // memory.init, memory.copy, memory.fill
		w.plan.bulk(at, memoryShift)
	case 12, 14, 15, 17: // table.init, table.copy, table.grow, table.fill
		w.plan.bulk(at, tableShift)
	}
	switch sub {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating truncation
	case 8, 10: // memory.init, memory.copy
		w.needMemory()
		w.dataDrops = w.dataDrops || sub == 8
		w.u32()
		w.u32()
	case 9: // data.drop
		w.dataDrops = true
		w.u32()
	case 11: // memory.fill
		w.needMemory()
		w.u32()
	case 12, 14: // table.init, table.copy
		w.tableWrites = true
		w.u32()
		w.u32()
	case 13, 15, 17: // elem.drop, table.grow, table.fill
		w.tableWrites = true
		w.u32()
	case 16: // table.size
		w.u32()
	default:
		if w.err == nil {
			w.fail("instruction 0xfc %#x is not supported", sub)
		}
	}
}

// vector reads the immediates of the 128-bit instructions.
func (w *walker) vector(sub uint32) {
	switch {
	case sub <= 11, sub == 92, sub == 93:
		w.memarg()
	case sub == 12, sub == 13: // v128.const, i8x16.shuffle
		w.take(16)
	case sub >= 21 && sub <= 34: // lane access
		w.byte()
	case sub >= 84 && sub <= 91:
		w.memarg()
		w.byte()
	case sub <= 255:
	default:
		w.fail("instruction 0xfd %#x is not supported", sub)
	}
}
