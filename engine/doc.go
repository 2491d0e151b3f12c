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
//     as a [TimerFired].
//  5. After a crash it performs what [Outstanding] says, again.
//
// A step applies its records to the state as it makes them, by the same code that
// Replay uses: the state is the fold of the records, and nothing else.
//
// # Tokens
//
// A token is a place in the flow where something happens. A run begins with token 1 at
// the start. A token moves along an edge when its node has ended well, was skipped, or
// is a gateway that decided. A parallel gateway keeps its token and makes one for each
// branch, bound for the join that Compile matched with the gateway; a branch that leads
// straight to the join ends at once. A token that reaches the join it is bound for
// ends; when the last of its siblings has, the parent moves to the join and goes on. A
// join that nobody is bound for lets every token through. The run succeeds when token 1
// reaches an end.
//
// A node that a token reaches again is in a loop: its iteration grows, its attempts
// count from one. After [MaxReruns] it fails.
//
// # Attempts, epochs, calls
//
// An attempt is one try of a node; it may take several calls of the plugin, because a
// plugin that waits is called again when its timer fires or its callback comes. Every
// call has a new epoch; a result, timer or note with another epoch is late and changes
// nothing. A callback that comes before its wait is kept, and ends the wait as soon as
// it begins.
//
// # Pause, failure, the end
//
// While a run is suspended tokens stop before their next node, which is ready then;
// calls that run and waits that have begun go on. A node that failed keeps its token
// until somebody retries or skips it; a run in which nothing else can move, but for
// humans who are asked something, is blocked. With the policy fail, and when it is
// revoked, a run ends: calls and waits are cancelled.
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
