package engine

// NodeState is the state of a node in a run. The zero value means that the node has
// not been reached.
type NodeState string

// The node states (pinned names: they are stored).
const (
	NodeIdle           NodeState = ""
	NodeReady          NodeState = "ready"     // reached, dispatch pending behind a pause
	NodeRunning        NodeState = "running"   // a call is being made
	NodeWaiting        NodeState = "waiting"   // for a timer, poll, callback or human
	NodeSuspended      NodeState = "suspended" // stopped by an operator before it ran
	NodeSucceeded      NodeState = "succeeded"
	NodeFailed         NodeState = "failed"
	NodeSkipped        NodeState = "skipped"
	NodeCancelled      NodeState = "cancelled"
	NodeUnknown        NodeState = "unknown" // it may or may not have acted on the world
	NodeRollingBack    NodeState = "rolling_back"
	NodeRolledBack     NodeState = "rolled_back"
	NodeRollbackFailed NodeState = "rollback_failed"
)

// RunState is the state of a run.
type RunState string

// The run states (pinned names: they are stored).
const (
	RunCreated   RunState = "created"
	RunRunning   RunState = "running"
	RunSuspended RunState = "suspended"
	RunBlocked   RunState = "blocked" // nothing can move without a human
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunRevoked   RunState = "revoked"
)

// Ended reports whether the run is over.
func (s RunState) Ended() bool { return s == RunSucceeded || s == RunFailed || s == RunRevoked }
