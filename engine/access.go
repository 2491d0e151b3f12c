package engine

// Started returns what opened the run's history. What it holds must not be changed.
func (s *State) Started() RunStarted { return s.info }

// WaitsFor reports whether a node waits for the end of that run.
func (s *State) WaitsFor(node, child string) bool {
	i, ok := s.g.nodeIdx[node]
	if !ok || s.nodes[i] == nil {
		return false
	}
	v := s.nodes[i].view()
	return v.State == NodeWaiting && v.Child == child
}
