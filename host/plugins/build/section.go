package build

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// ErrNoManifest says that the module has no section contract.ManifestSection.
var ErrNoManifest = errors.New("the module carries no manifest: pack it with culm plugin pack")

// header is the magic number and version of a core module.
const header = "\x00asm\x01\x00\x00\x00"

// section is one section of a module.
type section struct {
	id byte
	// start and end are offsets in the module, with id and size included.
	start, end int
	payload    []byte
}

// ReadManifest reads the manifest that a module carries, without running or compiling
// any of it, and checks it.
func ReadManifest(module []byte) (contract.Manifest, error) {
	raw, err := RawManifest(module)
	if err != nil {
		return contract.Manifest{}, err
	}
	return ParseManifest(raw)
}

// RawManifest returns the manifest that a module carries as it is there, unchecked. The
// error is ErrNoManifest when there is none.
func RawManifest(module []byte) ([]byte, error) {
	all, err := sections(module)
	if err != nil {
		return nil, err
	}
	var found [][]byte
	for _, s := range all {
		if content, ok := s.custom(contract.ManifestSection); ok {
			found = append(found, content)
		}
	}
	switch len(found) {
	case 0:
		return nil, ErrNoManifest
	case 1:
		return found[0], nil
	default:
		return nil, fmt.Errorf("the module carries %d sections %s", len(found), contract.ManifestSection)
	}
}

// embed returns the module with the content as its only custom section of that name,
// the last of all sections.
func embed(module []byte, name string, content []byte) ([]byte, error) {
	all, err := sections(module)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, len(module)+len(content)+64))
	out.WriteString(header)
	for _, s := range all {
		if _, ok := s.custom(name); !ok {
			out.Write(module[s.start:s.end])
		}
	}
	payload := binary.AppendUvarint(nil, uint64(len(name)))
	payload = append(payload, name...)
	payload = append(payload, content...)
	out.WriteByte(0)
	out.Write(binary.AppendUvarint(nil, uint64(len(payload))))
	out.Write(payload)
	return out.Bytes(), nil
}

// sections splits a module. It checks the frame of each section and nothing inside.
func sections(module []byte) ([]section, error) {
	if !bytes.HasPrefix(module, []byte(header)) {
		return nil, errors.New("not a WebAssembly module of version 1 (a component, or another file)")
	}
	var all []section
	for at := len(header); at < len(module); {
		size, n := binary.Uvarint(module[at+1:])
		start := at + 1 + n
		if n <= 0 || n > 5 || size > uint64(len(module)-start) {
			return nil, fmt.Errorf("the section at byte %d does not fit into the module", at)
		}
		end := start + int(size)
		all = append(all, section{id: module[at], start: at, end: end, payload: module[start:end]})
		at = end
	}
	return all, nil
}

// custom returns the content of a custom section of that name.
func (s section) custom(name string) ([]byte, bool) {
	if s.id != 0 {
		return nil, false
	}
	size, n := binary.Uvarint(s.payload)
	if n <= 0 || size > uint64(len(s.payload)-n) || string(s.payload[n:n+int(size)]) != name {
		return nil, false
	}
	return s.payload[n+int(size):], true
}

// Exports lists the names of the functions that a module exports, in their order.
func Exports(module []byte) ([]string, error) {
	all, err := sections(module)
	if err != nil {
		return nil, err
	}
	const exportSection, function = 7, 0
	var names []string
	for _, s := range all {
		if s.id != exportSection {
			continue
		}
		r := reader{rest: s.payload}
		for range r.number() {
			name := r.bytes(r.number())
			if kind := r.bytes(1); len(kind) == 1 && kind[0] == function {
				names = append(names, string(name))
			}
			r.number()
			if r.broken {
				return nil, errors.New("the export section is broken")
			}
		}
	}
	return names, nil
}

// importsHTTP reports whether a module imports Extism's http_request. An import that it
// cannot read ends the search: whether the module is sound is found out at install.
func importsHTTP(module []byte) (bool, error) {
	all, err := sections(module)
	if err != nil {
		return false, err
	}
	const importSection, function = 2, 0
	for _, s := range all {
		if s.id != importSection {
			continue
		}
		r := reader{rest: s.payload}
		for range r.number() {
			from, name := string(r.bytes(r.number())), string(r.bytes(r.number()))
			kind := r.bytes(1)
			if r.broken || len(kind) != 1 || kind[0] != function {
				return false, nil
			}
			if from == "extism:host/env" && name == "http_request" {
				return true, nil
			}
			r.number()
		}
	}
	return false, nil
}

// reader takes numbers and bytes off the front of a section.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.broken = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.broken = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
