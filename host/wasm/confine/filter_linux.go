package confine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrUnsupported is why there is no filter: the kernel or the machine has none.
var ErrUnsupported = errors.New("confine: this system has no filter of system calls")

// Filter lets this process, all its threads, make no system call but those that
// computing needs: memory, time, threads of its own, and reading and writing what is
// open. Everything else fails with EPERM: no file or socket can be opened, no program
// or process started, no other process touched, and no memory made executable. It
// cannot be taken back.
func Filter() error {
	if auditArch == 0 {
		return ErrUnsupported
	}
	prog := program(os.Getpid())
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("%w: no new privileges: %w", ErrUnsupported, err)
	}
	// With TSYNC every thread gets the filter and loses the right to new privileges;
	// threads made later inherit both.
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return fmt.Errorf("%w: %w", ErrUnsupported, errno)
	}
	if thread != 0 {
		return fmt.Errorf("%w: thread %d has another filter", ErrUnsupported, thread)
	}
	return nil
}

// Offsets into struct seccomp_data. Both machines are little-endian, so that the lower
// half of an argument comes first.
const (
	atNumber = 0
	atArch   = 4
	atArgs   = 16
)

// Verdicts of the filter.
const (
	allow  = unix.SECCOMP_RET_ALLOW
	kill   = unix.SECCOMP_RET_KILL_PROCESS
	denied = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// pagemapScan is the request number of PAGEMAP_SCAN: which pages were written.
const pagemapScan = 0xc0606610

// program writes the filter for the process with that number.
func program(pid int) []unix.SockFilter {
	a := &assembler{}
	a.load(atArch)
	a.unless(auditArch, kill)
	a.load(atNumber)
	if x32Bit != 0 {
		a.add(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, x32Bit, 0, 1)
		a.ret(denied)
	}
	// The C library falls back to clone, whose flags a filter can see.
	a.when(unix.SYS_CLONE3, absent)
	const thread = unix.CLONE_VM | unix.CLONE_THREAD
	a.onlyIf(unix.SYS_CLONE, 0, unix.BPF_AND, thread, thread)
	a.onlyIf(unix.SYS_MMAP, 2, unix.BPF_AND, unix.PROT_EXEC, 0)
	a.onlyIf(unix.SYS_MPROTECT, 2, unix.BPF_AND, unix.PROT_EXEC, 0)
	a.onlyIf(unix.SYS_TGKILL, 0, 0, 0, uint32(pid))
	a.onlyIf(unix.SYS_IOCTL, 1, 0, 0, pagemapScan)
	for _, nr := range append(allowed(), allowedHere()...) {
		a.when(nr, allow)
	}
	a.ret(denied)
	return a.code
}

// allowed lists the calls that computing needs on every machine.
func allowed() []uint32 {
	return []uint32{
		// What is open.
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_FSTAT,
		// Memory.
		unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_BRK, unix.SYS_MINCORE,
		unix.SYS_MEMFD_CREATE, unix.SYS_FTRUNCATE,
		// Time and randomness.
		unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES,
		unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM, unix.SYS_GETRUSAGE,
		// Threads of this process and their signals.
		unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_MEMBARRIER, unix.SYS_RT_SIGACTION,
		unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
		// Waiting for what is open.
		unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL,
	}
}

// assembler gathers the instructions of a filter.
type assembler struct{ code []unix.SockFilter }

func (a *assembler) add(code uint16, k uint32, yes, no uint8) {
	a.code = append(a.code, unix.SockFilter{Code: code, Jt: yes, Jf: no, K: k})
}

func (a *assembler) load(offset uint32) { a.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset, 0, 0) }

func (a *assembler) ret(verdict uint32) { a.add(unix.BPF_RET|unix.BPF_K, verdict, 0, 0) }

// when answers a value that equals k with a verdict.
func (a *assembler) when(k, verdict uint32) {
	a.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, k, 0, 1)
	a.ret(verdict)
}

// unless answers every value but k with a verdict.
func (a *assembler) unless(k, verdict uint32) {
	a.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, k, 1, 0)
	a.ret(verdict)
}

// onlyIf allows call nr if its argument, after an operation with a mask where there is
// one, equals want, and denies it otherwise.
func (a *assembler) onlyIf(nr uint32, arg int, op uint16, mask, want uint32) {
	block := &assembler{}
	block.load(atArgs + 8*uint32(arg))
	if op != 0 {
		block.add(unix.BPF_ALU|op|unix.BPF_K, mask, 0, 0)
	}
	block.when(want, allow)
	block.ret(denied)
	a.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, nr, 0, uint8(len(block.code)))
	a.code = append(a.code, block.code...)
}
