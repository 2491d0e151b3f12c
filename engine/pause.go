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
