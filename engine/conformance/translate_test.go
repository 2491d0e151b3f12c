package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr/sops"
	"github.com/culmhq/culm/pdk/contract"
)

// translated is a case's tree as a flow, and how to get back from the one to the other.
type translated struct {
	flow *engine.Flow
	// path is the id in the graph of every node of the tree, node the other way round.
	path map[string]string
	node map[string]*treeNode
	// edge is the id in the graph of every edge.
	edge map[string]string
	// scopes are the tree itself, under "", and those of subprocesses by their node.
	scopes   map[string]*scopeTree
	settings map[string]any
	options  runOptions
	// warnings are what the translation of the expressions reports.
	warnings []string
}

// scopeTree is one tree with what its keys became.
type scopeTree struct {
	*tree
	owner  string // the id of the subprocess, "root" for the tree itself
	prefix string // of the ids of nodes in the graph
	params map[string]*variable
	preset map[string]any
	names  map[string]string // of variables, by key
	// lazies are the variables that lazy inputs of nodes make, by key.
	lazies map[string]*variable
	// counters are the variables that are bound to nothing but a node's _loop: they show
	// the new value to the node's own inputs already.
	counters map[string]string
	t        *sops.Translator
}

var idPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

func translate(c *testCase) (*translated, error) {
	t := &translated{
		path: map[string]string{}, node: map[string]*treeNode{}, edge: map[string]string{}, scopes: map[string]*scopeTree{},
		settings: c.EngineSettings, options: c.RunOptions,
	}
	t.scope(&c.Tree, "root", "", nil, c.RunOptions.RootContext)
	f, err := t.document(t.scopes["root"])
	if err != nil {
		return nil, err
	}
	t.flow, f.Subflows = f, map[string]*engine.Flow{}
	for _, owner := range slices.Sorted(maps.Keys(t.scopes)) {
		if owner == "root" {
			continue
		}
		d, err := t.document(t.scopes[owner])
		if err != nil {
			return nil, err
		}
		f.Subflows[reference(owner)] = d
	}
	return t, nil
}

// reference is the id of the flow of a subprocess.
func reference(node string) string {
	return "f-" + strings.ToLower(strings.ReplaceAll(node, "_", "-"))
}

// scope gathers what a tree's expressions may name, and names it; then those within.
func (t *translated) scope(tr *tree, owner, prefix string, params map[string]*variable, preset map[string]any) {
	sc := &scopeTree{
		tree: tr, owner: owner, prefix: prefix, params: params, preset: preset,
		lazies: map[string]*variable{}, counters: map[string]string{},
	}
	for i := range tr.Nodes {
		n := &tr.Nodes[i]
		t.node[n.ID], t.path[n.ID] = n, prefix+safeID(n.ID)
		for _, inputs := range []map[string]*variable{n.Inputs, n.Params} {
			for key, v := range inputs {
				if v.Type == "lazy" {
					sc.lazies["${"+sops.Key(key)+"_"+n.ID+"}"] = v
				}
			}
		}
	}
	for _, e := range tr.Edges {
		t.edge[e.ID] = prefix + safeID(e.ID)
	}
	keys := slices.Collect(maps.Keys(tr.Variables))
	keys = slices.AppendSeq(keys, maps.Keys(params))
	keys = slices.AppendSeq(keys, maps.Keys(preset))
	keys = slices.AppendSeq(keys, maps.Keys(sc.lazies))
	sc.names = sops.Rename(keys)
	sc.t = &sops.Translator{Names: map[string]sops.Name{}, Lenient: true, PlainValues: true}
	for key, name := range sc.names {
		sc.t.Names[sops.Key(key)] = sops.Name{Expr: name}
	}
	t.scopes[owner] = sc
	for i := range tr.Nodes {
		if n := &tr.Nodes[i]; n.Tree != nil {
			t.scope(n.Tree, n.ID, t.path[n.ID]+".", n.Params, t.options.SubprocessContext)
		}
	}
}

// safeID makes an id that Culm takes of one that the original took.
func safeID(id string) string {
	if idPattern.MatchString(id) {
		return id
	}
	return "n_" + regexp.MustCompile(`[^A-Za-z0-9_]`).ReplaceAllString(id, "_")
}

func (t *translated) document(sc *scopeTree) (*engine.Flow, error) {
	f := &engine.Flow{Format: engine.FlowFormat, ID: reference(sc.owner), Name: contract.T(sc.owner)}
	if err := t.variables(f, sc); err != nil {
		return nil, err
	}
	for i := range sc.Nodes {
		if err := t.addNode(f, sc, &sc.Nodes[i]); err != nil {
			return nil, err
		}
	}
	seen := map[string]int{}
	for _, e := range sc.Edges {
		id := safeID(e.ID)
		if seen[id]++; seen[id] > 1 { // the same two nodes again
			id = fmt.Sprintf("%s_%d", id, seen[id])
		}
		f.Edges = append(f.Edges, engine.Edge{ID: id, From: safeID(e.From), To: safeID(e.To)})
	}
	for i := range sc.Nodes {
		t.conditions(f, sc, &sc.Nodes[i])
	}
	t.bind(f, sc)
	return f, nil
}

// variables declares the variables of a scope.
func (t *translated) variables(f *engine.Flow, sc *scopeTree) error {
	for _, key := range slices.Sorted(maps.Keys(sc.names)) {
		v := engine.Variable{Name: sc.names[key], Schema: json.RawMessage(`{}`), Output: slices.Contains(sc.Outputs, key)}
		declared := sc.Variables[key]
		if lazy := sc.lazies[key]; lazy != nil {
			declared = lazy
		}
		if err := t.declare(&v, sc, key, declared); err != nil {
			return fmt.Errorf("variable %s: %w", key, err)
		}
		f.Variables = append(f.Variables, v)
	}
	return nil
}

// declare gives a variable its source: where the original has a type, Culm has a source.
func (t *translated) declare(v *engine.Variable, sc *scopeTree, key string, d *variable) error {
	_, param := sc.params[key]
	value, preset := sc.preset[key]
	collected := slices.ContainsFunc(sc.Nodes, func(n treeNode) bool { return n.Options.Loop != nil && n.Options.Loop.OutputsKey == key })
	switch {
	case param:
		v.Source = engine.SourceInput
		if d != nil && d.Type == "plain" {
			v.Value = d.Value
		}
	case d == nil && preset:
		v.Source, v.Value = engine.SourceConstant, escaped(mustJSON(value))
	case collected:
		v.Source, v.Value = engine.SourceNode, d.Value
	case d.Type == "plain":
		v.Source, v.Value = engine.SourceConstant, escaped(d.Value)
	case d.Type == "node_output":
		if len(d.Source) == 1 && (d.Source[0].Key == "_loop" || d.Source[0].Key == "_inner_loop" && sc.owner == "root") {
			return sc.counter(v, key, d)
		}
		v.Source, v.Value = engine.SourceNode, d.Initial
	default:
		return t.computed(v, sc, key, d)
	}
	return nil
}

// counter declares a variable that follows the iterations of a node: the original shows a
// node its new number before it runs.
func (sc *scopeTree) counter(v *engine.Variable, key string, d *variable) error {
	sc.counters[key] = d.Source[0].Node
	v.Source, v.Expression = engine.SourceComputed, "nodes."+safeID(d.Source[0].Node)+".iterations"
	if d.Initial == nil {
		return nil
	}
	initial, problems := (&sops.Translator{Lenient: true}).Expression(d.Initial)
	for _, p := range problems {
		return p
	}
	v.Expression = fmt.Sprintf("%[1]s > 0 ? dyn(%[1]s) : dyn(%[2]s)", v.Expression, initial)
	return nil
}

// atStart translates what is rendered at the start of a scope: variables that only nodes
// write have no value then.
func (sc *scopeTree) atStart() *sops.Translator {
	t := *sc.t
	t.Names = maps.Clone(sc.t.Names)
	for key, d := range sc.Variables {
		if _, param := sc.params[key]; d.Type == "node_output" && d.Initial == nil && !param {
			delete(t.Names, sops.Key(key))
		}
	}
	return &t
}

// computed declares a variable that is rendered whenever it is read, or once at start.
func (t *translated) computed(v *engine.Variable, sc *scopeTree, key string, d *variable) error {
	preRendered := slices.Contains(sc.PreRenderKeys, key)
	tr := sc.t
	if preRendered {
		tr = sc.atStart()
	}
	cel, problems := tr.Expression(d.Value)
	t.warn(key, problems)
	switch {
	case d.Type == "splice":
	case d.Type == "lazy" && d.CustomType == "upper_case":
		cel = fmt.Sprintf(`py.call(".upper", [%s])`, cel)
	case d.Type == "lazy" && d.CustomType == "raise_variable":
		cel = `fail("lazy variable raised")`
	default:
		return fmt.Errorf("unknown type %s %s", d.Type, d.CustomType)
	}
	if preRendered {
		v.Source, v.Value = engine.SourceConstant, mustJSON("${"+cel+"}")
		return nil
	}
	v.Source, v.Expression = engine.SourceComputed, cel
	return nil
}

func (t *translated) warn(at string, problems []sops.Problem) {
	for _, p := range problems {
		t.warnings = append(t.warnings, fmt.Sprintf("%s: %v", at, p))
	}
}

// escaped makes a literal of a value whose strings may hold ${.
func escaped(raw json.RawMessage) json.RawMessage {
	return bytes.ReplaceAll(raw, []byte("${"), []byte("$${"))
}

func mustJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func (t *translated) addNode(f *engine.Flow, sc *scopeTree, n *treeNode) error {
	out := engine.Node{ID: safeID(n.ID)}
	limit, given := t.settings["node_rerun_limit"].(float64)
	if !given {
		limit = 100
	}
	switch n.Type {
	case "start":
		out.Type = engine.TypeStart
	case "end":
		t.end(f, n, &out)
	case "activity":
		out.Type, out.Plugin, out.Action = engine.TypeTask, "reference", "act"
		out.IgnoreFailure, out.MaxReruns = n.Options.ErrorIgnorable, int(limit)
		out.NoSkip, out.NoRetry = isFalse(n.Options.Skippable), isFalse(n.Options.Retryable)
		if l := n.Options.Loop; l != nil {
			out.Repeat = &engine.Repeat{Times: l.LoopTimes, ContinueOnFailure: l.FailSkip, Collect: sc.names[l.OutputsKey]}
		}
		t.inputs(&out, sc, n, n.Inputs)
	case "subprocess":
		out.Type, out.Flow = engine.TypeSubflow, reference(n.ID)
		t.inputs(&out, sc, n, n.Params)
	case "exclusive":
		out.Type = engine.TypeExclusive
		if first(t.settings) {
			out.Strategy = engine.StrategyFirst
		}
	case "parallel":
		out.Type = engine.TypeParallel
	case "conditional_parallel":
		out.Type = engine.TypeInclusive
	case "converge":
		out.Type = engine.TypeJoin
	default:
		return fmt.Errorf("node %s: unknown type %q", n.ID, n.Type)
	}
	f.Nodes = append(f.Nodes, out)
	return nil
}

func isFalse(b *bool) bool { return b != nil && !*b }

// first reports whether exclusive gateways take the first true condition.
func first(settings map[string]any) bool {
	for key, v := range settings {
		if strings.Contains(strings.ToLower(key), "strategy") {
			s := strings.ToLower(fmt.Sprint(v))
			return s == "2" || strings.Contains(s, "first")
		}
	}
	return false
}

// end translates an end. One that runs code of its own is a task before the end.
func (t *translated) end(f *engine.Flow, n *treeNode, out *engine.Node) {
	out.Type = engine.TypeEnd
	if n.Event == "" {
		return
	}
	out.Type, out.Plugin, out.Action = engine.TypeTask, "reference", "end"
	last := safeID(n.ID) + "_end"
	f.Nodes = append(f.Nodes, engine.Node{ID: last, Type: engine.TypeEnd})
	f.Edges = append(f.Edges, engine.Edge{ID: last, From: out.ID, To: last})
}

// inputs translates the inputs of an activity or the parameters of a subprocess.
func (t *translated) inputs(out *engine.Node, sc *scopeTree, n *treeNode, inputs map[string]*variable) {
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		v := inputs[key]
		name := key
		if n.Type == "subprocess" {
			name = t.scopes[n.ID].names[key]
		}
		if out.Inputs == nil {
			out.Inputs = map[string]json.RawMessage{}
		}
		switch {
		case v.Type == "lazy" && !isFalse(v.NeedRender):
			variable := sc.names["${"+sops.Key(key)+"_"+n.ID+"}"]
			out.Inputs[name] = mustJSON("${" + variable + "}")
		case v.Type != "splice" || isFalse(v.NeedRender):
			out.Inputs[name] = v.Value
			out.Literal = append(out.Literal, name)
		default:
			value, problems := sc.t.Value(v.Value)
			t.warn(n.ID+"."+key, problems)
			out.Inputs[name] = value
		}
	}
}

// conditions gives the edges of a gateway their conditions. One that the original cannot
// evaluate fails the gateway here, too.
func (t *translated) conditions(f *engine.Flow, sc *scopeTree, n *treeNode) {
	if n.Type != "exclusive" && n.Type != "conditional_parallel" {
		return
	}
	cel := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(n.Conditions)) {
		c, err := sc.t.Condition(n.Conditions[id])
		if err != nil {
			t.warnings = append(t.warnings, fmt.Sprintf("%s: %v", id, err))
			c = sops.Failing(err)
		}
		cel[safeID(id)] = c
	}
	for i := range f.Edges {
		e := &f.Edges[i]
		if e.From != safeID(n.ID) {
			continue
		}
		own, conditional := cel[e.ID]
		switch {
		case e.ID == safeID(n.Default):
			var others []string
			for _, id := range slices.Sorted(maps.Keys(cel)) {
				if id != e.ID {
					others = append(others, cel[id])
				}
			}
			e.Condition = sops.Otherwise(own, others)
			e.Default = e.Condition == ""
		case conditional:
			e.Condition = own
		default:
			e.Condition = "false"
		}
	}
}

// bind writes the outputs of nodes into the variables that name them as their source.
func (t *translated) bind(f *engine.Flow, sc *scopeTree) {
	for _, key := range slices.Sorted(maps.Keys(sc.Variables)) {
		v := sc.Variables[key]
		_, param := sc.params[key]
		if _, counter := sc.counters[key]; v.Type != "node_output" || counter || param {
			continue
		}
		for _, src := range v.Source {
			for i := range f.Nodes {
				n := &f.Nodes[i]
				if n.ID != safeID(src.Node) {
					continue
				}
				if n.Outputs == nil {
					n.Outputs = map[string]string{}
				}
				n.Outputs[sc.names[key]] = t.outputName(src)
			}
		}
	}
}

// outputName is the name of an output: that of a subprocess is a variable inside.
func (t *translated) outputName(src source) string {
	n := t.node[src.Node]
	if n == nil || n.Type != "subprocess" {
		return src.Key
	}
	if name, ok := t.scopes[n.ID].names[src.Key]; ok {
		return name
	}
	return src.Key
}

// catalogue knows the one plugin of the cases, whose actions take and give anything.
type catalogue struct{}

// Action implements engine.Catalogue.
func (catalogue) Action(_, action string) (contract.Action, bool) {
	return contract.Action{
		ID: action, Inputs: json.RawMessage(`{"type":"object"}`), Outputs: json.RawMessage(`{"type":"object"}`), Rollback: true,
		Waits: []contract.WaitKind{contract.WaitPoll, contract.WaitCallback},
	}, true
}
