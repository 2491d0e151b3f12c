package engine

import (
	"encoding/json"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// Graph is a flow document that has been checked and made ready to run. It is
// immutable and safe for concurrent use; runs of one version share it. Everything in
// it is addressed by index, so that a step costs the same in a large flow as in a
// small one.
//
// Inline subflows are flattened into it: a graph is the flow's own nodes, then those of
// each subflow node's flow, as often as nodes name it. Ids are paths: "deploy.check" is
// the node check inside the subflow node deploy.
type Graph struct {
	flow    *Flow
	digest  func() string
	env     *expr.Env
	nodes   []graphNode
	edges   []graphEdge
	vars    []graphVar
	nodeIdx map[string]int32
	edgeIdx map[string]int32
	// varIdx, start, constants and outputs are those of the flow itself, as env is.
	varIdx map[string]int32
	start  int32
	// secrets is set where a variable is a secret.
	secrets bool
	// constants lists the constants that hold expressions in the order in which
	// they can be evaluated; outputs the variables that are part of the run's
	// outputs.
	constants []int32
	outputs   []int32
	// shown lists the inputs with conditions in the order in which these are decided.
	shown []int32
	// scopes are the flow's own, then those of inline subflow nodes, outer ones
	// before inner ones. scopeIdx finds them by path.
	scopes   []graphScope
	scopeIdx map[string]int32
}

// graphNode is a node with what a step needs.
type graphNode struct {
	id       string
	typ      NodeType
	drawn    *Node
	mode     SubflowMode
	scope    int32 // the scope it is in
	inner    int32 // the scope of an inline subflow, -1 elsewhere
	plugin   string
	action   string
	strategy Strategy
	opts     *nodeOptions
	out, in  []int32 // edges, in document order
	// join is the join that ends the block of a parallel gateway, -1 elsewhere.
	join int32
	// block is the edge of the innermost fork around the node, -1 outside.
	block int32
	// byDefault is the default edge of a gateway, -1 when it has none.
	byDefault int32
	// inputs are those of a task or subflow by name, sorted; static holds them all as one
	// object when none holds an expression.
	inputs  []graphInput
	static  json.RawMessage
	literal map[string]bool
	schema  *expr.Schema
	outputs []graphOutput
	// rollback is set for a task whose plugin can undo it.
	rollback bool
}

// graphInput is one input of a task or subflow.
type graphInput struct {
	name  string
	value *expr.Template
}

// graphOutput binds an output of a task or subflow to a variable.
type graphOutput struct {
	variable int32
	output   string
}

// graphEdge is an edge between node indexes.
type graphEdge struct {
	id        string
	from, to  int32
	condition *expr.Program
}

// graphVar is a variable with its compiled parts.
type graphVar struct {
	*Variable
	scope    int32
	schema   *expr.Schema
	template *expr.Template // of a constant that holds expressions
	computed *expr.Program
	show     *expr.Program // of an input that is not always asked for
}

// Flow returns the document the graph was made from. It must not be changed.
func (g *Graph) Flow() *Flow { return g.flow }

// Digest returns the digest of the document.
func (g *Graph) Digest() string { return g.digest() }

// Join returns the join that ends the block of a parallel gateway, or false.
func (g *Graph) Join(gateway string) (string, bool) {
	i, ok := g.nodeIdx[gateway]
	if !ok || g.nodes[i].join < 0 {
		return "", false
	}
	return g.nodes[g.nodes[i].join].id, true
}

// Catalogue tells Compile about the actions that a flow uses.
type Catalogue interface {
	// Action returns an action's declaration, or false.
	Action(plugin, action string) (contract.Action, bool)
}
