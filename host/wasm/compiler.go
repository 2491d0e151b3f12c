package wasm

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// compileOrder is the first line that the compiler process reads; the module
// follows.
type compileOrder struct {
	Dir    string `json:"dir"`
	Limits Limits `json:"limits"`
}

// compileVerdict is what the compiler process answers.
type compileVerdict struct {
	OK      bool              `json:"ok"`
	Failure *contract.Failure `json:"failure,omitempty"`
}

// exitRefused is the exit status of a compiler process that was not asked properly.
const exitRefused = 64

// CompilerMain is the compiler process: it puts limits on itself, reads an order
// and a module from stdin, compiles the module into the cache directory, initialises
// it once, and writes its verdict to stdout. The result is the exit status.
//
// The program must call it when it is started by the command that Config.Compiler
// makes, before it does anything else: it opens no file but the cache and needs no
// environment. Whatever a module can do to a compiler or to itself at start happens
// here, in a process that may die.
func CompilerMain(stdin io.Reader, stdout io.Writer) int {
	in := bufio.NewReaderSize(stdin, 64<<10)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return exitRefused
	}
	var order compileOrder
	if err := json.Unmarshal(line, &order); err != nil {
		return exitRefused
	}
	if err := restrictProcess(order.Limits); err != nil {
		return exitRefused
	}
	debug.SetMemoryLimit(order.Limits.CompileMemoryBytes / 4 * 3)
	wasm, err := io.ReadAll(io.LimitReader(in, int64(order.Limits.Module.ModuleBytes)+1))
	if err != nil {
		return exitRefused
	}
	v := compileVerdict{OK: true}
	if e := tryOut(wasm, order); e != nil {
		v = compileVerdict{Failure: &e.Failure}
	}
	if err := json.NewEncoder(stdout).Encode(v); err != nil {
		return exitRefused
	}
	return 0
}

// tryOut compiles and initialises a module.
func tryOut(wasm []byte, order compileOrder) *Error {
	h := newHost(Config{Limits: order.Limits, Parallel: 1, Now: time.Now})
	a, e := analyse(wasm, h.limits)
	if e != nil {
		return e
	}
	ctx := context.Background()
	l, e := h.build(ctx, a, order.Dir, h.limits)
	if e != nil {
		return e
	}
	if err := l.close(ctx); err != nil {
		return hostFault("closing a module", fmt.Errorf("compile: %w", err))
	}
	return nil
}
