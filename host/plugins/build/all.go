package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// IndexFormat is the format of the index that All writes.
const IndexFormat = "culm.plugins/v1"

// IndexFile is the name of the index beside the modules.
const IndexFile = "index.json"

// Index lists the modules of a directory.
type Index struct {
	Format string `json:"format"`
	// Go is the version of Go that made the modules: another may make other bytes.
	Go      string  `json:"go"`
	Plugins []Entry `json:"plugins"`
}

// Entry is a module of an index.
type Entry struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	File    string `json:"file"`
	Digest  string `json:"digest"`
	Bytes   int64  `json:"bytes"`
}

// All builds every plugin in Go below root/plugins-src into root/plugins-wasm and writes
// the index. A plugin whose source, and everything it is made from, is as it was at the
// last build is not built again. At most two are built at a time.
func All(ctx context.Context, root string, o Options) (Index, error) {
	version, err := o.run(ctx, Go, root, nil, o.goCommand(), "env", "GOVERSION")
	if err != nil {
		return Index{}, err
	}
	index := Index{Format: IndexFormat, Go: strings.TrimSpace(string(version))}
	dirs, err := pluginDirs(root)
	if err != nil {
		return index, err
	}
	shared, err := hashTree(index.Go, root, "go.mod", "go.sum", "pdk", "host/plugins/build")
	if err != nil {
		return index, err
	}
	index.Plugins = make([]Entry, len(dirs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for i, dir := range dirs {
		g.Go(func() error {
			var err error
			index.Plugins[i], err = one(ctx, root, dir, shared, o)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return index, err
	}
	return index, index.write(filepath.Join(root, "plugins-wasm", IndexFile))
}

// one builds the plugin in root/plugins-src/name, or finds it built.
func one(ctx context.Context, root, name, shared string, o Options) (Entry, error) {
	src := filepath.Join("plugins-src", name)
	key, err := hashTree(shared, root, src)
	if err != nil {
		return Entry{}, err
	}
	out := filepath.Join(root, "plugins-wasm", name+".wasm")
	stamp := filepath.Join(root, ".bin", "plugins", name+".json")
	if e, ok := built(out, stamp, key); ok {
		return e, nil
	}
	p, err := Build(ctx, filepath.Join(root, src), out, o)
	if err != nil {
		return Entry{}, err
	}
	if p.Manifest.ID != name {
		return Entry{}, fmt.Errorf("%s: the plugin is called %q, not as its directory", src, p.Manifest.ID)
	}
	e := Entry{ID: name, Version: p.Manifest.Version, File: name + ".wasm", Digest: p.Digest, Bytes: p.Bytes}
	raw, err := json.Marshal(stampFile{Key: key, Entry: e})
	if err != nil {
		return e, err
	}
	return e, replace(stamp, raw)
}

// stampFile says what a module was built from.
type stampFile struct {
	Key   string `json:"key"`
	Entry Entry  `json:"entry"`
}

// built returns the entry of a module that is as it would be built now.
func built(out, stamp, key string) (Entry, bool) {
	raw, err := os.ReadFile(stamp)
	if err != nil {
		return Entry{}, false
	}
	var s stampFile
	if json.Unmarshal(raw, &s) != nil || s.Key != key {
		return Entry{}, false
	}
	code, err := os.ReadFile(out)
	return s.Entry, err == nil && Digest(code) == s.Entry.Digest
}

// pluginDirs lists the directories of plugins in Go.
func pluginDirs(root string) ([]string, error) {
	mains, err := filepath.Glob(filepath.Join(root, "plugins-src", "*", "main.go"))
	if err != nil {
		return nil, err
	}
	if len(mains) == 0 {
		return nil, fmt.Errorf("%s holds no plugins-src/*/main.go", root)
	}
	dirs := make([]string, len(mains))
	for i, m := range mains {
		dirs[i] = filepath.Base(filepath.Dir(m))
	}
	slices.Sort(dirs)
	return dirs, nil
}

// hashTree hashes files and whole directories below root, without tests, after a seed.
func hashTree(seed, root string, paths ...string) (string, error) {
	h := sha256.New()
	h.Write([]byte(seed + "\n"))
	for _, p := range paths {
		err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(p)), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(h, "%s %x\n", filepath.ToSlash(rel), sha256.Sum256(content))
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ReadIndex reads an index. An unknown format is refused.
func ReadIndex(raw []byte) (Index, error) {
	var x Index
	if err := json.Unmarshal(raw, &x); err != nil {
		return x, fmt.Errorf("index of plugins: %w", err)
	}
	if x.Format != IndexFormat {
		return x, fmt.Errorf("index of plugins: format is %q, this version reads %q", x.Format, IndexFormat)
	}
	return x, nil
}

func (x Index) write(path string) error {
	raw, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	// An unchanged file keeps its time, for make.
	if old, err := os.ReadFile(path); err == nil && string(old) == string(raw) {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replace(path, raw)
}
