package runs

import (
	"strings"

	"github.com/culmhq/culm/engine"
)

// scopeAt returns the flow that runs inside the subflow node at a path, the run's own
// for the empty one; nil when there is no such node.
func scopeAt(f *engine.Flow, path string) *engine.Flow {
	scope := f
	for path != "" {
		var id string
		id, path, _ = strings.Cut(path, ".")
		n := nodeOf(scope, id)
		if n == nil || n.Type != engine.TypeSubflow || n.Mode != engine.SubflowInline {
			return nil
		}
		if scope = f.Subflows[n.Reference()]; scope == nil {
			return nil
		}
	}
	return scope
}

// nodeAt returns the node at a path ("deploy.check": the node check inside the subflow
// node deploy); nil when there is none.
func nodeAt(f *engine.Flow, path string) *engine.Node {
	scope, id := "", path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		scope, id = path[:i], path[i+1:]
	}
	in := scopeAt(f, scope)
	if in == nil {
		return nil
	}
	return nodeOf(in, id)
}

func nodeOf(f *engine.Flow, id string) *engine.Node {
	for i := range f.Nodes {
		if f.Nodes[i].ID == id {
			return &f.Nodes[i]
		}
	}
	return nil
}
