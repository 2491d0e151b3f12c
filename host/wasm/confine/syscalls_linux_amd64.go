package confine

import "golang.org/x/sys/unix"

// The machine's name for filters, and the bit of the numbers of its x32 calls, which
// are refused as a whole.
const (
	auditArch = unix.AUDIT_ARCH_X86_64
	x32Bit    = 0x40000000
)

// allowedHere lists calls that only this machine has.
func allowedHere() []uint32 { return []uint32{unix.SYS_EPOLL_WAIT, unix.SYS_TIME, unix.SYS_ARCH_PRCTL} }
