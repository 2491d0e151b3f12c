// Package engine is the pure core of Culm: what a flow does next is a function of its
// state and one event. It has no clock, no I/O and no goroutine; it never looks at
// anything but its arguments, so that a run can be replayed, simulated and moved to
// another machine.
//
// # What a driver does
//
//  1. It compiles a flow document ([ParseFlow], [Compile]) and starts a run ([Start]),
//     or makes one again from its records ([Replay]).
//  2. It hands events to [Step], one at a time for each run.
//  3. It makes the records that come back durable, all of one step together.
//  4. Only then it performs the commands that came with them, in order, and shows the
//     records. The end of a [Dispatch] comes back as a [Result], that of a [SetTimer]
//     as a [TimerFired], that of the run of a [StartChild] as a [ChildEnded].
//  5. After a crash it performs what [Outstanding] says, again. It revokes a run whose
//     parent does not wait for it any more, as [State.Child] says.
//
// A step applies its records to the state as it makes them, by the same code that
// Replay uses: the state is the fold of the records, and nothing else.
//
// # Tokens
//
// A token is a place in the flow where something happens. A run begins with token 1 at
// the start. A token moves along an edge when its node has ended well, was skipped, or
// is a gateway that decided.
//
//   - An exclusive gateway takes one edge: the one whose condition holds, or the default
//     edge when none does. When several hold, the strategy first takes the first of them
//     in the order of the drawing; otherwise the gateway fails.
//   - A parallel gateway keeps its token and makes one for each branch, bound for the join
//     that Compile matched with the gateway; an inclusive gateway makes one for each edge
//     whose condition holds, or for the default edge. A branch that leads straight to the
//     join ends at once. A token that reaches the join it is bound for ends; when the last
//     of its siblings has, the parent moves to the join and goes on.
//   - A join that nobody is bound for lets every token through.
//   - An inline subflow node keeps its token, too, and makes one for its inside. It ends
//     at an end of the inside; then the node succeeds, and its token goes on.
//   - The run succeeds when token 1 reaches an end.
//
// A node that a token reaches again is in a loop: its iteration grows, its attempts
// count from one. After [MaxReruns], or Node.MaxReruns, it fails. Edges never lead into
// or out of a parallel branch, so a loop is inside of one or around all of them.
//
// Nodes share a token when one goes through them without a fork in between: what follows
// one another, and the branches of an exclusive gateway. Each branch of a parallel or
// inclusive gateway has its own, and so has the inside of each subflow. [TokenGroups]
// lists them; a rollback stays in one group.
//
// # Start and variables
//
// A start checks the inputs against their schemas and evaluates the constants, once. An
// input whose condition to show does not hold is not asked for and has its default.
// Computed variables are evaluated whenever they are read. A variable of source node
// has its initial value until one of the nodes that name it in their outputs ends: the
// last one counts. Records hold values; nothing is evaluated twice.
//
// Optional nodes are left out before a run begins: [Reduce] makes the flow without them.
// A run may also begin at another node than the start ([CanStartAt]); what it passes over
// has no state and no outputs.
//
// # Scopes
//
// The inside of an inline subflow is part of the run's graph. Its nodes are named by path:
// "deploy.check" is the node check inside the subflow node deploy. Its variables are its
// own: the node's inputs are those of its variables that are inputs, the variables
// marked as outputs are the node's outputs, and nothing else passes. Each time the node is
// entered they begin anew. An expression names what is in its own scope.
//
// The policy, the timeout and the schemes of its flow do not count: the run has its own,
// and the node says which schemes apply.
//
// An independent subflow is a run of its own, with an id that the core chose. The node
// waits for its end; pause, resume and revoke are passed on to it.
//
// # Attempts, epochs, calls
//
// An attempt is one try of a node; it may take several calls of the plugin, because a
// plugin that waits is called again when its timer fires or its callback comes. Every
// call has a new epoch; a result, timer or note with another epoch is late and changes
// nothing. A callback that comes before its wait is kept, and ends the wait as soon as
// it begins.
//
// # Failure
//
// When a call fails, the first of these that the node has decides: an automatic retry
// that is left; with Repeat, going on with the next repetition; ignoring the failure, or
// a timeout that skips. Otherwise the node keeps its token until somebody retries or
// skips it, or chooses the edges of a gateway; with the flow's policy fail the run ends.
// A node that breaks before any call (an expression, a gateway, a limit) has only the
// last. Outputs count also when a call fails. A call of which nobody knows whether it
// acted is unknown until somebody says what became of it.
//
// A run is blocked when nothing can move, but for humans who are asked something, and
// some node has failed or is unknown.
//
// # Time
//
// A node has one timer: that of its automatic retry, or the earlier one of the end of its
// wait and the deadline of its attempt, which counts from the first call and is moved by
// nothing. When both have come, the attempt has timed out. A timer that fires before its
// time, because an operator has moved it meanwhile, is set again. The delay of automatic
// retries grows by a factor and may be cut by chance, which is drawn from what names the
// attempt; a retry by hand begins the count anew. The run's own deadline fails the run.
//
// # Repetition
//
// A task with Repeat runs several times in a row. Each time is an iteration, with a
// deadline and retries of its own; its ordinal is counted apart, and the repetitions are
// not rounds of a loop. The outputs of each that ended are appended to the list that the
// node names. A retry starts over and empties the list; one of the iteration alone redoes
// it, and takes the last element of the list away, as the original product does. A skip
// goes on behind the node, one of the iteration with the next one.
//
// # What a start leaves out
//
// [Reduce] takes away the optional nodes that are not to run before a flow is compiled;
// [SchemeWithout] names those of a scheme. An input with a condition is asked for only
// when that holds by the values of the others; it must not be given otherwise, and has
// its default then.
//
// # Pause and the end
//
// While a run or a subflow is suspended, tokens in it stop before their next node, which
// is ready then; calls that run and waits that have begun go on. A node that is held stops
// the next token alone. When a run ends early (revoked, failed, its deadline), calls and
// waits are cancelled.
//
// # Rollback
//
// A rollback takes one token back to a task, or a start, that it has passed, and enters it
// again as its next attempt. The token must stand: nothing on it, in its branches or its
// subflows runs, waits or is unknown. Other branches go on. [RollbackPlan] is the
// preview: it says what would be undone, or which of the preconditions does not hold.
//
// The mode any forgets what lies behind: nodes are as if they had not been reached, but
// their iterations and epochs count on, and variables keep their values. The mode
// compensate first calls the plugins' own rollback for each attempt that succeeded: in
// the reverse order of the flow, branches side by side, the newest attempt of a node
// first. A node that failed or was skipped, an action without rollback and an independent
// subflow are passed over. A call that fails stops what comes after it until somebody
// retries it, or skips it, which counts it as undone; it cannot wait, and no timeout
// applies. While the run is suspended no call begins. There is one rollback at a time.
//
// # Limits
//
// docs/engine.md lists them, with the states as diagrams.
//
// # States
//
// These tables are made from the transitions in transition.go.
//
// Nodes:
//
//	state            on             to
//	(not reached)    enter          running
//	                 pass           succeeded
//	                 hold           ready
//	                 stop           suspended
//	                 break          failed
//	ready            pass           succeeded
//	                 stop           suspended
//	                 release        running
//	                 break          failed
//	                 cancel         cancelled
//	                 undo           rolling_back
//	                 undone         rolled_back
//	                 forget         (not reached)
//	running          succeed        succeeded
//	                 fail           failed
//	                 wait           waiting
//	                 doubt          unknown
//	                 force_fail     failed
//	                 timeout        failed
//	                 pause          suspended
//	                 cancel         cancelled
//	waiting          wake           running
//	                 force_fail     failed
//	                 timeout        failed
//	                 child_succeed  succeeded
//	                 child_fail     failed
//	                 cancel         cancelled
//	suspended        pass           succeeded
//	                 hold           ready
//	                 release        running
//	                 break          failed
//	                 resume         running
//	                 cancel         cancelled
//	                 undo           rolling_back
//	                 undone         rolled_back
//	                 forget         (not reached)
//	succeeded        enter          running
//	                 pass           succeeded
//	                 hold           ready
//	                 stop           suspended
//	                 break          failed
//	                 undo           rolling_back
//	                 undone         rolled_back
//	                 forget         (not reached)
//	failed           pass           succeeded
//	                 hold           ready
//	                 break          failed
//	                 retry          running
//	                 skip           skipped
//	                 ignore         skipped
//	                 auto_retry     running
//	                 undo           rolling_back
//	                 undone         rolled_back
//	                 forget         (not reached)
//	skipped          enter          running
//	                 pass           succeeded
//	                 hold           ready
//	                 stop           suspended
//	                 break          failed
//	                 undo           rolling_back
//	                 undone         rolled_back
//	                 forget         (not reached)
//	cancelled                       (nothing)
//	unknown          hold           ready
//	                 break          failed
//	                 resolve_done   succeeded
//	                 resolve_retry  running
//	                 resolve_fail   failed
//	rolling_back     cancel         cancelled
//	                 undone         rolled_back
//	                 undo_fail      rollback_failed
//	rolled_back      undo           rolling_back
//	                 forget         (not reached)
//	rollback_failed  undo           rolling_back
//	                 undone         rolled_back
//
// Runs:
//
//	state            on             to
//	created          start          running
//	running          block          blocked
//	                 pause          suspended
//	                 succeed        succeeded
//	                 fail           failed
//	                 revoke         revoked
//	suspended        resume         running
//	                 fail           failed
//	                 revoke         revoked
//	blocked          unblock        running
//	                 pause          suspended
//	                 fail           failed
//	                 revoke         revoked
//	succeeded                       (the end)
//	failed                          (the end)
//	revoked                         (the end)
package engine
