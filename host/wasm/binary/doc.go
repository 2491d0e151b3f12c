// Package binary reads and rewrites WebAssembly core modules without running them.
//
// It is written for hostile input: every read is bounds-checked, every count is
// compared with a limit before anything is allocated for it, and a malformed
// module is an [*Error], never a panic. It checks structure, not types: full
// validation is the compiler's, which runs in a child process.
//
// Only what the plugin host needs of the format is understood, which is the core
// specification 2.0 with one memory: threads, exceptions, tail calls, garbage
// collection, multiple memories and memory64 are refused.
package binary
