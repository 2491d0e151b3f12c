package engine

// Started returns what opened the run's history. What it holds must not be changed.
func (s *State) Started() *RunStarted { return &s.info }
