package simulate

import "github.com/culmhq/culm/engine"

// NewScripted answers calls as a script says, for tests that drive something else.
func NewScripted(s *Script, c engine.Catalogue) Plugins { return newScripted(s, c) }
