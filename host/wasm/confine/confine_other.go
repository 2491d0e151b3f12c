//go:build !linux

package confine

import (
	"errors"
	"os/exec"
)

// Level is how far the namespaces of a process go.
type Level int

// Levels. Only Linux has namespaces; elsewhere there is one level.
const (
	OwnUser Level = iota
	OwnNetwork
	Shared
)

// ErrUnsupported is why there is no filter.
var ErrUnsupported = errors.New("confine: this system has no filter of system calls")

// Weaker returns false: there is one level.
func (l Level) Weaker() (Level, bool) { return l, false }

// Isolate does nothing: the process is bounded by its pipe and its wall time only.
// Culm is run in production on Linux.
func Isolate(*exec.Cmd, Level) Layers { return Layers{} }

// KeepFiles does nothing.
func KeepFiles() error { return nil }

// OpenFiles knows nothing.
func OpenFiles() ([]string, error) { return nil, nil }

// Unsupported reports false: nothing is asked for that could be.
func Unsupported(error) bool { return false }

// Resident knows nothing.
func Resident(int) int64 { return 0 }

// Limit does nothing.
func Limit(Limits) error { return nil }

// LowerPriority does nothing.
func LowerPriority(int) error { return nil }

// OnFirstThread does not know.
func OnFirstThread() bool { return false }

// Filter reports that there is none.
func Filter() error { return ErrUnsupported }

// Try tries nothing: nothing holds the process.
func Try(Target) []Attempt { return []Attempt{{Name: "everything"}} }
