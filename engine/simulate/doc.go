// Package simulate runs a flow in virtual time: the calls of plugins are answered by a
// script, operators act by a script, and the clock jumps to what comes next. It is a
// driver of package engine like the runner, and has no semantics of its own: every state
// and every record comes from engine.Step.
//
// # Order
//
// What happens is in one queue, in order of its virtual instant, and at one instant in
// the order in which it was asked for. The core gives its commands in a fixed order and
// takes nothing from a clock, so the same flow with the same script gives the same
// records, byte for byte. Operators act behind everything that is due at their instant.
//
// # Use
//
// [Run] plays a whole [Script] and says what came of it. [Simulation] is the part below:
// a driver whose calls are answered by a [Plugins] of the caller's own, for tests that
// need more than a script can say.
//
// # Limits
//
// A simulation ends with a typed [Error] when it makes too many steps, gets too far in
// virtual time, starts too many runs, writes too much, or its context is done. What had
// happened until then is told all the same.
package simulate
