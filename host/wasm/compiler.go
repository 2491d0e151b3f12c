package wasm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/pdk/contract"
)

// compileOrder is the first line that the compiler process reads; the module
// follows.
type compileOrder struct {
	// Dir is where the compiled code goes; empty only reads the module.
	Dir    string `json:"dir"`
	Limits Limits `json:"limits"`
}

// compileVerdict is what the compiler process answers.
type compileVerdict struct {
	OK      bool              `json:"ok"`
	Failure *contract.Failure `json:"failure,omitempty"`
	// Manifest is the module's section as it stands in it, absent where there is none.
	Manifest []byte   `json:"manifest,omitempty"`
	Imports  []string `json:"imports,omitempty"`
	Exports  []string `json:"exports,omitempty"`
	Sizes    Sizes    `json:"sizes"`
}

// info makes what the child read into what is known of the module. The manifest is
// read again: a child that was taken over may have written anything.
func (v compileVerdict) info(digest string, wasm []byte) (Info, error) {
	i := Info{Digest: digest, Imports: cleanAll(v.Imports), Exports: v.Exports, Sizes: v.Sizes}
	i.Sizes.ModuleBytes = int64(len(wasm))
	if v.Manifest == nil {
		return i, nil
	}
	var err error
	if i.Manifest, err = ParseManifest(v.Manifest); err != nil {
		return Info{}, failure(contract.OriginPlugin, CodeManifestInvalid, "%s", clean(err.Error(), 2000)).because(err)
	}
	return i, nil
}

// cleanAll cleans names for screens.
func cleanAll(names []string) []string {
	for i := range names {
		names[i] = clean(names[i], 200)
	}
	return names
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
	if err := confine.Limit(compilerLimits(order.Limits)); err != nil {
		return exitRefused
	}
	debug.SetMemoryLimit(order.Limits.CompileMemoryBytes / 4 * 3)
	debug.SetGCPercent(compilerGCPercent)
	wasm, err := io.ReadAll(io.LimitReader(in, int64(order.Limits.Module.ModuleBytes)+1))
	if err != nil {
		return exitRefused
	}
	v, e := tryOut(wasm, order)
	if e != nil {
		v = compileVerdict{Failure: &e.Failure}
	}
	if err := json.NewEncoder(stdout).Encode(v); err != nil {
		return exitRefused
	}
	return 0
}

// compilerGCPercent lets garbage pile up: the process is short, and its memory limited
// anyway.
const compilerGCPercent = 400

// cacheFileMax bounds a file that the compiler process may write. Compiled code is
// about four times the size of a Go module.
const cacheFileMax = 256 << 20

// compilerLimits are the limits of the compiler process.
func compilerLimits(l Limits) confine.Limits {
	c := confine.Limits{DataBytes: l.CompileMemoryBytes, CPU: l.CompileTime, FileBytes: cacheFileMax, Files: 64}
	if raceDetector { // which maps terabytes and is slow
		c.DataBytes, c.CPU = 0, 4*l.CompileTime
	}
	return c
}

// seal puts the filter of system calls on this process where there is one. Where there
// is none, the layers that the host reports say so.
func seal() error {
	if err := confine.Filter(); err != nil && !errors.Is(err, confine.ErrUnsupported) {
		return err
	}
	return nil
}

// tryOut reads a module and, where there is a directory for it, compiles and
// initialises it.
func tryOut(wasm []byte, order compileOrder) (compileVerdict, *Error) {
	h := newHost(Config{Limits: order.Limits, Parallel: 1, Now: time.Now})
	h.seal, h.mayDie = seal, true
	a, e := analyse(wasm, h.limits)
	if e != nil {
		return compileVerdict{}, e
	}
	v := compileVerdict{
		OK: true, Manifest: a.module.Manifest, Imports: a.info.Imports, Exports: a.info.Exports, Sizes: a.info.Sizes,
	}
	if order.Dir == "" {
		return v, nil
	}
	ctx := context.Background()
	l, e := h.build(ctx, a, order.Dir, h.limits)
	if e != nil {
		return compileVerdict{}, e
	}
	if err := l.close(ctx); err != nil {
		return compileVerdict{}, hostFault("closing a module", fmt.Errorf("compile: %w", err))
	}
	return v, nil
}
