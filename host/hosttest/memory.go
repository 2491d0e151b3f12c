package hosttest

import (
	"fmt"
	"os"
	"testing"
)

// Resident returns the memory that this process holds now, in bytes. Where the system does not
// tell it, which is everywhere but on Linux, the test is skipped.
func Resident(t testing.TB) int64 {
	t.Helper()
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
