package wasm

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// cacheFileMax bounds a file that the compiler process may write. Compiled code is
// about four times the size of a Go module.
const cacheFileMax = 256 << 20

// restrictProcess puts limits on this process: memory, processor time, file size,
// no core dumps, and a low priority.
func restrictProcess(l Limits) error {
	seconds := uint64((l.CompileTime + time.Second - 1) / time.Second)
	data := uint64(l.CompileMemoryBytes)
	if raceDetector {
		seconds, data = 4*seconds, unix.RLIM_INFINITY
	}
	for _, r := range []struct {
		resource int
		limit    uint64
	}{
		{unix.RLIMIT_DATA, data},
		{unix.RLIMIT_CPU, seconds},
		{unix.RLIMIT_FSIZE, cacheFileMax},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_NOFILE, 64},
	} {
		if err := unix.Setrlimit(r.resource, &unix.Rlimit{Cur: r.limit, Max: r.limit}); err != nil {
			return fmt.Errorf("limit the process: %w", err)
		}
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 5); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
