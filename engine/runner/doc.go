// Package runner drives the core: it applies events, makes their records durable, and
// only then performs the commands. It owns the ports that it needs: Store, Executor,
// Publisher, Clock, Graphs.
//
// # What it promises
//
//  1. What StartRun and Command have returned, and what was handed to the Publisher,
//     survives a crash: it is shown after its commit, never before. That holds for
//     views and refusals too, since both tell of the state of the run.
//  2. A call that can act on anything is made after the record of it is durable, and
//     every call is made again after a crash if its end is not: at least once. Such a
//     call is marked Recovered, unless nothing that is durable tells of it: then it was
//     pure, and is made as if for the first time. A node whose end is durable is never
//     called again.
//  3. One run cannot stop the others. When the core panics on a run, when its records
//     cannot be replayed, or when the store refuses them, that run goes into quarantine:
//     it is left as its durable records say, and the next start tries it again.
//  4. After ErrStoreFailed nothing goes on from memory: everybody who waits gets an
//     error, calls are cancelled, and Failed is closed.
//
// # How an event travels
//
//	StartRun, Command, View      timers      a call's note     a call's end
//	            \                   |             /           engine.Step, by the worker
//	             inbox  ────────►  loop  ◄───────────────────────┘
//	                                 │  engine.Step: records and commands
//	                                 ▼
//	                          gathering group ──► committer: Store.Commit
//	                                                      │
//	             loop, after the commit, in the order of the events:
//	             publish, perform commands (pool, timers), answer
//
// One goroutine, the loop, owns the runs. Calls run in a pool of workers, which also step
// what the calls end with: they share the state of a run with the loop under its lock, and
// leave what comes of a step in the run, in order. The loop gathers that before it does
// anything else with the run. While the committer makes one group durable the next one
// gathers: however many runs are live, each commit takes all that has come.
//
// # Purity pays
//
// A call that can have no effect on anything but its result (Executor.Pure) needs no
// durable record before it is made. When a call ends well and the next one is such, the
// worker goes on with it at once, and with the one after that; further branches go to
// other workers. The records gather in their order meanwhile, and everything that leaves
// the process waits for them as ever: other calls, cancellations, timers, what is
// published (notes too), and answers. The run is then at most 64 calls or 20 ms ahead of
// its last commit; then the next call waits for that. A run stops going ahead at a pause,
// an end, a wait, or a failure, and while the runner drains. A run that was taken in
// after a restart does not go ahead before its next commit: so a node that ends the
// process is on record when it does so again.
//
// A crash loses what was ahead: nobody has seen it, and it is done again from what is
// durable.
//
// # Who waits for whom
//
// The loop waits for nobody: stores, executors and callers cannot hold it up, and
// Publisher.Publish must not. Callers wait for the commit of what they asked for. A
// call that makes notes waits when QueueMax of them have not been applied. When a group
// is full the loop takes nothing more until its commit, the inbox fills, and callers
// get ErrBusy. While the store is busy (its disk is full, another process has the file)
// commits are tried again every second, because what the core has decided cannot be
// taken back; new starts and commands get ErrBusy meanwhile.
//
// # Runs below
//
// An independent subflow node starts a run of its own (engine.StartChild). After the
// commit of the node's wait a worker looks whether that run exists, which it does after
// some crashes, and else makes its document from the parent's and has the core start it
// with the plugins that the parent pinned. It enters the loop like any new run, but never
// finds it full: its parent waits for it. What a step means for a relative, the end of a
// child for its parent and pause, resume or revoke for its child, is stepped there at once
// and goes into the same commit, and so on down the generations: a crash loses all of it
// or nothing. A child that does not live yet keeps what it is told: it is not started
// while it is paused, and not at all once it is revoked.
//
// Start repairs what the records of two runs disagree about, whoever wrote them: a
// child that has not been started is started, a parent that does not know of the end of
// its child is told, a child that nobody waits for is revoked.
//
// # Time
//
// The core has no clock: the loop stamps each event. Timers are part of the records
// and rows of the store. The loop sleeps until the earliest one is due, but never longer
// than a minute, and compares with the wall clock when it wakes: a clock that is set
// forward or back makes no timer fire twice, and none wait longer than a minute more.
//
// # What may be asked
//
// View and Inspect tell of one run, as its durable records describe it. Quarantined and
// Stuck tell of the whole: which runs are left alone, and which ones nothing would ever
// move although they are not over. There must be none of the latter.
//
// # Start and stop
//
// Start replays every run that has not ended and performs engine.Outstanding. Stop
// drains: it begins nothing, lets the calls that run come to their end and commits what
// they say. When its context ends first the calls are cancelled, and what they answer
// then is not recorded, for it is the program's end that made them fail.
package runner
