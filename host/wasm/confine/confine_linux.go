package confine

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Level is how far the namespaces of a process go. Not every system grants them.
type Level int

// Levels, from the strongest. Weaker returns the next.
const (
	// OwnUser: namespaces of users, network, processes, IPC and host name. The
	// process has no capability anywhere.
	OwnUser Level = iota
	// OwnNetwork: the same without one of users, which only root can have.
	OwnNetwork
	// Shared: the process shares everything with its parent.
	Shared
)

// Weaker returns the next level, and false below Shared.
func (l Level) Weaker() (Level, bool) {
	switch {
	case l == OwnUser && os.Geteuid() == 0:
		return OwnNetwork, true
	case l == Shared:
		return l, false
	}
	return Shared, true
}

// workerUser is the user inside the namespace; any but 0 loses every capability when
// the program is executed.
const workerUser = 1

// Isolate gives the process that cmd starts namespaces of its own, and makes it die
// with the thread that starts it.
func Isolate(cmd *exec.Cmd, l Level) Layers {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.SysProcAttr = attr
	if l == Shared {
		return Layers{}
	}
	attr.Cloneflags = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS
	if l == OwnUser {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: workerUser, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: workerUser, HostID: os.Getegid(), Size: 1}}
	}
	return Layers{Network: true, Processes: true}
}

// KeepFiles sees to it that no process that this one starts from now on inherits a file
// by accident: one that this process itself was given, and knows nothing of.
func KeepFiles() error {
	err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd") // a kernel before 5.11
	if err != nil {
		return fmt.Errorf("confine: open files: %w", err)
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// Unsupported reports whether starting a process failed because the system grants no
// such namespaces, so that a weaker level may work.
func Unsupported(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSPC, unix.ENOSYS, unix.EUSERS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Limit puts limits on this process. It cannot be taken back.
func Limit(l Limits) error {
	set := []struct {
		resource int
		limit    uint64
	}{
		{unix.RLIMIT_DATA, uint64(l.DataBytes)},
		{unix.RLIMIT_CPU, uint64((l.CPU + time.Second - 1) / time.Second)},
		{unix.RLIMIT_FSIZE, uint64(l.FileBytes)},
		{unix.RLIMIT_NOFILE, l.Files},
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("confine: core dumps: %w", err)
	}
	for _, r := range set {
		if r.limit == 0 {
			continue
		}
		if err := unix.Setrlimit(r.resource, &unix.Rlimit{Cur: r.limit, Max: r.limit}); err != nil {
			return fmt.Errorf("confine: limit %d: %w", r.resource, err)
		}
	}
	return nil
}

// niceMax is the lowest priority that there is.
const niceMax = 19

// LowerPriority makes the calling thread nicer by so many steps, to 19 at most. Whatever
// process it starts from then on is as nice, with all its threads: a process that does
// this itself reaches one of its threads only, and Go has started several by then. No
// right is needed. It cannot be taken back; the caller is locked to its thread.
func LowerPriority(steps int) error {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err == nil {
		now := 20 - raw // what the kernel answers is never negative
		err = unix.Setpriority(unix.PRIO_PROCESS, 0, min(now+steps, niceMax))
	}
	if err != nil {
		return fmt.Errorf("confine: priority: %w", err)
	}
	return nil
}

// OnFirstThread reports whether the calling thread is the one that the process began
// with. It does not end before the process does, and its niceness is shown as the
// process's.
func OnFirstThread() bool { return unix.Gettid() == os.Getpid() }

// Resident is the memory of a process that is in use, in bytes, 0 when it cannot be seen.
func Resident(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
