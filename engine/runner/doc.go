// Package runner drives the core: it applies events, makes their records durable, and
// only then performs the commands. It owns the ports that it needs: Store, Executor,
// Publisher, Clock, Graphs.
//
// # What it promises
//
//  1. What StartRun and Command have returned, and what was handed to the Publisher,
//     survives a crash: it is shown after its commit, never before. That holds for
//     views and refusals too, since both tell of the state of the run.
//  2. A call is made after the record of it is durable, and made again after a crash
//     if its end is not: at least once. Such a call is marked Recovered. A node whose
//     end is durable is never called again.
//  3. One run cannot stop the others. When the core panics on a run, when its records
//     cannot be replayed, or when the store refuses them, that run goes into quarantine:
//     it is left as its durable records say, and the next start tries it again.
//  4. After ErrStoreFailed nothing goes on from memory: everybody who waits gets an
//     error, calls are cancelled, and Failed is closed.
//
// # How an event travels
//
//	StartRun, Command, View        timers        a call's note or end
//	            \                    |                    /
//	             inbox  ─────────►  loop  ◄──────────────
//	                                 │  engine.Step: records and commands
//	                                 ▼
//	                          gathering group ──► committer: Store.Commit
//	                                                      │
//	             loop, after the commit, in the order of the events:
//	             publish, perform commands (pool, timers), answer
//
// One goroutine, the loop, owns the state of every live run, so that states need no
// lock. While the committer makes one group durable the next one gathers: however many
// runs are live, each commit takes all that has come. Calls run in a pool of workers;
// their ends come back through the inbox.
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
// # Time
//
// The core has no clock: the loop stamps each event. Timers are part of the records
// and rows of the store. The loop sleeps until the earliest one is due, but never longer
// than a minute, and compares with the wall clock when it wakes: a clock that is set
// forward or back makes no timer fire twice, and none wait longer than a minute more.
//
// # Start and stop
//
// Start replays every run that has not ended and performs engine.Outstanding. Stop
// drains: it begins nothing, lets the calls that run come to their end and commits what
// they say. When its context ends first the calls are cancelled, and what they answer
// then is not recorded, for it is the program's end that made them fail.
package runner
