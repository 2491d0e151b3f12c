package engine

// nodeTrigger is what changes the state of a node. Rules name triggers, not pairs of
// states, so that the table below can be read as the semantics.
type nodeTrigger string

const (
	onEnter        nodeTrigger = "enter"         // a token arrives and a call is made
	onPass         nodeTrigger = "pass"          // a token goes through at once: start, end, gateways
	onHold         nodeTrigger = "hold"          // a token arrives while the run, or the subflow around, is paused
	onRelease      nodeTrigger = "release"       // the operator who stopped it lets it go on
	onBreak        nodeTrigger = "break"         // the node fails before any call: expression, gateway, limit
	onSucceed      nodeTrigger = "succeed"       // the call answered with outputs, or an inline subflow reached its end
	onFail         nodeTrigger = "fail"          // the call answered with a failure
	onWait         nodeTrigger = "wait"          // the call answered that it waits, or a run below was started
	onWake         nodeTrigger = "wake"          // the timer of a wait is due, or its callback came
	onDoubt        nodeTrigger = "doubt"         // nobody can say what the call did
	onRetry        nodeTrigger = "retry"         // operator: another attempt
	onSkip         nodeTrigger = "skip"          // operator: go on behind the node
	onForceFail    nodeTrigger = "force_fail"    // operator: end the attempt
	onTimeout      nodeTrigger = "timeout"       // the attempt took too long
	onIgnore       nodeTrigger = "ignore"        // an option of the node lets the flow go on
	onAutoRetry    nodeTrigger = "auto_retry"    // the time of an automatic retry has come
	onResolveDone  nodeTrigger = "resolve_done"  // operator: it has acted
	onResolveRetry nodeTrigger = "resolve_retry" // operator: another attempt
	onResolveFail  nodeTrigger = "resolve_fail"  // operator: it has failed
	onChildSucceed nodeTrigger = "child_succeed" // the run of an independent subflow succeeded
	onChildFail    nodeTrigger = "child_fail"    // the run of an independent subflow failed, or was revoked
	onStop         nodeTrigger = "stop"          // a token arrives where an operator holds it
	onPause        nodeTrigger = "pause"         // operator: stop what is inside of a subflow
	onResume       nodeTrigger = "resume"        // operator: let it go on
	onCancel       nodeTrigger = "cancel"        // the run ends
	onUndo         nodeTrigger = "undo"          // a rollback calls the plugin's rollback
	onUndone       nodeTrigger = "undone"        // the call succeeded, an operator skipped it, or there is nothing to call
	onUndoFail     nodeTrigger = "undo_fail"     // the call failed, or an operator ended it
	onForget       nodeTrigger = "forget"        // a rollback goes back to this node, or to one before it
)

// nodeTransition lets a trigger change any of the states From to To.
type nodeTransition struct {
	On   nodeTrigger
	From []NodeState
	To   NodeState
}

// nodeTransitions is the life of a node. What is not in it is refused, in Step and in
// Replay. A node that ended well may be entered again by a loop.
//
//nolint:gochecknoglobals // an immutable table
var nodeTransitions = []nodeTransition{
	{onEnter, []NodeState{NodeIdle, NodeSucceeded, NodeSkipped}, NodeRunning},
	{onPass, []NodeState{NodeIdle, NodeReady, NodeSuspended, NodeSucceeded, NodeSkipped, NodeFailed}, NodeSucceeded},
	{onHold, []NodeState{NodeIdle, NodeSuspended, NodeSucceeded, NodeSkipped, NodeFailed, NodeUnknown}, NodeReady},
	{onStop, []NodeState{NodeIdle, NodeReady, NodeSucceeded, NodeSkipped}, NodeSuspended},
	{onRelease, []NodeState{NodeReady, NodeSuspended}, NodeRunning},
	{onBreak, []NodeState{NodeIdle, NodeReady, NodeSuspended, NodeSucceeded, NodeSkipped, NodeFailed, NodeUnknown}, NodeFailed},
	{onSucceed, []NodeState{NodeRunning}, NodeSucceeded},
	{onFail, []NodeState{NodeRunning}, NodeFailed},
	{onWait, []NodeState{NodeRunning}, NodeWaiting},
	{onWake, []NodeState{NodeWaiting}, NodeRunning},
	{onDoubt, []NodeState{NodeRunning}, NodeUnknown},
	{onRetry, []NodeState{NodeFailed}, NodeRunning},
	{onSkip, []NodeState{NodeFailed}, NodeSkipped},
	{onForceFail, []NodeState{NodeRunning, NodeWaiting}, NodeFailed},
	{onTimeout, []NodeState{NodeRunning, NodeWaiting}, NodeFailed},
	{onIgnore, []NodeState{NodeFailed}, NodeSkipped},
	{onAutoRetry, []NodeState{NodeFailed}, NodeRunning},
	{onResolveDone, []NodeState{NodeUnknown}, NodeSucceeded},
	{onResolveRetry, []NodeState{NodeUnknown}, NodeRunning},
	{onResolveFail, []NodeState{NodeUnknown}, NodeFailed},
	{onChildSucceed, []NodeState{NodeWaiting}, NodeSucceeded},
	{onChildFail, []NodeState{NodeWaiting}, NodeFailed},
	{onPause, []NodeState{NodeRunning}, NodeSuspended},
	{onResume, []NodeState{NodeSuspended}, NodeRunning},
	{onCancel, []NodeState{NodeReady, NodeRunning, NodeWaiting, NodeSuspended, NodeRollingBack}, NodeCancelled},
	{onUndo, []NodeState{NodeReady, NodeSuspended, NodeSucceeded, NodeFailed, NodeSkipped, NodeRolledBack, NodeRollbackFailed}, NodeRollingBack},
	{onUndone, []NodeState{NodeReady, NodeSuspended, NodeSucceeded, NodeFailed, NodeSkipped, NodeRollingBack, NodeRollbackFailed}, NodeRolledBack},
	{onUndoFail, []NodeState{NodeRollingBack}, NodeRollbackFailed},
	{onForget, []NodeState{NodeReady, NodeSuspended, NodeSucceeded, NodeFailed, NodeSkipped, NodeRolledBack}, NodeIdle},
}

// nodeStates lists every node state, in the order of the state tables.
//
//nolint:gochecknoglobals // an immutable table
var nodeStates = [...]NodeState{
	NodeIdle, NodeReady, NodeRunning, NodeWaiting, NodeSuspended, NodeSucceeded, NodeFailed,
	NodeSkipped, NodeCancelled, NodeUnknown, NodeRollingBack, NodeRolledBack, NodeRollbackFailed,
}

// runTrigger is what changes the state of a run.
type runTrigger string

const (
	onRunStart   runTrigger = "start"
	onRunBlock   runTrigger = "block"   // only failed or unknown nodes are left to move
	onRunUnblock runTrigger = "unblock" // something can move again
	onRunPause   runTrigger = "pause"
	onRunResume  runTrigger = "resume"
	onRunSucceed runTrigger = "succeed" // the last token reached an end
	onRunFail    runTrigger = "fail"    // the flow's policy
	onRunRevoke  runTrigger = "revoke"
)

// runTransition lets a trigger change any of the states From to To.
type runTransition struct {
	On   runTrigger
	From []RunState
	To   RunState
}

// runTransitions is the life of a run.
//
//nolint:gochecknoglobals // an immutable table
var runTransitions = []runTransition{
	{onRunStart, []RunState{RunCreated}, RunRunning},
	{onRunBlock, []RunState{RunRunning}, RunBlocked},
	{onRunUnblock, []RunState{RunBlocked}, RunRunning},
	{onRunPause, []RunState{RunRunning, RunBlocked}, RunSuspended},
	{onRunResume, []RunState{RunSuspended}, RunRunning},
	{onRunSucceed, []RunState{RunRunning}, RunSucceeded},
	{onRunFail, []RunState{RunRunning, RunSuspended, RunBlocked}, RunFailed},
	{onRunRevoke, []RunState{RunRunning, RunSuspended, RunBlocked}, RunRevoked},
}

// runStates lists every run state.
//
//nolint:gochecknoglobals // an immutable table
var runStates = [...]RunState{RunCreated, RunRunning, RunSuspended, RunBlocked, RunSucceeded, RunFailed, RunRevoked}

// nodeTarget returns where a trigger leads from a state, or false when it is refused.
func nodeTarget(on nodeTrigger, from NodeState) (NodeState, bool) {
	for i := range nodeTransitions {
		t := &nodeTransitions[i]
		if t.On != on {
			continue
		}
		for _, f := range t.From {
			if f == from {
				return t.To, true
			}
		}
	}
	return "", false
}

// runTarget is nodeTarget for runs.
func runTarget(on runTrigger, from RunState) (RunState, bool) {
	for i := range runTransitions {
		t := &runTransitions[i]
		if t.On != on {
			continue
		}
		for _, f := range t.From {
			if f == from {
				return t.To, true
			}
		}
	}
	return "", false
}

// nodeMoves and runMoves are the transition tables by target state, as bit sets of
// the states one may come from: what apply asks for every record.
//
//nolint:gochecknoglobals // immutable tables
var (
	nodeMoves = indexNodeMoves()
	runMoves  = indexRunMoves()
)

func indexNodeMoves() map[NodeState]uint32 {
	m := make(map[NodeState]uint32, len(nodeStates))
	for _, t := range nodeTransitions {
		for _, f := range t.From {
			m[t.To] |= 1 << nodeStateIndex(f)
		}
	}
	return m
}

func indexRunMoves() map[RunState]map[RunState]bool {
	m := make(map[RunState]map[RunState]bool, len(runStates))
	for _, t := range runTransitions {
		if m[t.To] == nil {
			m[t.To] = map[RunState]bool{}
		}
		for _, f := range t.From {
			m[t.To][f] = true
		}
	}
	return m
}

// nodeMayMove reports whether any trigger leads from one state to the other.
func nodeMayMove(from, to NodeState) bool {
	i := nodeStateIndex(from)
	return i >= 0 && nodeMoves[to]&(1<<i) != 0
}

// nodeStateIndex returns the place of a state in nodeStates, or -1.
func nodeStateIndex(s NodeState) int {
	for i := range nodeStates {
		if nodeStates[i] == s {
			return i
		}
	}
	return -1
}
