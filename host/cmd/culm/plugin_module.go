package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// module returns a module as an author's command takes it: a file, or what a directory of
// source builds into.
func (p *program) module(ctx context.Context, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return os.ReadFile(path)
	}
	tmp, err := os.MkdirTemp("", "culm-plugin-")
	if err != nil {
		return nil, failed(err)
	}
	out := filepath.Join(tmp, "module.wasm")
	_, err = build.Build(ctx, path, out, build.Options{})
	var code []byte
	if err == nil {
		code, err = os.ReadFile(out)
	}
	return code, errors.Join(refusedBuild(err), os.RemoveAll(tmp))
}

// refusedBuild marks what a compiler refused as a failure of the command; a wrong
// manifest and a directory without a plugin are refusals of the input.
func refusedBuild(err error) error {
	var c *build.CompileError
	var t *build.ToolError
	if errors.As(err, &c) || errors.As(err, &t) {
		return failed(err)
	}
	return err
}

// sandbox runs one module for its author: the same host and limits as a server's, with
// compiled code kept where culm run keeps it.
type sandbox struct {
	host    *wasm.Host
	module  *wasm.Module
	scratch string
}

// open loads a module. now is the instant at which the plugin's clock starts, nil for the
// real time.
func (p *program) open(ctx context.Context, code []byte, now *time.Time) (s *sandbox, err error) {
	s = &sandbox{}
	cache := p.cacheDir()
	if cache == "" {
		if s.scratch, err = os.MkdirTemp("", "culm-compiled-"); err != nil {
			return nil, failed(err)
		}
		cache = s.scratch
	}
	c := wasm.Config{CacheDir: cache, Compiler: compiler}
	if now != nil {
		began, at := time.Now(), *now
		c.Now = func() time.Time { return at.Add(time.Since(began)) }
	}
	if s.host, err = wasm.New(ctx, c); err != nil {
		return nil, failed(errors.Join(err, s.close()))
	}
	if s.module, err = s.host.Load(ctx, wasm.Digest(code), code); err != nil {
		if _, told := build.ReadManifest(code); told != nil {
			err = told // all of it, with places
		}
		return nil, errors.Join(err, s.close())
	}
	if s.module.Info().Manifest == nil {
		return nil, errors.Join(build.ErrNoManifest, s.close())
	}
	return s, nil
}

func (s *sandbox) close() error {
	var err error
	if s.host != nil {
		err = s.host.Close()
	}
	if s.scratch != "" {
		err = errors.Join(err, os.RemoveAll(s.scratch))
	}
	return err
}

// Manifest implements cases.Module.
func (s *sandbox) Manifest() *contract.Manifest { return s.module.Info().Manifest }

// Invoke implements cases.Module.
func (s *sandbox) Invoke(ctx context.Context, req contract.Request, script *cases.Script) (contract.Answer, cases.Usage, error) {
	return s.invoke(ctx, req, script)
}

func (s *sandbox) invoke(ctx context.Context, req contract.Request, services wasm.Services) (contract.Answer, cases.Usage, error) {
	a, r, err := s.module.Invoke(ctx, req, services)
	return a, cases.Usage{
		Duration: r.Duration, Guest: r.Guest, PeakMemoryBytes: r.PeakMemoryBytes, HostCalls: r.HostCalls, OutputBytes: len(r.Output),
	}, err
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d B", n)
	}
}
