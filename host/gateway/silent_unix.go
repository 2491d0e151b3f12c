//go:build unix

package gateway

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// silent reports whether a socket is open and nothing has come on it.
func silent(s syscall.RawConn) bool {
	quiet := false
	err := s.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // the number of a file is small
		n, err := unix.Poll(look, 0)
		quiet = n == 0 && err == nil
	})
	return err == nil && quiet
}
