package engine

import "github.com/culmhq/culm/engine/expr"

// Started returns what opened the run's history. What it holds must not be changed.
func (s *State) Started() *RunStarted { return &s.info }

// Scope returns what expressions of the outermost flow see at this moment. It is valid as
// long as the state is not changed; what it answers must not be changed. Variables marked
// secret hold references.
func (s *State) Scope() expr.Scope { return &scope{State: s, at: &s.g.scopes[0], entered: -1} }
