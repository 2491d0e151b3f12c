package hosttest

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// The ports of FreeAddress: below those that kernels give to whoever asks for any (from 32768
// on Linux), so that nobody gets one of them by chance.
const (
	portsFrom = 12_000
	portsMany = 20_000
)

// portsGiven is how many ports this process has given out.
var portsGiven atomic.Int64 //nolint:gochecknoglobals // as the ports of a machine are

// FreeAddress returns host and port on the loopback of a port on which nothing listens: for a
// program that must be told where to serve, and for what nobody serves. The test processes of
// a machine begin at different ports.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := portsFrom + (int64(os.Getpid())*64+portsGiven.Add(1))%portsMany
		address := net.JoinHostPort("127.0.0.1", strconv.FormatInt(port, 10))
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
		if err != nil {
			continue // somebody has it
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("no port is free")
	return ""
}
