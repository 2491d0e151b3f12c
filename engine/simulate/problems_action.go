package simulate

import (
	"maps"
	"slices"
	"strconv"

	"github.com/culmhq/culm/engine"
)

// action checks one action.
func (k *checker) action(at string, a *Action) {
	k.duration(at+"/at", a.At)
	k.duration(at+"/after", a.After)
	k.duration(at+"/delay", a.Delay)
	k.misplaced(at+"/at", a.At != "" && a.When != nil, "an action is done at a time or when a condition holds, not both")
	k.when(at+"/when", a)
	fields, known := a.fields()
	if !known {
		k.value(at+"/do", "unknown action %q", a.Do)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		k.misplaced(at+"/"+name, fields[name], "a "+string(a.Do)+" has no "+name)
	}
	k.target(at, a)
	switch a.Do {
	case DoRollback:
		k.node(at+"/from", a.From)
		k.node(at+"/to", a.To)
	case DoSetVariables:
		if len(a.Values) == 0 {
			k.value(at+"/values", "nothing to set")
		}
	case DoReschedule:
		if a.Delay == "" {
			k.value(at+"/delay", "a time is needed")
		}
	default:
	}
	if a.Attempt < 0 || a.Iteration < 0 {
		k.value(at, "attempt and iteration must not be negative")
	}
	switch a.Refused {
	case "", engine.CodeConflict, engine.CodeWrongState, engine.CodeUnknownNode, engine.CodeInvalid, engine.CodeEnded:
	default:
		k.value(at+"/refused", "unknown code %q", a.Refused)
	}
}

// target checks the node that an action means, and the run.
func (k *checker) target(at string, a *Action) {
	path := a.Node
	if path == "" && a.When != nil {
		path = a.When.Node
	}
	switch use := a.Do.node(); {
	case use == nodeNeeded && path == "":
		k.value(at+"/node", "a node is needed")
	case a.Node != "" && use == nodeNone:
		k.misplaced(at+"/node", true, "a "+string(a.Do)+" has no node")
	case a.Node != "":
		k.node(at+"/node", a.Node)
	}
	if a.In == "" {
		return
	}
	if in, ok := k.node(at+"/in", a.In); ok && !independent(in.node) {
		k.value(at+"/in", "only an independent subflow has a run of its own")
	}
	if node, ok := k.paths.find(a.Node); a.Node != "" && ok && node.run != a.In {
		k.value(at+"/in", "the node belongs to another run")
	}
}

// fields returns the fields of an action that go with one thing to do only, and whether
// they are given where they do not belong. It reports false for what cannot be done.
func (a *Action) fields() (map[string]bool, bool) {
	given := map[string]bool{
		"inputs": a.Inputs != nil, "part": a.Part != "", "edges": a.Edges != nil, "reason": a.Reason != "", "as": a.As != "",
		"outputs": a.Outputs != nil, "data": a.Data != nil, "attempt": a.Attempt != 0, "iteration": a.Iteration != 0,
		"values": a.Values != nil, "scope": a.Scope != "", "delay": a.Delay != "", "from": a.From != "", "to": a.To != "", "mode": a.Mode != "",
	}
	var own []string
	switch a.Do {
	case DoPause, DoResume:
	case DoRetry:
		own = []string{"inputs", "part"}
	case DoSkip:
		own = []string{"edges", "part"}
	case DoForceFail, DoRevoke, DoFail:
		own = []string{"reason"}
	case DoResolve:
		own = []string{"as", "outputs"}
	case DoCallback:
		own = []string{"data", "attempt", "iteration"}
	case DoSetVariables:
		own = []string{"values", "scope"}
	case DoReschedule:
		own = []string{"delay"}
	case DoRollback:
		own = []string{"from", "to", "mode"}
	default:
		return nil, false
	}
	for _, name := range own {
		delete(given, name)
	}
	return given, true
}

func (k *checker) when(at string, a *Action) {
	w := a.When
	if w == nil {
		return
	}
	if w.Node == "" && w.Run == "" && !w.Idle {
		k.value(at, "a condition is needed: a node and its state, the state of the run, or idle")
	}
	if w.Node != "" {
		k.node(at+"/node", w.Node)
		k.nodeState(at+"/state", w.State)
	}
	k.misplaced(at+"/state", w.Node == "" && w.State != "", "the state of which node?")
	k.misplaced(at+"/attempt", w.Node == "" && w.Attempt != 0, "the attempt of which node?")
	k.misplaced(at+"/iteration", w.Node == "" && w.Iteration != nil, "the iteration of which node?")
	if w.Run != "" {
		k.runState(at+"/run", w.Run)
	}
}

func (k *checker) nodeState(at string, s engine.NodeState) {
	switch s {
	case engine.NodeReady, engine.NodeRunning, engine.NodeWaiting, engine.NodeSuspended, engine.NodeSucceeded, engine.NodeFailed,
		engine.NodeSkipped, engine.NodeCancelled, engine.NodeUnknown, engine.NodeRollingBack, engine.NodeRolledBack, engine.NodeRollbackFailed:
		return
	case engine.NodeIdle:
	}
	k.value(at, "%q is no state of a node", s)
}

func (k *checker) runState(at string, s engine.RunState) {
	switch s {
	case engine.RunRunning, engine.RunSuspended, engine.RunBlocked, engine.RunSucceeded, engine.RunFailed, engine.RunRevoked:
		return
	case engine.RunCreated:
	}
	k.value(at, "%q is no state of a run", s)
}

func (k *checker) expect() {
	e := k.s.Expect
	if e == nil {
		return
	}
	k.duration("/expect/elapsed", e.Elapsed)
	if e.Run != "" {
		k.runState("/expect/run", e.Run)
	}
	for _, path := range slices.Sorted(maps.Keys(e.Nodes)) {
		at := "/expect/nodes/" + escape(path)
		k.node(at, path)
		k.nodeState(at, e.Nodes[path])
	}
	for _, path := range slices.Sorted(maps.Keys(e.Failures)) {
		k.node("/expect/failures/"+escape(path), path)
	}
	for _, path := range slices.Sorted(maps.Keys(e.Attempts)) {
		k.node("/expect/attempts/"+escape(path), path)
	}
	for i, path := range e.Executed {
		k.node("/expect/executed/"+strconv.Itoa(i), path)
	}
	for i, path := range e.NotExecuted {
		k.node("/expect/not_executed/"+strconv.Itoa(i), path)
	}
}
