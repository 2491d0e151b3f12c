package wasm

import (
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/culmhq/culm/host/wasm/confine"
)

// spawner starts the child processes of a host, all from one thread: a child dies with
// the thread that started it, and this one lives as long as the host. Where the system
// does not grant a child the namespaces that are asked for, it starts with fewer.
type spawner struct {
	orders chan spawnOrder
	done   chan struct{}
	stop   sync.Once
	level  atomic.Int32
}

// spawnOrder asks for a process. make is called again for each level that is tried.
type spawnOrder struct {
	make   func() (*exec.Cmd, error)
	answer chan spawned
}

// spawned is a process that was started, with the layers around it.
type spawned struct {
	cmd    *exec.Cmd
	layers confine.Layers
	err    error
}

// newSpawner returns a spawner, which must be closed.
func newSpawner() *spawner {
	s := &spawner{orders: make(chan spawnOrder), done: make(chan struct{})}
	go s.run()
	return s
}

// start starts a process in the strongest namespaces that the system grants.
func (s *spawner) start(mk func() (*exec.Cmd, error)) (*exec.Cmd, confine.Layers, error) {
	o := spawnOrder{mk, make(chan spawned, 1)}
	select {
	case s.orders <- o:
	case <-s.done:
		return nil, confine.Layers{}, ErrClosed
	}
	r := <-o.answer
	return r.cmd, r.layers, r.err
}

// close ends the thread, and with it every child that is still there.
func (s *spawner) close() { s.stop.Do(func() { close(s.done) }) }

// run serves orders. It keeps its thread to itself and leaves it locked: when run
// returns the thread ends.
func (s *spawner) run() {
	runtime.LockOSThread()
	for {
		select {
		case o := <-s.orders:
			o.answer <- s.try(o.make)
		case <-s.done:
			return
		}
	}
}

func (s *spawner) try(mk func() (*exec.Cmd, error)) spawned {
	level := confine.Level(s.level.Load())
	for {
		cmd, err := mk()
		if err != nil {
			return spawned{err: err}
		}
		layers := confine.Isolate(cmd, level)
		if err = cmd.Start(); err == nil {
			s.level.Store(int32(level))
			return spawned{cmd: cmd, layers: layers}
		}
		weaker, ok := level.Weaker()
		if !ok || !confine.Unsupported(err) {
			return spawned{err: err}
		}
		level = weaker
	}
}
