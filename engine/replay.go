package engine

import "fmt"

// Replay folds records into the state they describe; it never evaluates anything.
func Replay(g *Graph, rs []Record) (*State, error) {
	if len(rs) == 0 {
		return nil, fmt.Errorf("engine: replay: no records")
	}
	s := newState(g)
	for i := range rs {
		if err := s.Fold(&rs[i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Fold applies one record that was read back.
func (s *State) Fold(r *Record) error {
	node := int32(-1)
	if r.Node != "" {
		i, ok := s.g.nodeIdx[r.Node]
		if !ok {
			return fmt.Errorf("engine: replay: record %d: no node %q", r.Seq, r.Node)
		}
		node = i
	}
	if err := s.apply(r, node); err != nil {
		return fmt.Errorf("engine: replay: %w", err)
	}
	return nil
}

// Outstanding returns the commands that a driver must perform after a restart: those
// whose end is not in the records. Dispatches are marked Recovered.
func Outstanding(g *Graph, s *State) []Command {
	if s.state.Ended() {
		return nil
	}
	var cmds []Command
	if due := s.info.Deadline; due != nil {
		cmds = append(cmds, SetTimer{Due: *due})
	}
	for _, i := range s.busyNodes() {
		n := s.nodes[i]
		switch {
		case n == nil:
			continue
		case n.waitsForRun():
			cmds = append(cmds, s.startChild(i, true))
			if control := s.controlOf(i); control != nil {
				cmds = append(cmds, ControlChild{Run: n.child, Event: control})
			}
		case (n.state == NodeRunning || n.state == NodeRollingBack) && g.nodes[i].typ == TypeTask:
			cmds = append(cmds, s.dispatch(i, true))
		}
		if due := n.timer(); !due.IsZero() {
			cmds = append(cmds, SetTimer{Node: g.nodes[i].id, Epoch: n.epoch, Due: due})
		}
	}
	return cmds
}

// controlOf is what the run that a node waits for was told last, or nil.
func (s *State) controlOf(i int32) Event {
	switch {
	case s.childPaused(i):
		return Pause{}
	case s.nodes[i].controlled:
		return Resume{}
	}
	return nil
}
