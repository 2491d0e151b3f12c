package runner

import (
	"syscall"
	"unsafe"
)

// newSlack returns memory that takes no room: the collector counts it, and nobody touches
// it. What lay in its place before is given back to the system.
func newSlack(n int) []byte {
	if n <= 0 {
		return nil
	}
	b := make([]byte, n)
	page := uintptr(syscall.Getpagesize())
	begin := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (page - 1) // to the first whole page
	if whole := (uintptr(n) - min(begin, uintptr(n))) &^ (page - 1); whole > 0 {
		_ = syscall.Madvise(b[begin:begin+whole], syscall.MADV_DONTNEED) // else it takes room, no more
	}
	return b
}
