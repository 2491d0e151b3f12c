package binary

// Go's compiler has no structured jumps to offer. It puts a loop around the body of a function, in which nested blocks end where
// the function can be resumed, and in front of which a table branches to the end of one, by a local. A jump within the function
// sets the local and goes to the header of the loop:
//
//	loop
//	  block ... block
//	    local.get X; br_table
//	  end
//	  ...
//	  i32.const K; local.set X; br loop
//
// So every if goes round a loop. Counting there, as at any loop, cost Go a twentieth of its time, for nothing: where the block that
// K selects is still open, its end lies ahead, and the code can go that way only a bounded number of times. Such a jump becomes a
// branch to that end, which is where the table would have led; it is no round, and needs no table. The other jumps, back to what
// has passed, count for themselves: by the code between the place that they lead to and their own, because what goes back that
// far passes no more than that again.

// dispatch is the innermost such loop that is open; one within another is a loop like any.
type dispatch struct {
	loop   int    // its index in plan.blocks, -1 without one
	edit   int    // that of its edit
	local  uint32 // selects the block
	blocks int    // that were put in front of the table
	open   int    // those of them that have not ended
	// table is what values of the local select, as labels at the table; the last one is for values beyond.
	table []uint32
	// ends is the work at the ends of blocks, the innermost first.
	ends []int
	back bool // a jump goes back
	// odd says that the header is reached otherwise, too.
	odd bool
	// at and constEnd are the bytes of the last i32.const, setEnd is the end of a local.set of local right behind one.
	at, constEnd, setEnd int
}

// enterDispatch notes that a loop that takes and leaves nothing begins, whose blocks and table follow if it is a dispatch.
func (p *plan) enterDispatch(w *walker) bool {
	d := &p.dispatch
	if d.loop >= 0 {
		return false
	}
	r := reader{b: w.b, pos: w.pos}
	n := 0
	for r.pos+1 < len(r.b) && r.b[r.pos] == 0x02 && r.b[r.pos+1] == 0x40 {
		r.pos += 2
		n++
	}
	if n == 0 || r.byte() != 0x20 {
		return false
	}
	local := r.u32()
	if r.byte() != 0x0e {
		return false
	}
	size := r.u32()
	if r.err != nil || uint64(size) >= uint64(len(r.b)-r.pos) {
		return false
	}
	table := d.table[:0]
	for range size + 1 {
		l := r.u32()
		if r.err != nil || uint64(l) >= uint64(n) {
			return false
		}
		table = append(table, l)
	}
	*d = dispatch{
		loop: len(p.blocks), edit: len(p.edits), local: local, blocks: n, open: n, table: table, ends: d.ends[:0],
		at: -1, constEnd: -1, setEnd: -1,
	}
	return true
}

// constant notes an i32.const, which was read from at.
func (p *plan) constant(w *walker, at int) {
	if p != nil && p.dispatch.loop >= 0 {
		p.dispatch.at, p.dispatch.constEnd = at, w.pos
	}
}

// set notes a local.set, whose instruction starts at from.
func (p *plan) set(w *walker, from int, local uint32) {
	if p == nil {
		return
	}
	if d := &p.dispatch; d.loop >= 0 && d.constEnd == from && d.local == local {
		d.setEnd = w.pos
	}
}

// jump notes a br to label l, whose instruction starts at from. Where it is one of a dispatch it leads to the end of its block, or
// counts.
func (p *plan) jump(w *walker, from int, l uint32) {
	if p == nil || w.err != nil {
		return
	}
	d := &p.dispatch
	if d.loop < 0 || uint64(l) != uint64(len(p.blocks)-1-d.loop) || d.setEnd != from {
		p.label(w, from+1, l)
		return
	}
	p.branched = true
	r := reader{b: w.b, pos: d.at}
	k := min(uint64(uint32(r.s32())), uint64(len(d.table)-1))
	outer := d.blocks - int(d.table[k]) // blocks up to the one that is selected, from the outside
	if outer <= d.open {
		p.edits = append(p.edits, edit{kind: relabel, at: from + 1, end: w.pos, value: p.depth(d.loop + outer)})
		return
	}
	d.back = true
	work := p.work(w) - d.ends[d.blocks-outer]
	p.edits = append(p.edits, edit{kind: chargeJump, at: from, end: w.pos, value: p.weightOf(work), label: p.depth(d.loop)})
}

// depth is the label of an open block after the edit.
func (p *plan) depth(block int) int {
	return len(p.blocks) - 1 - block + p.added() - p.blocks[block].added
}

// reached notes a branch to label l that may be another way to the header of a dispatch than its jumps.
func (p *plan) reached(l uint32) {
	if d := &p.dispatch; d.loop >= 0 && uint64(l) == uint64(len(p.blocks)-1-d.loop) {
		d.odd = true
	}
}

// leave notes the end of block i if it belongs to the dispatch.
func (p *plan) leave(w *walker, i int) {
	if d := &p.dispatch; d.loop >= 0 && d.open > 0 && i == d.loop+d.open {
		d.open--
		d.ends = append(d.ends, p.work(w))
	}
}

// leaveDispatch notes the end of the loop, whose body is that much work.
func (p *plan) leaveDispatch(w *walker, work int) {
	d, e := &p.dispatch, &p.edits[p.dispatch.edit]
	d.loop = -1
	kind := closeLoop
	switch {
	case d.odd:
		e.value = p.weightOf(work)
	case d.back:
		e.kind = wrapDispatch
	default:
		e.kind, kind = wrapNothing, closeNothing
	}
	p.edits = append(p.edits, edit{kind: kind, at: w.pos, end: w.pos})
}

// openDispatch appends the header of a dispatch whose jumps count: as openLoop, without the check.
func (w *rewriter) openDispatch(f []byte) []byte {
	return append(f, 0x02, 0x40, 0x03, 0x40, 0x02, 0x40, 0x03, 0x40) // block $done; loop $again; block $yield; loop
}

// openNothing appends as many blocks instead of a dispatch that nothing jumps back to.
func (w *rewriter) openNothing(f []byte) []byte {
	return append(f, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40)
}

// closeNothing appends the ends of those.
func (w *rewriter) closeNothing(f []byte) []byte { return append(f, 0x0b, 0x0b, 0x0b) }

// chargeJump appends a jump to the header of a dispatch, by way of the yield if the ticks are used up.
func (w *rewriter) chargeJump(f []byte, weight, label int) []byte {
	f = append(w.tick(f, weight, false), 0x0d)
	f = append(appendU(f, uint64(label)+1), 0x0c)
	return appendU(f, uint64(label))
}
