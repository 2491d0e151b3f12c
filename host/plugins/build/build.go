// Package build makes packages of plugins: WebAssembly modules that carry their
// manifest. It is what the commands culm plugin build and culm plugin pack do, and what
// builds the plugins that ship with Culm.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/pdk/contract"
)

// Options changes how plugins are built. The zero value is right for most.
type Options struct {
	// Go is the go command; empty takes the one in PATH.
	Go string
	// Language is what the source is written in; empty takes what Detect says.
	Language Language
}

// Package is a built module.
type Package struct {
	Manifest contract.Manifest
	// Digest is "sha256:" and the hex hash of the module with its manifest.
	Digest string
	// Bytes is the size of the module.
	Bytes int64
}

// Build compiles the plugin in dir and writes the module with its manifest to out. That
// of a plugin in Go is reflected from its types; in other languages it lies in
// ManifestFile. The bytes depend on nothing but the source, the libraries it requires and
// the version of the compiler: not on the directory, the time or the repository.
func Build(ctx context.Context, dir, out string, o Options) (p Package, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return Package{}, err
	}
	l := o.Language
	if l == "" {
		if l, err = Detect(dir); err != nil {
			return Package{}, err
		}
	}
	tmp, err := os.MkdirTemp("", "culm-build-")
	if err != nil {
		return Package{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if l == Go {
		code, m, err := o.buildGo(ctx, dir, tmp)
		if err != nil {
			return Package{}, err
		}
		p, err = write(code, m, nil, out)
		return p, inSource(dir, m, err)
	}
	manifest := filepath.Join(dir, ManifestFile)
	raw, err := os.ReadFile(manifest)
	if err != nil {
		return Package{}, err
	}
	m, err := ParseManifest(raw)
	if err != nil {
		return Package{}, in(manifest, err)
	}
	code, err := o.compile(ctx, l, dir, tmp)
	if err != nil {
		return Package{}, err
	}
	p, err = write(code, m, raw, out)
	return p, inFile(manifest, raw, err)
}

// buildGo reflects the manifest and compiles the module, both at once: on a machine with
// two processors an author waits half as long.
func (o Options) buildGo(ctx context.Context, dir, tmp string) (code []byte, m contract.Manifest, err error) {
	name := o.goCommand()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		raw, err := o.run(ctx, Go, dir, []string{"CULM_PROBLEMS=json"}, name, "run", "-trimpath", "-buildvcs=false", ".", "manifest")
		if err == nil {
			m, err = ParseManifest(raw)
			err = inSource(dir, m, err)
		} else {
			err = reported(dir, err)
		}
		if err != nil {
			return fmt.Errorf("manifest of %s: %w", dir, err)
		}
		return nil
	})
	g.Go(func() error {
		module := filepath.Join(tmp, "module.wasm")
		env := []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOWASM="}
		// -w and not -s: without the name section a trap would not show function names.
		_, err := o.run(ctx, Go, dir, env, name, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", module, ".")
		if err != nil {
			return fmt.Errorf("compile %s: %w", dir, err)
		}
		code, err = os.ReadFile(module)
		return err
	})
	err = g.Wait()
	return code, m, err
}

// PackFile puts the manifest in one file into the module in another, which may be in
// any language, and writes the result to out.
func PackFile(module, manifest, out string) (Package, error) {
	code, err := os.ReadFile(module)
	if err != nil {
		return Package{}, err
	}
	raw, err := os.ReadFile(manifest)
	if err != nil {
		return Package{}, err
	}
	m, err := ParseManifest(raw)
	if err != nil {
		return Package{}, in(manifest, err)
	}
	p, err := write(code, m, raw, out)
	if err != nil && len(FieldErrors(err)) == 0 {
		return p, fmt.Errorf("%s: %w", module, err)
	}
	return p, inFile(manifest, raw, err)
}

// inFile names the places of an error in the author's manifest.
func inFile(file string, raw []byte, err error) error {
	if len(FieldErrors(err)) == 0 {
		return err
	}
	if _, src, failed := document.JSON(raw); failed == nil {
		err = at(src, err)
	}
	return in(file, err)
}

// Pack returns the module with the manifest in it; a manifest that was there is
// replaced. A module that does not export what its manifest promises is refused.
func Pack(module []byte, m contract.Manifest) ([]byte, error) { return pack(module, m, nil) }

// pack is Pack with the author's own text, which goes in as it is when it is JSON: then
// a host that refuses it later can still say where in his file.
func pack(module []byte, m contract.Manifest, text []byte) ([]byte, error) {
	if err := errors.Join(CheckManifest(m), checkExports(module, m)); err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		var err error
		if text, err = json.Marshal(m); err != nil {
			return nil, err
		}
	}
	return embed(module, contract.ManifestSection, text)
}

// Digest returns the digest of a module: "sha256:" and the hex hash.
func Digest(module []byte) string {
	sum := sha256.Sum256(module)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func write(module []byte, m contract.Manifest, text []byte, out string) (Package, error) {
	packed, err := pack(module, m, text)
	if err != nil {
		return Package{}, err
	}
	if err := replace(out, packed); err != nil {
		return Package{}, err
	}
	return Package{Manifest: m, Digest: Digest(packed), Bytes: int64(len(packed))}, nil
}

// replace writes a file so that a reader sees the old or the new content, never a part.
func replace(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, werr := f.Write(content)
	err = errors.Join(werr, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// goCommand is the go command.
func (o Options) goCommand() string {
	if o.Go != "" {
		return o.Go
	}
	return "go"
}
