package binary

// Which functions are checked at their entry. The time between two yields is bounded when
// every way that code can go on for ever passes a check, and what lies between two checks is
// bounded and paid for. Loops are checked at their headers. What is left is functions that
// call each other in a circle: in each circle one is checked, or its call lies behind the
// header of its main loop. So most functions need no check: they count as part of who calls
// them, which is checked, or counts as part of its own caller.

// outline is what is known of a function before it is known what its calls cost.
type outline struct {
	// work is that of its own code outside the main loop.
	work int
	// unknown says that it calls nobody knows what before the main loop.
	unknown bool
	calls   []callSite
}

// callSite is a call outside the main loop of a function of this module.
type callSite struct {
	callee int
	before bool // the header of the main loop need not have been passed
}

// outlineOf walks a function.
func (w *rewriter) outlineOf(i int) outline {
	var o outline
	c, imports := w.m.codes[i], len(w.m.Imports)
	k := walker{reader: reader{b: c.bytes, base: c.at}, m: w.m, locals: ^uint32(0), plan: &w.plan}
	w.plan.begin()
	k.callees = func(f uint32) {
		if int(f) >= imports && !w.plan.mainOpen {
			o.calls = append(o.calls, callSite{int(f) - imports, w.plan.main < 0})
		}
	}
	k.walk()
	o.work, o.unknown = w.plan.work(&k)-w.plan.inside, w.plan.unknown
	return o
}

// states of a function while it is decided who is checked.
type weighState byte

const (
	unweighed weighState = iota
	weighing             // what it calls is being weighed
	weighed
)

// weigh decides which functions are checked at their entry. Of the others it returns the
// work of a call. It follows calls from the callers to the called, and has an answer for the
// called first; a call of one that is still being weighed closes a circle.
func (w *rewriter) weigh() {
	n := len(w.m.codes)
	w.checked, w.work = make([]bool, n), make([]int, n)
	states := make([]weighState, n)
	type visit struct {
		function, next int // next is the call site to look at
		outline
	}
	for root := range n {
		if states[root] != unweighed {
			continue
		}
		states[root] = weighing
		stack := []visit{{function: root, outline: w.outlineOf(root)}}
		for len(stack) > 0 {
			v := &stack[len(stack)-1]
			if v.next == len(v.calls) {
				w.settle(v.function, &v.outline)
				states[v.function] = weighed
				stack = stack[:len(stack)-1]
				continue
			}
			site := v.calls[v.next]
			v.next++
			switch states[site.callee] {
			case unweighed:
				states[site.callee] = weighing
				stack = append(stack, visit{function: site.callee, outline: w.outlineOf(site.callee)})
			case weighing:
				w.checked[site.callee] = w.checked[site.callee] || site.before
			case weighed:
			}
		}
	}
}

// settle decides about a function, when everything that it calls was weighed or is in a
// circle with it.
func (w *rewriter) settle(i int, o *outline) {
	work := o.work
	for _, site := range o.calls {
		switch {
		case w.checked[site.callee]:
		case w.work[site.callee] > 0:
			work += w.work[site.callee]
		default: // of the circle, and not known yet
			work += uncheckedMax
		}
	}
	if w.checked[i] = w.checked[i] || o.unknown || work > uncheckedMax; !w.checked[i] {
		w.work[i] = max(work, 1)
	}
}
