package wasm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/culmhq/culm/host/wasm/binary"
	"github.com/culmhq/culm/pdk/contract"
)

// Info is what is known of a module without running it.
type Info struct {
	// Digest is "sha256:" and the hash of the module's bytes in lower-case
	// hexadecimal.
	Digest string
	// Manifest is nil for a module without one, which only Call can use.
	Manifest *contract.Manifest
	// Imports are the host functions it uses, as "module.name"; Exports the
	// functions it offers.
	Imports, Exports []string
	Sizes            Sizes
}

// Sizes are a module's sizes.
type Sizes struct {
	ModuleBytes, DataBytes int64
	Functions              int
	// MemoryMinBytes is what it declares; the host's limit bounds what it gets.
	MemoryMinBytes int64
}

// analysis is a module that was read and found acceptable in form.
type analysis struct {
	info   Info
	module *binary.Module
	// calls tells for each exported function whether Call can call it, and whether
	// it returns a status.
	calls map[string]callable
}

// callable is the kind of an exported function.
type callable int

const (
	notCallable   callable = iota // takes parameters or returns something else
	returnsNone                   // () -> ()
	returnsStatus                 // () -> (i32)
)

// Digest returns the digest of a module's bytes.
func Digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// analyse reads a module, checks its limits, imports and manifest.
func analyse(wasm []byte, lim Limits) (*analysis, *Error) {
	m, err := binary.Parse(wasm, contract.ManifestSection, lim.Module)
	if err != nil {
		return nil, moduleError(err)
	}
	var manifest *contract.Manifest
	if m.Manifest != nil {
		if manifest, err = ParseManifest(m.Manifest); err != nil {
			return nil, failure(contract.OriginPlugin, CodeManifestInvalid, "%s", clean(err.Error(), 2000)).because(err)
		}
	}
	if e := checkImports(m, manifest); e != nil {
		return nil, e
	}
	a := &analysis{module: m, calls: map[string]callable{}}
	a.info = Info{
		Digest: Digest(wasm), Manifest: manifest,
		Sizes: Sizes{
			ModuleBytes: int64(len(wasm)), Functions: len(m.Functions),
			MemoryMinBytes: int64(m.MemoryMin) * pageBytes,
		},
	}
	for _, i := range m.Imports {
		a.info.Imports = append(a.info.Imports, i.Module+"."+i.Name)
	}
	for _, s := range m.Data {
		a.info.Sizes.DataBytes += int64(len(s.Bytes))
	}
	for _, e := range m.Exports {
		if e.Kind == binary.KindFunc {
			a.info.Exports = append(a.info.Exports, e.Name)
			a.calls[e.Name] = kindOf(m, e.Index)
		}
	}
	if manifest != nil {
		if e := a.checkExports(); e != nil {
			return nil, e
		}
	}
	return a, nil
}

// kindOf tells whether a function can be called by Call.
func kindOf(m *binary.Module, index uint32) callable {
	t, _ := m.Func(index)
	switch {
	case len(t.Params) != 0:
		return notCallable
	case len(t.Results) == 0:
		return returnsNone
	case len(t.Results) == 1 && t.Results[0] == binary.I32:
		return returnsStatus
	}
	return notCallable
}

// checkExports refuses a module that lacks what its manifest promises.
func (a *analysis) checkExports() *Error {
	for i := range a.info.Manifest.Actions {
		act := &a.info.Manifest.Actions[i]
		for _, export := range exportsOf(act) {
			if a.calls[export] == notCallable {
				return failure(contract.OriginPlugin, CodeExportMissing,
					"the module does not export %s() -> i32, which action %s needs", clean(export, 60), act.ID)
			}
		}
	}
	return nil
}

// exportsOf lists the functions that an action needs.
func exportsOf(act *contract.Action) []string {
	if act.Foreign != nil {
		return []string{act.Foreign.Export}
	}
	need := []string{contract.ExportExecute}
	for _, e := range []struct {
		export string
		wanted bool
	}{
		{contract.ExportResume, len(act.Waits) > 0},
		{contract.ExportCancel, act.Cancel},
		{contract.ExportRollback, act.Rollback},
		{contract.ExportOptions, act.Options},
	} {
		if e.wanted {
			need = append(need, e.export)
		}
	}
	return need
}

func utoa(n uint32) string { return fmt.Sprint(n) }
