// Package confine puts a process that runs what nobody vouches for into a cage made by
// the operating system: limits on what it may use, namespaces in which there is no
// network and no other process, and a filter that lets no system call through but the
// few that computing needs. Nothing here knows WebAssembly.
//
// The order is: LowerPriority (by the thread of the parent that starts processes, once),
// Isolate (by the parent, before the process starts), then in the process Limit, opening
// what is needed, Filter, and only then foreign code.
package confine

import "time"

// Limits are what a process may use. Zero fields are not limited.
type Limits struct {
	// DataBytes bounds the memory that the process may map to write to.
	DataBytes int64
	// CPU bounds its processor time; the kernel kills it beyond.
	CPU time.Duration
	// FileBytes bounds a file that it may write.
	FileBytes int64
	// Files bounds its open files.
	Files uint64
}

// Layers tells which layers of the cage are there.
type Layers struct {
	// Network: the process has a network namespace of its own, without a route.
	Network bool `json:"network"`
	// Processes: it has a namespace of processes of its own and sees no other.
	Processes bool `json:"processes"`
	// Syscalls: a filter refuses every system call that computing does not need, so
	// that no file and no socket can be opened and no program started.
	Syscalls bool `json:"syscalls"`
	// Limits: memory, files and core dumps are limited by the kernel.
	Limits bool `json:"limits"`
}

// Target names what a process is to try to reach, so that what the cage holds is
// known and not believed.
type Target struct {
	// Parent is the process that started this one.
	Parent int `json:"parent"`
	// Address is a listening TCP address, host:port.
	Address string `json:"address"`
	// Files are files that it must not be able to open.
	Files []string `json:"files"`
}

// Attempt is one attempt to get out, and what came of it.
type Attempt struct {
	// Name says what was tried: "connect", "open culm.db", "ptrace parent".
	Name string `json:"name"`
	// Refused is the error; empty when the attempt succeeded.
	Refused string `json:"refused"`
}

// Escaped returns the names of the attempts that succeeded.
func Escaped(as []Attempt) []string {
	var names []string
	for _, a := range as {
		if a.Refused == "" {
			names = append(names, a.Name)
		}
	}
	return names
}
