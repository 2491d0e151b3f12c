//go:build !linux

package wasm

// restrictProcess does nothing: the compiler process is bounded by its wall time and
// by Go's own memory limit only. Culm is run in production on Linux.
func restrictProcess(Limits) error { return nil }
