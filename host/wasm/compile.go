package wasm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/culmhq/culm/host/wasm/binary"
	"github.com/culmhq/culm/pdk/contract"
)

// receipt says that a child process compiled a module, and what it left in the
// cache. It lies beside the compiled code.
type receipt struct {
	// Files maps each file of compiled code to its SHA-256.
	Files map[string]string `json:"files"`
}

// receiptName is the file name of a receipt.
const receiptName = "receipt.json"

// errCache is the sentinel of a cache entry that cannot be used.
var errCache = errors.New("no usable cache entry")

// load builds a module in this process from the cache, after a child process has
// compiled it.
func (h *Host) load(ctx context.Context, digest string, wasm []byte, lim Limits) (*live, *Error) {
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed {
		return nil, hostFault("it is closed", ErrClosed)
	}
	dir, e := h.compiled(ctx, digest, wasm)
	if e != nil {
		return nil, e
	}
	a, e := analyse(wasm, h.limits)
	if e != nil {
		return nil, e
	}
	l, e := h.build(ctx, a, dir, lim)
	if e != nil {
		if e.Failure.Code == CodeHostFault {
			h.logger.ErrorContext(ctx, "loading a plugin module failed",
				slog.String("digest", digest), slog.Any("error", e.Cause))
		}
		return nil, e
	}
	if err := verify(dir); err != nil {
		h.logger.WarnContext(ctx, "a plugin was compiled again in this process: the compiler is another program",
			slog.String("digest", digest), slog.Any("error", err))
	}
	return l, nil
}

// compiled returns the cache directory of a module that a child process compiled,
// having one do so if need be.
func (h *Host) compiled(ctx context.Context, digest string, wasm []byte) (string, *Error) {
	dir := filepath.Join(h.cacheDir, h.cacheKey(digest))
	err := verify(dir)
	if err == nil {
		return dir, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		h.logger.WarnContext(ctx, "a compiled plugin was damaged or changed on disk and is compiled again",
			slog.String("digest", digest), slog.Any("error", err))
	}
	if e := h.compileTurn(ctx); e != nil {
		return "", e
	}
	defer func() { <-h.compiling }()
	if verify(dir) == nil { // by another caller meanwhile
		return dir, nil
	}
	if _, err := h.compileInto(ctx, dir, digest, wasm); err != nil {
		return "", asError(err)
	}
	return dir, nil
}

// compileTurn waits for a place to compile in, which the caller gives back.
func (h *Host) compileTurn(ctx context.Context) *Error {
	select {
	case h.compiling <- struct{}{}:
		return nil
	case <-ctx.Done():
		return stopped(context.Cause(ctx), "its turn to be compiled")
	}
}

// cacheKey names the cache directory of a module: everything that decides what the
// compiled code is.
func (h *Host) cacheKey(digest string) string {
	b, _ := json.Marshal(h.limits.Module) // plain numbers
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%s|%s|%s|%s", digest, binary.RewriteVersion,
		wazeroVersion(), runtime.GOARCH, runtime.GOOS, b))
	return hex.EncodeToString(sum[:])
}

// wazeroVersion returns the version of the runtime that is linked in.
func wazeroVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				return d.Version
			}
		}
	}
	return "unknown"
}

// compileInto has a child process compile a module into a fresh directory, which
// becomes dir when all went well. The error is an *Error.
func (h *Host) compileInto(ctx context.Context, dir, digest string, wasm []byte) (Info, error) {
	work, err := os.MkdirTemp(h.cacheDir, "compiling-")
	if err != nil {
		return Info{}, h.cacheFault(ctx, err)
	}
	defer func() {
		if err := os.RemoveAll(work); err != nil {
			h.logger.WarnContext(ctx, "removing a work directory failed", slog.Any("error", err))
		}
	}()
	info, err := h.runCompiler(ctx, work, digest, wasm)
	if err != nil {
		return Info{}, err
	}
	r, err := takeStock(work)
	if err != nil {
		return Info{}, h.cacheFault(ctx, err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return Info{}, h.cacheFault(ctx, err)
	}
	if err := os.WriteFile(filepath.Join(work, receiptName), b, 0o600); err != nil {
		return Info{}, h.cacheFault(ctx, err)
	}
	if e := h.publish(ctx, work, dir); e != nil {
		return Info{}, e
	}
	return info, nil
}

// publish makes work the cache directory dir, unless another host or process was faster.
// Whoever replaces a directory holds the lock of the cache, so that nobody removes what
// somebody else has published since both looked.
func (h *Host) publish(ctx context.Context, work, dir string) *Error {
	unlock, err := lockDir(h.cacheDir)
	if err != nil {
		return h.cacheFault(ctx, err)
	}
	defer unlock()
	if verify(dir) == nil {
		return nil
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(work, dir)); err != nil {
		return h.cacheFault(ctx, err)
	}
	return nil
}

// lockDir waits until nobody else has the lock of a directory, in this process or another.
// What is done under it takes milliseconds.
func lockDir(path string) (unlock func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the cache: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the cache: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil // which gives the lock back
}

func (h *Host) cacheFault(ctx context.Context, err error) *Error {
	h.logger.ErrorContext(ctx, "the cache of compiled plugins failed", slog.Any("error", err))
	return hostFault("the cache of compiled plugins", err)
}

// takeStock hashes every file below dir but the receipt.
func takeStock(dir string) (receipt, error) {
	r := receipt{Files: map[string]string{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == receiptName {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%w: %s is not a file", errCache, d.Name())
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return fmt.Errorf("take stock of the cache: %w", err)
		}
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("take stock of the cache: %w", err)
		}
		defer f.Close() //nolint:errcheck // read only
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return fmt.Errorf("take stock of the cache: %w", err)
		}
		r.Files[name] = hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	return r, err
}

// verify reports why a cache directory cannot be used: there is none, or its files
// are not those that its receipt names.
func verify(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, receiptName))
	if err != nil {
		return fmt.Errorf("%w: %w", errCache, err)
	}
	var want receipt
	if err := json.Unmarshal(b, &want); err != nil {
		return fmt.Errorf("%w: receipt: %w", errCache, err)
	}
	got, err := takeStock(dir)
	if err != nil {
		return err
	}
	if len(got.Files) != len(want.Files) || len(want.Files) == 0 {
		return fmt.Errorf("%w: %d files, the receipt names %d", errCache, len(got.Files), len(want.Files))
	}
	for name, sum := range want.Files {
		if got.Files[name] != sum {
			return fmt.Errorf("%w: %s has another hash than its receipt", errCache, name)
		}
	}
	return nil
}

// compileWallFactor is how much more wall time than processor time a compiler
// process gets: on a busy machine a large module takes longer than it costs, and the
// process yields to all others.
const compileWallFactor = 6

// pipeTime is how long the verdict of a compiler process that has ended may stay in its pipe.
// Another process that is being made in that moment holds the pipe, too, until its program
// begins, and on a busy machine making one with namespaces of its own takes a second or two.
const pipeTime = 10 * time.Second

// outputMax bounds what the compiler process may answer: a manifest, the names of
// imports and exports, and what JSON makes of them.
const outputMax = 16 << 20

// runCompiler runs the compiler process on a module: it compiles it into dir, or only
// reads it where dir is empty. The error is an *Error.
func (h *Host) runCompiler(ctx context.Context, dir, digest string, wasm []byte) (Info, error) {
	head, err := json.Marshal(compileOrder{Dir: dir, Limits: h.limits})
	if err != nil {
		return Info{}, hostFault("starting the compiler", err)
	}
	ctx, cancel := context.WithTimeout(ctx, compileWallFactor*h.limits.CompileTime)
	defer cancel()
	out, complaints := &capped{limit: outputMax}, &capped{limit: 16 << 10}
	cmd, _, runErr := h.spawn.start(func() (*exec.Cmd, error) {
		cmd := h.compiler(ctx)
		cmd.Env = []string{} // nothing: not nil, which would be everything
		cmd.Dir = orElse(dir, "/")
		cmd.Stdin = io.MultiReader(bytes.NewReader(append(head, '\n')), bytes.NewReader(wasm))
		cmd.Stdout, cmd.Stderr = out, complaints
		cmd.WaitDelay = pipeTime
		return cmd, nil
	})
	if runErr == nil {
		runErr = cmd.Wait()
	}
	var verdict compileVerdict
	if runErr == nil && json.Unmarshal(out.Bytes(), &verdict) == nil && verdict.OK {
		return verdict.info(digest, wasm)
	}
	if runErr == nil && verdict.Failure != nil {
		return Info{}, &Error{Failure: fromChild(*verdict.Failure)}
	}
	return Info{}, h.compilerDied(ctx, runErr, complaints.String())
}

// compilerDied says why there is no verdict: the process was killed at a limit,
// or the caller gave up, or it could not even be started.
func (h *Host) compilerDied(ctx context.Context, runErr error, complaints string) *Error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.Canceled) {
		return stopped(cause, "")
	}
	h.logger.WarnContext(ctx, "the compiler process ended without a verdict",
		slog.Any("error", runErr), slog.String("stderr", clean(firstLine(complaints), 500)))
	var ended *exec.ExitError
	if !errors.As(runErr, &ended) || ended.ExitCode() == exitRefused {
		return hostFault("running the compiler", runErr)
	}
	return failure(contract.OriginLimit, CodeCompileLimit,
		"compiling the module took more than %s of processor time or %d MiB of memory",
		h.limits.CompileTime, h.limits.CompileMemoryBytes>>20).because(runErr)
}

// capped is a buffer that drops what is over its limit.
type capped struct {
	bytes.Buffer
	limit int
}

// Write takes as much as fits and pretends to have taken all.
func (c *capped) Write(p []byte) (int, error) {
	if room := c.limit - c.Len(); room > 0 {
		c.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
