package confine

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// errNothing is the refusal of an attempt that was let look and found nothing.
var errNothing = errors.New("there is nothing")

// Try tries to get out by native code, in every way that matters, and reports what
// came of each. It is for a process that has nothing to lose: where an attempt
// succeeds the process may end.
func Try(t Target) []Attempt {
	var as []Attempt
	add := func(name string, err error) {
		a := Attempt{Name: name}
		if err != nil {
			a.Refused = err.Error()
		}
		as = append(as, a)
	}
	add("connect", connect(t.Address))
	for _, f := range t.Files {
		add("open "+filepath.Base(f), open(f, unix.O_RDONLY))
		add("write "+filepath.Base(f), open(f, unix.O_WRONLY))
	}
	add("open /etc/passwd", open("/etc/passwd", unix.O_RDONLY))
	add("open /proc/self/environ", open("/proc/self/environ", unix.O_RDONLY))
	add("make a file", open("/tmp/culm-escaped", unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL))
	add("ptrace parent", ptrace(t.Parent))
	add("read parent's memory", readMemory(t.Parent))
	add("signal parent", unix.Kill(t.Parent, 0))
	add("execute a program", execute())
	add("make a process", fork())
	add("make memory executable", executable())
	add("read the environment", environment())
	return as
}

// connect dials a TCP address over IPv4.
func connect(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // an attempt
	return unix.Connect(fd, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()})
}

func open(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	if flags&unix.O_CREAT != 0 {
		_ = unix.Unlink(path) // it would be left behind
	}
	return unix.Close(fd)
}

// ptrace takes hold of a process without stopping it. The kernel lets go of it when
// this process ends.
func ptrace(pid int) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, 0, 0, 0)
	return fromErrno(errno)
}

// readMemory asks for one byte at address 0, where none is: who may ask is told so.
func readMemory(pid int) error {
	b := make([]byte, 1)
	_, err := unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &b[0], Len: 1}}, []unix.RemoteIovec{{Base: 0, Len: 1}}, 0)
	if errors.Is(err, unix.EFAULT) {
		return nil
	}
	return err
}

// execute asks for a program that does not exist: who may ask is told so.
func execute() error {
	err := unix.Exec("/culm/no/such/program", []string{"x"}, nil)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// fork makes a process that ends at once. Go cannot go on in a forked process.
func fork() error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return fromErrno(errno)
}

// executable maps a page that can be run.
func executable() error {
	b, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	return unix.Munmap(b)
}

// environment looks for variables.
func environment() error {
	if len(os.Environ()) == 0 {
		return errNothing
	}
	return nil
}

func fromErrno(e unix.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// OpenFiles lists what a process has open besides the first three and what belongs to
// itself: the instrument by which it sees that it has no more.
func OpenFiles() ([]string, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	var open []string
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil { // the directory itself, closed by now
			continue
		}
		open = append(open, e.Name()+" "+target)
	}
	return open, nil
}
