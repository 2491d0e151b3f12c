package store

import (
	"sync"
	"sync/atomic"
)

// The bounds of what a memo holds; a full one starts anew.
const (
	memoMax = 4096
	nameMax = 128
)

// memo keeps what the gateway asks for every call (systems, grants, sealed credentials)
// until anything is written that could change it: any write but those of calls themselves
// makes it forget everything, so that none can be overlooked. All writes of the product go
// through this process. What it hands out is shared and is not changed. It is safe for
// concurrent use.
type memo struct {
	// writes counts the writes; kept is what was read after the last one that it knows of.
	writes atomic.Uint64

	mu   sync.RWMutex
	at   uint64
	kept map[any]any
}

// forget is called after a write, also after one that failed, before anybody is told of it.
func (m *memo) forget() { m.writes.Add(1) }

// memorized returns what is kept under a key, or reads it. What was read while something was
// written is not kept.
func memorized[T any](m *memo, key any, read func() (T, error)) (T, error) {
	now := m.writes.Load()
	m.mu.RLock()
	kept, ok := m.kept[key]
	ok = ok && m.at == now
	m.mu.RUnlock()
	if ok {
		return kept.(T), nil //nolint:forcetypeassert // a key is a type of its own, which stands for one type
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes.Load() != now {
		return v, nil
	}
	if m.kept == nil || m.at != now || len(m.kept) >= memoMax {
		m.at, m.kept = now, map[any]any{}
	}
	m.kept[key] = v
	return v, nil
}
