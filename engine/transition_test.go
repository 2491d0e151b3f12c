package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// nodeTriggers and runTriggers are all of them, in the order of the tables.
func nodeTriggers() []nodeTrigger {
	var all []nodeTrigger
	for _, t := range nodeTransitions {
		if !slices.Contains(all, t.On) {
			all = append(all, t.On)
		}
	}
	return all
}

// nodeDecisions says for every state which triggers are taken, and where they lead:
// written down a second time, by state, so that a change of the table is a decision.
var nodeDecisions = map[NodeState]string{
	NodeIdle:           "enter>running pass>succeeded hold>ready stop>suspended break>failed",
	NodeReady:          "pass>succeeded stop>suspended release>running break>failed cancel>cancelled undo>rolling_back undone>rolled_back forget>",
	NodeRunning:        "succeed>succeeded fail>failed wait>waiting doubt>unknown force_fail>failed timeout>failed pause>suspended cancel>cancelled",
	NodeWaiting:        "wake>running force_fail>failed timeout>failed child_succeed>succeeded child_fail>failed cancel>cancelled",
	NodeSuspended:      "pass>succeeded hold>ready release>running break>failed resume>running cancel>cancelled undo>rolling_back undone>rolled_back forget>",
	NodeSucceeded:      "enter>running pass>succeeded hold>ready stop>suspended break>failed undo>rolling_back undone>rolled_back forget>",
	NodeFailed:         "pass>succeeded hold>ready break>failed retry>running skip>skipped ignore>skipped auto_retry>running undo>rolling_back undone>rolled_back forget>",
	NodeSkipped:        "enter>running pass>succeeded hold>ready stop>suspended break>failed undo>rolling_back undone>rolled_back forget>",
	NodeCancelled:      "",
	NodeUnknown:        "hold>ready break>failed resolve_done>succeeded resolve_retry>running resolve_fail>failed",
	NodeRollingBack:    "cancel>cancelled undone>rolled_back undo_fail>rollback_failed",
	NodeRolledBack:     "undo>rolling_back forget>",
	NodeRollbackFailed: "undo>rolling_back undone>rolled_back",
}

// TestNodeTransitions walks every pair of state and trigger.
func TestNodeTransitions(t *testing.T) {
	t.Parallel()
	if len(nodeDecisions) != len(nodeStates) {
		t.Fatalf("%d states are decided, there are %d", len(nodeDecisions), len(nodeStates))
	}
	for _, from := range nodeStates {
		var taken []string
		for _, on := range nodeTriggers() {
			to, ok := nodeTarget(on, from)
			if ok {
				taken = append(taken, fmt.Sprintf("%s>%s", on, to))
			}
			if ok && !nodeMayMove(from, to) {
				t.Errorf("%s on %s: apply refuses %s", from, on, to)
			}
		}
		if got := strings.Join(taken, " "); got != nodeDecisions[from] {
			t.Errorf("state %q:\n have %s\n want %s", from, got, nodeDecisions[from])
		}
	}
}

// TestRunTransitions walks every pair of run state and trigger.
func TestRunTransitions(t *testing.T) {
	t.Parallel()
	decisions := map[RunState]string{
		RunCreated:   "start>running",
		RunRunning:   "block>blocked pause>suspended succeed>succeeded fail>failed revoke>revoked",
		RunSuspended: "resume>running fail>failed revoke>revoked",
		RunBlocked:   "unblock>running pause>suspended fail>failed revoke>revoked",
		RunSucceeded: "", RunFailed: "", RunRevoked: "",
	}
	for _, from := range runStates {
		var taken []string
		for _, tr := range runTransitions {
			if to, ok := runTarget(tr.On, from); ok {
				taken = append(taken, fmt.Sprintf("%s>%s", tr.On, to))
			}
		}
		if got := strings.Join(taken, " "); got != decisions[from] {
			t.Errorf("state %q:\n have %s\n want %s", from, got, decisions[from])
		}
		if from.Ended() != (decisions[from] == "") {
			t.Errorf("state %q: ended is %v", from, from.Ended())
		}
	}
}
