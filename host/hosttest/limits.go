package hosttest

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"
)

// Resident is how many bytes of memory this process holds, after what Go has freed was given
// back. Where the system does not tell, the test is skipped.
func Resident(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skipf("this system does not tell the memory of a process: %v", err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// HeldAtMost is the limit for a process that may grow by the given bytes: the race detector
// keeps four bytes and more beside every byte that was ever written, for good.
func HeldAtMost(bytes int64) int64 { return bytes * weight }

// tries is how often a time is measured before it counts as too long.
const tries = 10

// InTime measures a time again and again, ten times at most, until it is within the limit, and
// fails the test if it never is: a busy machine makes everything slow now and then, a defect
// makes it slow always. It returns the least time.
func InTime(t testing.TB, what string, limit time.Duration, measure func() time.Duration) time.Duration {
	t.Helper()
	least := measure()
	for n := 1; n < tries && least > limit && !t.Failed(); n++ {
		least = min(least, measure())
	}
	if least > limit {
		t.Errorf("%s took %v, want %v at most", what, least, limit)
	}
	return least
}

// TakenAtMost is the limit for work that may take the given time: under the race detector
// all of it, the wait for a processor included, takes many times as long.
func TakenAtMost(d time.Duration) time.Duration { return d * slowness }
