package wasm

import (
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/culmhq/culm/host/wasm/confine"
)

// spawner starts the child processes of a host, all from one thread: a child dies with
// the thread that started it, and this one lives as long as the host. A child is also as
// nice as that thread, with every thread of its own, so this one is nicer than the rest of
// the host. Where the system
// does not grant a child the namespaces that are asked for, it starts with fewer.
type spawner struct {
	orders chan spawnOrder
	done   chan struct{}
	stop   sync.Once
	level  atomic.Int32
	logger *slog.Logger
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

// childSteps is by how much child processes are nicer than the host: what it does itself,
// answering people above all, comes first when there is more to do than processors.
const childSteps = 5

// newSpawner returns a spawner, which must be closed.
func newSpawner(logger *slog.Logger) *spawner {
	s := &spawner{orders: make(chan spawnOrder), done: make(chan struct{}), logger: logger}
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
// returns the thread ends. The first thread of the program would not, so it moves on
// from there.
func (s *spawner) run() {
	runtime.LockOSThread()
	if confine.OnFirstThread() {
		defer runtime.UnlockOSThread()
		moved := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(moved)
			s.serve()
		}()
		<-moved
		return
	}
	s.serve()
}

func (s *spawner) serve() {
	if err := confine.LowerPriority(childSteps); err != nil {
		s.logger.Warn("the processes of plugins run with the priority of the server", slog.Any("error", err))
	}
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
