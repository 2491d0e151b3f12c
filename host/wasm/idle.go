package wasm

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"
)

// idleWatch drops the loaded part of a module that was not called for a while. It
// looks at the number of the last use, not at the time of each call, which would cost
// every call something: a module goes after one to two times Config.IdleAfter.
type idleWatch struct {
	timer *time.Timer
	seen  uint64 // the last use when the timer ran
}

// watchIdle starts the watch. m.mu is held, and m.live is new.
func (m *Module) watchIdle() {
	l, w := m.live, &idleWatch{seen: m.lastUse.Load()}
	m.host.logger.Debug("a plugin module is loaded",
		slog.String("digest", m.info.Digest), slog.Int64("loaded_bytes", l.loadedBytes()))
	w.timer = time.AfterFunc(m.host.idleAfter, func() { m.lookIdle(l, w) })
	m.idle = w
}

// lookIdle drops l if nothing used it since it was looked at last.
func (m *Module) lookIdle(l *live, w *idleWatch) {
	m.mu.Lock()
	if m.live != l {
		m.mu.Unlock()
		return
	}
	use := m.lastUse.Load()
	if l.refs > 0 || use != w.seen {
		w.seen = use
		w.timer.Reset(m.host.idleAfter)
		m.mu.Unlock()
		return
	}
	m.forgetLive()
	m.mu.Unlock()
	ctx := context.Background()
	bytes := l.loadedBytes()
	m.host.bury(ctx, l)
	m.host.logger.InfoContext(ctx, "an idle plugin module was dropped; its compiled code stays in the cache",
		slog.String("digest", m.info.Digest), slog.Int64("loaded_bytes", bytes))
}

// forgetLive takes the live part away. m.mu is held, and there is one.
func (m *Module) forgetLive() {
	m.live = nil
	m.ready.Store(false)
	m.host.ready.Add(-1)
	m.idle.timer.Stop()
}

// LoadedBytes is about what the module takes in this process, in bytes; 0 when it is not
// loaded, or being loaded just now.
func (m *Module) LoadedBytes() int64 {
	if !m.mu.TryLock() {
		return 0
	}
	defer m.mu.Unlock()
	if m.live == nil {
		return 0
	}
	return m.live.loadedBytes()
}

// loadedBytes is about what the module takes while it is loaded: its native code, its
// image, and the memories of idle instances as far as they may differ from the image.
func (l *live) loadedBytes() int64 {
	l.idle.mu.Lock()
	defer l.idle.mu.Unlock()
	n := l.codeBytes + int64(l.buffers.image.size)
	for _, i := range l.idle.free {
		n += int64(i.memory.size)
	}
	return n
}

// filesBytes is the size of the files below dir, as far as they can be seen.
func filesBytes(dir string) int64 {
	n := int64(0)
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // a figure for people: what cannot be seen does not count
		}
		if i, err := d.Info(); err == nil {
			n += i.Size()
		}
		return nil
	})
	return n
}
