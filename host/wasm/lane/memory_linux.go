package lane

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Memory is memory that is shared by two processes, as lanes.
type Memory struct {
	bytes []byte
	Lanes []*Lane
}

// New makes memory for n lanes whose bodies hold size bytes, a multiple of 128. The file is
// for the worker, which opens it with Open; the caller closes it when it was handed over.
func New(n, size int) (*Memory, *os.File, error) {
	fd, err := unix.MemfdCreate("culm-lanes", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	f := os.NewFile(uintptr(fd), "culm-lanes")
	if err := unix.Ftruncate(fd, int64(n*(headerBytes+size))); err != nil {
		return nil, nil, fmt.Errorf("make lanes: %w", closing(err, f))
	}
	// A worker that could cut the file off could make the host fault.
	_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnsupported, closing(err, f))
	}
	m, err := Open(f, n)
	if err != nil {
		return nil, nil, closing(err, f)
	}
	return m, f, nil
}

// Open maps memory that was made for n lanes. The file is not needed any more then.
func Open(f *os.File, n int) (*Memory, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open lanes: %w", err)
	}
	size := int(info.Size())
	if n < 1 || n > lanesMax || size%n != 0 || size/n <= headerBytes || size/n%lineBytes != 0 {
		return nil, fmt.Errorf("open lanes: %w: %d bytes are not %d lanes", ErrUnsupported, size, n)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map lanes: %w", err)
	}
	m := &Memory{bytes: b}
	of := &sights{}
	for i := range n {
		part := b[i*(size/n) : (i+1)*(size/n)]
		m.Lanes = append(m.Lanes, &Lane{head: (*header)(unsafe.Pointer(&part[0])), body: part[headerBytes:], index: i, sights: of})
	}
	for _, l := range m.Lanes {
		l.all = m.Lanes
	}
	return m, nil
}

// Close unmaps the memory: nobody may use its lanes any more.
func (m *Memory) Close() error {
	if err := unix.Munmap(m.bytes); err != nil {
		return fmt.Errorf("unmap lanes: %w", err)
	}
	return nil
}

func closing(err error, f *os.File) error {
	if cerr := f.Close(); cerr != nil {
		return fmt.Errorf("%w; close: %w", err, cerr)
	}
	return err
}

// Operations of futex(2) between processes.
const (
	futexWait = 0
	futexWake = 1
)

// sleep waits until it is woken, the word is not s, or the time is over. It may return
// for no reason.
func sleep(word *atomic.Uint32, s uint32, d time.Duration) {
	t := unix.NsecToTimespec(int64(min(d, time.Hour)))
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(s), uintptr(unsafe.Pointer(&t)), 0, 0)
}

// nap is a short sleep, in which no other goroutine gets the processor of this one.
func nap(word *atomic.Uint32, s uint32, d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(s), uintptr(unsafe.Pointer(&t)), 0, 0)
}

// wake wakes who sleeps on the word.
func wake(word *atomic.Uint32) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1, 0, 0, 0)
}

// yield lets the processor run others that want to.
func yield() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
