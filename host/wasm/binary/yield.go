package binary

// edit is a change of a function body: the bytes from at to end are replaced, or
// something is inserted where both are the same.
type edit struct {
	kind    editKind
	at, end int
	// value is the weight of a loop, the rounds of a short one, the new index of a label,
	// or the shift of a bulk instruction's length.
	value int
	// label is that of the header of a dispatch.
	label int
}

// editKind is a kind of edit.
type editKind byte

const (
	// wrapLoop puts blocks around a loop, to which closeLoop is the end.
	wrapLoop editKind = iota
	closeLoop
	// wrapShort and closeShort are the same for a short loop, which counts its rounds in a
	// local.
	wrapShort
	closeShort
	// relabel is a branch out of a loop that was wrapped: it passes more blocks.
	relabel
	// chargeLoop is the check behind the header of a loop that cannot be wrapped.
	chargeLoop
	// chargeBulk is the check in front of a bulk instruction, whose length is on the
	// stack.
	chargeBulk
	// wrapDispatch, wrapNothing and closeNothing are for the loops that dispatch.go is about,
	// chargeJump for the jumps of one.
	wrapDispatch
	wrapNothing
	closeNothing
	chargeJump
)

// wrapBlocks is the number of blocks that are put around a loop.
const wrapBlocks = 3

// block is a block that is open while a body is walked.
type block struct {
	added int // blocks put around it and those it is in
	edit  int // of a loop, the index of its edit; else -1
	from  int // work at its beginning
	seen  int // plan.seen at its beginning
}

// A tick stands for weightUnit bytes of code, so that the time between two yields is
// bounded whatever a body looks like. The bytes of functions that do not check at
// their entry count where they are called, with those of the functions that they call;
// uncheckedMax is how many that can be, and stands for those of a call whose target is not
// known. stretchMax is the work after which a check comes in front of a call, wherever
// that is.
const (
	weightUnit   = 2048
	uncheckedMax = 8192
	stretchMax   = 1 << 20
)

// A short loop has no loop, no call and no bulk instruction in it, and at most shortMax bytes
// of code. It counts its rounds in a local, which the compiler keeps in a register, and pays
// for shortRounds bytes of them at a time. Rounds at its end that do not make as many are not
// paid for; shortWork bytes are, where the loop stands.
const (
	shortMax    = 256
	shortRounds = 2048
	shortWork   = 512
)

// weightOf is the number of ticks for an amount of work. It stays below the ticks
// between two yields: a check that finds none left is made again after the yield.
func (p *plan) weightOf(work int) int { return min(1+work/weightUnit, max(p.every/2, 1)) }

// plan collects, while a body is walked, what the rewriter changes in it. All methods
// do nothing on a nil plan: most walks only read.
type plan struct {
	edits  []edit  // in order
	blocks []block // those that are open, but for the function itself

	seen     int  // loops, calls and bulk instructions so far
	extra    int  // work beyond the bytes that were read
	stretch  int  // work at the last check that was made because of it
	unknown  bool // a call of nobody knows what can be reached without passing the header of the main loop
	branched bool // not every way leads here
	// main is the index of the edit of the loop that every way leads to, -1 without
	// one: Go's compiler puts such a loop around the whole body. mainOpen says that it has
	// not ended, inside is its work.
	main, inside int
	mainOpen     bool

	dispatch dispatch

	every int // ticks between two yields
}

// begin makes the plan ready for another body.
func (p *plan) begin() {
	*p = plan{
		edits: p.edits[:0], blocks: p.blocks[:0], main: -1, every: p.every,
		dispatch: dispatch{loop: -1, table: p.dispatch.table, ends: p.dispatch.ends},
	}
}

// work is the amount of code that was walked.
func (p *plan) work(w *walker) int { return w.pos + p.extra }

// more notes work beyond the bytes of the body.
func (p *plan) more(work int) {
	if p != nil {
		p.extra += work
	}
}

// added is the number of blocks around the place where the walker is.
func (p *plan) added() int {
	if n := len(p.blocks); n > 0 {
		return p.blocks[n-1].added
	}
	return 0
}

// open notes the beginning of a block, loop or if, whose instruction starts at from
// and has been read. A loop that takes no parameters is wrapped; the type of another
// would have to be written for the blocks around it, too.
func (p *plan) open(w *walker, op byte, from int) {
	if p == nil || w.err != nil {
		return
	}
	b := block{added: p.added(), edit: -1, from: p.work(w)}
	if op == 0x03 {
		p.seen++
		b.seen = p.seen
		b.edit = len(p.edits)
		dispatch := w.pos == from+2 && w.b[from+1] == 0x40 && p.enterDispatch(w)
		if w.pos == from+2 && w.b[from+1] >= 0x40 {
			p.edits = append(p.edits, edit{kind: wrapLoop, at: from, end: w.pos})
			b.added += wrapBlocks
		} else {
			p.edits = append(p.edits, edit{kind: chargeLoop, at: w.pos, end: w.pos})
		}
		if p.main < 0 && !p.branched && !dispatch {
			p.main, p.mainOpen = b.edit, true
		}
	}
	p.branched = p.branched || op == 0x04
	p.blocks = append(p.blocks, b)
}

// end notes the end of a block or of the function.
func (p *plan) end(w *walker) {
	if p == nil || len(p.blocks) == 0 {
		return
	}
	n := len(p.blocks)
	b := p.blocks[n-1]
	p.blocks = p.blocks[:n-1]
	if b.edit < 0 {
		p.leave(w, n-1)
		return
	}
	work := p.work(w) - b.from
	if p.dispatch.loop == n-1 {
		p.leaveDispatch(w, work)
		return
	}
	if b.edit == p.main {
		p.inside, p.mainOpen = work, false
	}
	e := &p.edits[b.edit]
	switch {
	case e.kind != wrapLoop:
		e.value = p.weightOf(work)
	case p.seen == b.seen && work <= shortMax && b.edit != p.main:
		e.kind, e.value = wrapShort, min(shortRounds/work, p.every)
		p.edits = append(p.edits, edit{kind: closeShort, at: w.pos, end: w.pos, value: e.value})
		p.more(shortWork)
	default:
		e.value = p.weightOf(work)
		p.edits = append(p.edits, edit{kind: closeLoop, at: w.pos, end: w.pos})
	}
}

// label notes a branch to label l, which was read from at. Labels count blocks from
// the inside: one beyond a wrapped loop counts those around it, too.
func (p *plan) label(w *walker, at int, l uint32) {
	if p == nil || w.err != nil {
		return
	}
	p.branched = true
	p.reached(l)
	passed := p.added()
	if n := len(p.blocks); uint64(l) < uint64(n) {
		passed -= p.blocks[n-1-int(l)].added
	}
	if passed > 0 {
		p.edits = append(p.edits, edit{kind: relabel, at: at, end: w.pos, value: int(l) + passed})
	}
}

// branch notes that not every way leads on.
func (p *plan) branch() {
	if p != nil {
		p.branched = true
	}
}

// call notes a call, whose first byte was read.
func (p *plan) call(w *walker) {
	if p == nil {
		return
	}
	p.seen++
	if work := p.work(w) - p.stretch; work > stretchMax {
		p.edits = append(p.edits, edit{kind: chargeLoop, at: w.pos - 1, end: w.pos - 1, value: p.weightOf(work)})
		p.stretch += work
	}
}

// indirect notes that it is not known what is called.
func (p *plan) indirect() {
	if p != nil {
		p.unknown = p.unknown || p.main < 0
		p.more(uncheckedMax)
	}
}

// bulk notes a bulk instruction at at.
func (p *plan) bulk(at, shift int) {
	if p != nil {
		p.seen++
		p.edits = append(p.edits, edit{kind: chargeBulk, at: at, end: at, value: shift})
	}
}

// tick appends what counts ticks down and leaves on the stack whether any are left
// (more) or none.
func (w *rewriter) tick(f []byte, weight int, more bool) []byte {
	f = appendS(append(appendU(append(f, 0x23), w.ticks), 0x41), int64(weight)) // global.get ticks; i32.const weight
	f = appendU(append(f, 0x6b, 0x24), w.ticks)                                 // i32.sub; global.set ticks
	return w.compare(f, more)
}

// compare appends the test of the ticks.
func (w *rewriter) compare(f []byte, more bool) []byte {
	op := byte(0x4c) // i32.le_s
	if more {
		op = 0x4a // i32.gt_s
	}
	return append(appendU(append(f, 0x23), w.ticks), 0x41, 0, op) // global.get ticks; i32.const 0
}

// yield appends the call of the helper if the ticks are used up.
func (w *rewriter) yield(f []byte) []byte {
	f = append(f, 0x04, 0x40)                               // if
	return append(appendU(append(f, 0x10), w.helper), 0x0b) // call helper; end
}

// entry appends the check at the entry of a function. Its shape, and that of a loop's,
// keep the call out of the way of the code that matters: the compiler lets no value
// stay in a register where a call may come between, and an if in every loop costs a
// tenth of the time where this costs a few hundredths.
//
//	block $go
//	  loop $again
//	    ticks -= weight; br_if $go (ticks > 0)
//	    call helper
//	    br $again
func (w *rewriter) entry(f []byte, weight int) []byte {
	f = append(f, 0x02, 0x40, 0x03, 0x40)                                  // block $go; loop $again
	f = append(w.tick(f, weight, true), 0x0d, 1)                           // br_if $go
	return append(appendU(append(f, 0x10), w.helper), 0x0c, 0, 0x0b, 0x0b) // call helper; br $again; end; end
}

// openLoop appends the header of a loop of the given type, with its check, inside the
// blocks that closeLoop ends:
//
//	block $done
//	  loop $again
//	    block $yield
//	      loop
//	        ticks -= weight; br_if $yield (ticks <= 0)
//	        ...
//	      end
//	      br $done
//	    end
//	    call helper
//	    br $again
func (w *rewriter) openLoop(f []byte, kind byte, weight int) []byte {
	f = append(f, 0x02, kind, 0x03, kind, 0x02, 0x40, 0x03, kind) // block $done; loop $again; block $yield; loop
	return append(w.tick(f, weight, false), 0x0d, 1)              // br_if $yield
}

// closeLoop appends what follows the end of a wrapped loop.
func (w *rewriter) closeLoop(f []byte) []byte {
	f = append(f, 0x0c, 2, 0x0b)                                           // br $done; end
	return append(appendU(append(f, 0x10), w.helper), 0x0c, 0, 0x0b, 0x0b) // call helper; br $again; end; end
}

// openShort appends the header of a short loop: as openLoop, but for what is counted.
//
//	left = rounds
//	block $done ... loop
//	  left -= 1; br_if $yield (left == 0)
func (w *rewriter) openShort(f []byte, kind byte, left uint64, rounds int) []byte {
	f = w.setLeft(f, left, rounds)
	f = append(f, 0x02, kind, 0x03, kind, 0x02, 0x40, 0x03, kind)                  // block $done; loop $again; block $yield; loop
	f = appendU(append(appendU(append(f, 0x20), left), 0x41, 1, 0x6b, 0x22), left) // local.get left; i32.const 1; i32.sub; local.tee left
	return append(f, 0x45, 0x0d, 1)                                                // i32.eqz; br_if $yield
}

// closeShort appends what follows the end of a short loop: its rounds are paid for.
func (w *rewriter) closeShort(f []byte, left uint64, rounds int) []byte {
	f = append(f, 0x0c, 2, 0x0b)                                                   // br $done; end
	f = appendU(append(appendS(append(f, 0x41), int64(rounds)), 0x10), w.helper+1) // i32.const rounds; call pay
	f = w.setLeft(f, left, rounds)
	return append(f, 0x0c, 0, 0x0b, 0x0b) // br $again; end; end
}

// pay appends what takes as many ticks as the first local says, and leaves on the stack
// whether none are left.
func (w *rewriter) pay(f []byte) []byte {
	f = appendU(append(appendU(append(f, 0x23), w.ticks), 0x20, 0, 0x6b, 0x24), w.ticks) // global.get ticks; local.get 0; i32.sub; global.set ticks
	return w.compare(f, false)
}

func (w *rewriter) setLeft(f []byte, left uint64, rounds int) []byte {
	return appendU(append(appendS(append(f, 0x41), int64(rounds)), 0x21), left)
}

// chargeBulk appends the check in front of a bulk instruction. The local temp holds
// its length meanwhile.
func (w *rewriter) chargeBulk(f []byte, temp uint64, shift int) []byte {
	f = appendU(append(f, 0x22), temp)                                   // local.tee length
	f = appendU(append(f, 0x23), w.ticks)                                // global.get ticks
	f = appendU(append(f, 0x20), temp)                                   // local.get length
	f = appendU(append(f, 0x41, byte(shift), 0x76, 0x6b, 0x24), w.ticks) // i32.const shift; i32.shr_u; i32.sub; global.set ticks
	return w.yield(w.compare(f, false))
}
