package simulate

import (
	"strings"

	"github.com/culmhq/culm/engine"
)

// paths finds nodes by their path from the outermost run, through inline and
// independent subflows alike.
type paths struct {
	root  *engine.Flow
	nodes map[*engine.Flow]map[string]*engine.Node
}

func newPaths(root *engine.Flow) *paths {
	return &paths{root: root, nodes: map[*engine.Flow]map[string]*engine.Node{}}
}

// place is where a path leads: the node, and the run and its own id in it.
type place struct {
	node *engine.Node
	flow *engine.Flow
	// run is the path of the independent subflow node whose run the node belongs to,
	// id its id in that run.
	run, id string
}

// find follows a path. False means that it leads nowhere.
func (p *paths) find(path string) (place, bool) {
	at := place{flow: p.root}
	rest := path
	for {
		segment, more, deeper := strings.Cut(rest, ".")
		n := p.node(at.flow, segment)
		if n == nil {
			return place{}, false
		}
		at.node = n
		at.id = join(at.id, segment)
		if !deeper {
			return at, true
		}
		if n.Type != engine.TypeSubflow || more == "" {
			return place{}, false
		}
		if n.Mode == engine.SubflowIndependent {
			at.run, at.id = join(at.run, at.id), ""
		}
		if at.flow = p.root.Subflows[n.Reference()]; at.flow == nil {
			return place{}, false
		}
		rest = more
	}
}

// node finds a node of one flow, or nil.
func (p *paths) node(f *engine.Flow, id string) *engine.Node {
	byID, ok := p.nodes[f]
	if !ok {
		byID = make(map[string]*engine.Node, len(f.Nodes))
		for i := range f.Nodes {
			byID[f.Nodes[i].ID] = &f.Nodes[i]
		}
		p.nodes[f] = byID
	}
	return byID[id]
}
