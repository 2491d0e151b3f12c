package engine

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/culmhq/culm/engine/expr"
)

// The limits of a flow document.
const (
	MaxNodes         = 10_000
	MaxEdges         = 100_000
	MaxVariables     = 5_000
	MaxDegree        = 1000
	MaxSubflows      = 1000
	MaxDepth         = 10 // how deep subflows nest
	MaxDocumentBytes = 4 << 20
)

var (
	flowIDPattern   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	nodeIDPattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)
	variablePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// Compile checks a document and makes a graph from it. It reports every problem at
// once, in the order of the document by kind; the graph is nil when one of them is an
// error. Its time grows linearly with the document, but for a logarithm in the
// matching of parallel blocks.
//
// The flows of subflow nodes are taken from f.Subflows, for the whole tree. Each is
// compiled once; a problem inside of one is reported at the node that names it.
func Compile(f *Flow, c Catalogue) (*Graph, []Problem) {
	t := &tree{root: f, catalogue: c, actions: map[[2]string]*actionSchemas{}, documents: map[string]*document{}}
	if f.ID != "" {
		t.open = []string{f.ID}
	}
	d := t.compile(f)
	if d.g == nil {
		return nil, d.problems
	}
	return t.link(d), d.problems
}

// compile checks one document of a tree and makes a graph of its own nodes from it.
func (t *tree) compile(f *Flow) *document {
	b := newBuilder(t, f)
	b.build()
	d := &document{f: f, problems: b.problems, children: b.children, depth: b.depth}
	if !b.failed {
		b.g.env.Seal()
		d.g = b.g
		d.measure()
	}
	return d
}

func newBuilder(t *tree, f *Flow) *builder {
	return &builder{
		f: f, tree: t,
		g: &Graph{flow: f, nodeIdx: map[string]int32{}, edgeIdx: map[string]int32{}, varIdx: map[string]int32{}, start: -1},
	}
}

func (b *builder) build() {
	if !b.document() {
		return
	}
	b.nodes()
	b.edges()
	b.schemes()
	b.notes()
	whole := !b.broken
	b.degrees()
	if whole {
		b.reach()
		b.blocks()
		b.firstJoins()
		b.idleCycles()
	}
	b.variables()
	b.tasks()
	b.subflowSizes()
	b.environment()
	b.expressions()
}

// builder makes the graph of one document.
type builder struct {
	f        *Flow
	tree     *tree
	g        *Graph
	problems []Problem
	failed   bool // there is an error
	broken   bool // nodes and edges do not make a graph: its shape is not looked at
	// secretInputs are the inputs of subflow nodes that take secrets.
	secretInputs map[int32]map[string]*Variable
	// dead marks the nodes that are unreachable or lead nowhere.
	dead []bool
	// nodeOf and edgeOf are the places in the document of the graph's nodes and edges.
	nodeOf, edgeOf []int
	// outputDecls are the tasks and subflows with the schemas of their outputs.
	outputDecls []expr.Decl
	// children are the documents of the inline subflow nodes, by node; depth is how
	// deep subflows of any mode nest.
	children map[int32]*document
	depth    int
}

// report adds a problem; args are name, value pairs.
func (b *builder) report(p Problem, message string, args ...string) {
	p.Message = message
	if p.Level == "" {
		p.Level = SeverityError
	}
	if p.Level == SeverityError {
		b.failed = true
	}
	for i := 0; i+1 < len(args); i += 2 {
		if p.Args == nil {
			p.Args = make(map[string]string, len(args)/2)
		}
		p.Args[args[i]] = args[i+1]
	}
	b.problems = append(b.problems, p)
}

// document checks what is not in a node, edge or variable. It returns false when the
// document is not worth looking at further.
func (b *builder) document() bool {
	if b.f.Format != FlowFormat {
		b.report(Problem{Code: ProblemFormat, Field: "/format"}, fmt.Sprintf("format %q is not supported, only %q", b.f.Format, FlowFormat), "format", b.f.Format)
		return false
	}
	for _, l := range []struct {
		what      string
		have, max int
	}{{"nodes", len(b.f.Nodes), MaxNodes}, {"edges", len(b.f.Edges), MaxEdges}, {"variables", len(b.f.Variables), MaxVariables}, {"subflows", len(b.f.Subflows), MaxSubflows}} {
		if l.have > l.max {
			b.report(Problem{Code: ProblemFlowTooLarge, Field: "/" + l.what}, fmt.Sprintf("%d %s, at most %d", l.have, l.what, l.max), "what", l.what, "max", strconv.Itoa(l.max))
			return false
		}
	}
	if b.f.ID != "" && !flowIDPattern.MatchString(b.f.ID) {
		b.report(Problem{Code: ProblemFlowID, Field: "/id"}, "the id is a lower-case letter, then up to 63 of a-z, 0-9 and -")
	}
	if b.f.OnFailure != FailureBlock && b.f.OnFailure != FailureFail {
		b.report(Problem{Code: ProblemFailurePolicy, Field: "/on_failure"}, fmt.Sprintf("unknown policy %q", b.f.OnFailure))
	}
	b.inRange(Problem{Field: "/timeout_ms"}, b.f.TimeoutMS, 0, maxRunTimeoutMS)
	return true
}

func (b *builder) nodes() {
	ends, starts := 0, 0
	for i := range b.f.Nodes {
		n := &b.f.Nodes[i]
		at := Problem{Node: n.ID, Field: "/id"}
		if n.ID == "" {
			at = Problem{Field: fmt.Sprintf("/nodes/%d/id", i)}
		}
		if _, twice := b.g.nodeIdx[n.ID]; twice {
			at.Code = ProblemNodeDuplicate
			b.report(at, fmt.Sprintf("the id %q is taken", n.ID))
			b.broken = true
			continue
		}
		if !nodeIDPattern.MatchString(n.ID) {
			at.Code = ProblemNodeID
			b.report(at, "a node id is a letter, then up to 63 letters, digits and _")
		}
		b.nodeType(n)
		b.nodeOptions(n)
		switch n.Type {
		case TypeStart:
			if starts++; starts > 1 {
				b.report(Problem{Code: ProblemStartMany, Node: n.ID}, "a flow has one start")
				b.broken = true
			}
			b.g.start = int32(len(b.g.nodes))
		case TypeEnd:
			ends++
		default:
		}
		b.g.nodeIdx[n.ID] = int32(len(b.g.nodes))
		b.nodeOf = append(b.nodeOf, i)
		b.g.nodes = append(b.g.nodes, graphNode{
			id: n.ID, typ: n.Type, drawn: n, mode: n.Mode, plugin: n.Plugin, action: n.Action, strategy: n.Strategy, opts: n.options(),
			inner: -1, join: -1, block: -1, byDefault: -1,
		})
	}
	if starts == 0 {
		b.report(Problem{Code: ProblemStartMissing, Field: "/nodes"}, "the flow has no start")
		b.broken = true
	}
	if ends == 0 {
		b.report(Problem{Code: ProblemEndMissing, Field: "/nodes"}, "the flow has no end")
		b.broken = true
	}
}

// nodeType checks the type and the fields that go with it.
func (b *builder) nodeType(n *Node) {
	if !b.known(n.Type) {
		b.report(Problem{Code: ProblemNodeType, Node: n.ID, Field: "/type"}, fmt.Sprintf("unknown node type %q", n.Type), "type", string(n.Type))
		return
	}
	misplaced := func(field string, set bool) {
		if set {
			b.report(Problem{Code: ProblemNodeField, Node: n.ID, Field: "/" + field}, fmt.Sprintf("nodes of type %s have no %s", n.Type, field), "field", field, "type", string(n.Type))
		}
	}
	if n.Type != TypeTask {
		misplaced("plugin", n.Plugin != "")
		misplaced("action", n.Action != "")
	}
	if n.Type != TypeSubflow {
		misplaced("flow", n.Flow != "")
		misplaced("version", n.Version != 0)
		misplaced("mode", n.Mode != "")
		misplaced("schemes", len(n.Schemes) > 0)
	}
	if n.Type != TypeTask && n.Type != TypeSubflow {
		misplaced("inputs", len(n.Inputs) > 0)
		misplaced("literal", len(n.Literal) > 0)
		misplaced("outputs", len(n.Outputs) > 0)
	}
	if n.Type != TypeExclusive {
		misplaced("strategy", n.Strategy != "")
	} else if n.Strategy != StrategyOnly && n.Strategy != StrategyFirst {
		b.report(Problem{Code: ProblemStrategy, Node: n.ID, Field: "/strategy"}, fmt.Sprintf("unknown strategy %q", n.Strategy))
	}
}

// known reports whether a node type is one of the format's.
func (b *builder) known(t NodeType) bool {
	switch t {
	case TypeStart, TypeEnd, TypeTask, TypeSubflow, TypeExclusive, TypeParallel, TypeInclusive, TypeJoin:
		return true
	}
	return false
}

func (b *builder) edges() {
	type pair struct{ from, to int32 }
	seen := make(map[pair]string, len(b.f.Edges))
	for i := range b.f.Edges {
		e := &b.f.Edges[i]
		at := Problem{Edge: e.ID, Field: "/id"}
		if e.ID == "" {
			at = Problem{Field: fmt.Sprintf("/edges/%d/id", i)}
		}
		if _, twice := b.g.edgeIdx[e.ID]; twice {
			at.Code = ProblemEdgeDuplicate
			b.report(at, fmt.Sprintf("the id %q is taken", e.ID))
			b.broken = true
			continue
		}
		if !nodeIDPattern.MatchString(e.ID) {
			at.Code = ProblemEdgeID
			b.report(at, "an edge id is a letter, then up to 63 letters, digits and _")
		}
		from, ok1 := b.endpoint(e, ProblemEdgeFrom, "/from", e.From)
		to, ok2 := b.endpoint(e, ProblemEdgeTo, "/to", e.To)
		if !ok1 || !ok2 {
			b.broken = true
			continue
		}
		if other, twice := seen[pair{from, to}]; twice && !chooses(b.g.nodes[from].typ) {
			b.report(Problem{Code: ProblemEdgeParallel, Edge: e.ID}, fmt.Sprintf("edge %q joins the same nodes", other), "edge", other)
		}
		seen[pair{from, to}] = e.ID
		b.addEdge(i, e, from, to)
	}
}

// chooses reports whether a gateway has conditions: several of its edges may lead to the
// same node then.
func chooses(t NodeType) bool { return t == TypeExclusive || t == TypeInclusive }

func (b *builder) endpoint(e *Edge, code, field, id string) (int32, bool) {
	i, ok := b.g.nodeIdx[id]
	if !ok {
		b.report(Problem{Code: code, Edge: e.ID, Field: field}, fmt.Sprintf("no node %q", id), "node", id)
	}
	return i, ok
}

func (b *builder) addEdge(i int, e *Edge, from, to int32) {
	k := int32(len(b.g.edges))
	b.g.edgeIdx[e.ID] = k
	b.edgeOf = append(b.edgeOf, i)
	b.g.edges = append(b.g.edges, graphEdge{id: e.ID, from: from, to: to})
	b.g.nodes[from].out = append(b.g.nodes[from].out, k)
	b.g.nodes[to].in = append(b.g.nodes[to].in, k)
	b.condition(e, from, k)
}

// condition checks that an edge has a condition, or is the default, exactly where it
// may be.
func (b *builder) condition(e *Edge, from, k int32) {
	n := &b.g.nodes[from]
	at := Problem{Edge: e.ID, Field: "/condition"}
	if n.typ != TypeExclusive && n.typ != TypeInclusive {
		if e.Condition != "" {
			at.Code = ProblemConditionMisplaced
			b.report(at, "only edges that leave an exclusive or inclusive gateway have a condition")
		}
		if e.Default {
			b.report(Problem{Code: ProblemDefaultMisplaced, Edge: e.ID, Field: "/default"}, "only an exclusive or inclusive gateway has a default edge")
		}
		return
	}
	switch {
	case e.Default && e.Condition != "":
		at.Code = ProblemDefaultCondition
		b.report(at, "the default edge has no condition")
	case e.Default && n.byDefault >= 0:
		b.report(Problem{Code: ProblemDefaultMany, Edge: e.ID, Field: "/default"}, "a gateway has one default edge")
	case e.Default:
		n.byDefault = k
	case e.Condition == "":
		at.Code = ProblemConditionMissing
		b.report(at, "the edge needs a condition, or be the default")
	}
}

// degreeRule is how many edges may come in and go out.
type degreeRule struct{ minIn, maxIn, minOut, maxOut int }

func degreesOf(t NodeType) degreeRule {
	switch t {
	case TypeStart:
		return degreeRule{0, 0, 1, 1}
	case TypeEnd:
		return degreeRule{1, MaxDegree, 0, 0}
	case TypeTask, TypeSubflow, TypeJoin:
		return degreeRule{1, MaxDegree, 1, 1}
	case TypeExclusive, TypeParallel, TypeInclusive:
	}
	return degreeRule{1, MaxDegree, 1, MaxDegree}
}

func (b *builder) degrees() {
	for i := range b.g.nodes {
		n := &b.g.nodes[i]
		r := degreesOf(n.typ)
		b.degree(n, ProblemDegreeIn, "incoming", len(n.in), r.minIn, r.maxIn)
		b.degree(n, ProblemDegreeOut, "outgoing", len(n.out), r.minOut, r.maxOut)
		if n.typ == TypeStart && len(n.out) == 1 && b.g.nodes[b.g.edges[n.out[0]].to].typ == TypeEnd {
			b.report(Problem{Code: ProblemFlowEmpty, Node: n.id}, "the start leads straight to the end")
		}
		if n.typ == TypeJoin && len(n.in) == 1 {
			b.report(Problem{Code: ProblemJoinOne, Level: SeverityWarning, Node: n.id}, "the join has one incoming edge")
		}
		if (n.typ == TypeExclusive || n.typ == TypeInclusive) && n.byDefault < 0 {
			b.report(Problem{Code: ProblemDefaultMissing, Level: SeverityWarning, Node: n.id}, "without a default edge the node fails when no condition holds")
		}
	}
}

func (b *builder) degree(n *graphNode, code, what string, have, least, most int) {
	if have >= least && have <= most || !b.known(n.typ) {
		return
	}
	b.broken = b.broken || have > most && n.typ == TypeStart
	number := fmt.Sprintf("%d to %d", least, most)
	if least == most {
		number = fmt.Sprintf("exactly %d", least)
	}
	b.report(Problem{Code: code, Node: n.id}, fmt.Sprintf("the number of %s edges of a node of type %s is %s, not %d", what, n.typ, number, have),
		"type", string(n.typ), "have", strconv.Itoa(have), "min", strconv.Itoa(least), "max", strconv.Itoa(most))
}

// exprProblem turns an error of package expr into a problem at a place.
func exprProblem(at Problem, err error) (p Problem, message string, args []string) {
	var e *expr.Error
	if !errors.As(err, &e) {
		at.Code = string(expr.CodeSyntax)
		return at, err.Error(), nil
	}
	at.Code = string(e.Code)
	at.Field += e.Pointer
	args = []string{"offset", strconv.Itoa(e.Offset)}
	if e.Name != "" {
		args = append(args, "name", e.Name)
	}
	if e.Column > 0 {
		args = append(args, "row", strconv.Itoa(e.Line), "column", strconv.Itoa(e.Column))
	}
	return at, e.Message, append(args, whyArgs(e)...)
}

// whyArgs are the arguments of a problem that say which mistake it is.
func whyArgs(err error) []string {
	var e *expr.Error
	if !errors.As(err, &e) || e.Reason == "" {
		return nil
	}
	args := []string{"why", e.Reason}
	for _, name := range slices.Sorted(maps.Keys(e.Args)) {
		args = append(args, name, e.Args[name])
	}
	return args
}
