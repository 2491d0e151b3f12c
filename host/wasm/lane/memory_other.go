//go:build !linux

package lane

import (
	"os"
	"sync/atomic"
	"time"
)

// Memory is memory that is shared by two processes, as lanes.
type Memory struct{ Lanes []*Lane }

// New returns ErrUnsupported.
func New(int, int) (*Memory, *os.File, error) { return nil, nil, ErrUnsupported }

// Open returns ErrUnsupported.
func Open(*os.File, int) (*Memory, error) { return nil, ErrUnsupported }

// Close does nothing.
func (m *Memory) Close() error { return nil }

func sleep(*atomic.Uint32, uint32, time.Duration) {}

func nap(*atomic.Uint32, uint32, time.Duration) {}

func wake(*atomic.Uint32) {}

func yield() {}
