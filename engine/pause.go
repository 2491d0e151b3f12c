package engine

// inSuspended reports whether a node is inside of a subflow that an operator has
// stopped.
func (s *State) inSuspended(i int32) bool {
	for sc := s.g.scopeOf(i); sc.node >= 0; sc = &s.g.scopes[sc.parent] {
		if n := s.nodes[sc.node]; n != nil && n.state == NodeSuspended {
			return true
		}
	}
	return false
}

// runsInside reports whether a node is an inline subflow that has been entered and not
// left.
func (s *State) runsInside(i int32) bool {
	if s.g.nodes[i].inner < 0 || s.nodes[i] == nil {
		return false
	}
	n := s.nodes[i]
	if n.state != NodeRunning && n.state != NodeSuspended {
		return false
	}
	k := s.tokens[n.token]
	return k != nil && k.node == i && k.pending > 0
}

// pause stops the run, the inside of a subflow, or the next token at a node.
func (t *step) pause(e Pause) error {
	if e.Node == "" {
		return t.pauseRun()
	}
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	n := t.s.at(i)
	switch {
	case n.state == NodeSuspended:
		return t.refuse(CodeWrongState, e.Node, "the node is %s", n.state).because("NODE_IS")
	case t.s.runsInside(i):
		d := t.change(i, NodeSuspended)
		d.By = byPause
		t.controlChildren(t.s.childrenIn(t.inside(i)), func() { t.emit(i, d) }, Pause{})
	case n.held:
		return t.refuse(CodeWrongState, e.Node, "the node is held already").because("NODE_HELD")
	case n.state != NodeIdle && n.state != NodeReady && t.g.nodes[i].mode != SubflowIndependent && !t.g.comesAgain(i):
		return t.refuse(CodeWrongState, e.Node, "the node has begun, and no loop leads back to it").because("NODE_BEGUN")
	default:
		t.controlChildren(t.onlyChild(i), func() { t.emit(i, NodeHeld{Held: true}) }, Pause{})
	}
	return nil
}

func (t *step) pauseRun() error {
	to, ok := runTarget(onRunPause, t.s.state)
	if !ok {
		return t.refuse(CodeWrongState, "", "the run is %s", t.s.state).because("RUN_IS")
	}
	d := RunChanged{From: t.s.state, To: to}
	t.controlChildren(t.s.childrenIn(&t.g.scopes[0]), func() { t.emit(-1, d) }, Pause{})
	return nil
}

// resume takes a pause back, and lets go what is held by nothing else.
func (t *step) resume(e Resume) error {
	if e.Node == "" {
		return t.resumeRun()
	}
	i, err := t.node(e.Node)
	if err != nil {
		return err
	}
	n := t.s.at(i)
	switch {
	case t.s.runsInside(i) && n.state == NodeSuspended:
		d := t.change(i, NodeRunning)
		d.By = byResume
		t.controlChildren(t.s.childrenIn(t.inside(i)), func() { t.emit(i, d) }, Resume{})
		t.releaseIn(t.inside(i))
	case n.state == NodeSuspended:
		t.release(i)
	case n.held:
		t.controlChildren(t.onlyChild(i), func() { t.emit(i, NodeHeld{}) }, Resume{})
	default:
		return t.refuse(CodeWrongState, e.Node, "the node is not held").because("NODE_NOT_HELD")
	}
	return nil
}

func (t *step) resumeRun() error {
	to, ok := runTarget(onRunResume, t.s.state)
	if !ok {
		return t.refuse(CodeWrongState, "", "the run is %s", t.s.state).because("RUN_IS")
	}
	d := RunChanged{From: t.s.state, To: to}
	all := &t.g.scopes[0]
	t.controlChildren(t.s.childrenIn(all), func() { t.emit(-1, d) }, Resume{})
	t.releaseIn(all)
	return nil
}

// releaseIn lets the nodes inside of a scope go that nothing holds any more, in the order
// of their tokens.
func (t *step) releaseIn(sc *graphScope) {
	if t.s.state == RunSuspended {
		return
	}
	for _, i := range t.s.tokenNodes() {
		if i < sc.node0 || i >= sc.nodeEnd {
			continue
		}
		if n := t.s.nodes[i]; n != nil && n.state == NodeReady && !t.s.inSuspended(i) && !t.s.state.Ended() {
			t.release(i)
		}
	}
}

// inside is the scope of an inline subflow node.
func (t *step) inside(i int32) *graphScope { return &t.g.scopes[t.g.nodes[i].inner] }

// onlyChild is the node itself when it waits for a run.
func (t *step) onlyChild(i int32) []int32 {
	if t.s.nodes[i].waitsForRun() {
		return []int32{i}
	}
	return nil
}

// applyHeld marks a node before which the next token stops, or no more.
func (s *State) applyHeld(i int32, d NodeHeld) {
	n := s.reach(i)
	n.held = d.Held
	s.markControlled(i, i+1)
}

// markControlled remembers that the runs for which nodes wait have been paused or resumed
// from here: after a crash they are told again.
func (s *State) markControlled(from, to int32) {
	if s.children == 0 {
		return
	}
	for _, k := range s.tokens {
		if k.node >= from && k.node < to && s.nodes[k.node].waitsForRun() {
			s.nodes[k.node].controlled = true
		}
	}
}
