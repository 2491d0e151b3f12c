package binary

import "bytes"

// ValueType is a WebAssembly value type in its binary encoding.
type ValueType byte

// The value types of the core specification 2.0.
const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	V128      ValueType = 0x7b
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f
)

// The kinds of imports and exports.
const (
	KindFunc   = 0
	KindTable  = 1
	KindMemory = 2
	KindGlobal = 3
)

// section ids of the binary format.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
)

// FuncType is the type of a function.
type FuncType struct {
	Params, Results []ValueType
}

// Import is an imported function with the index of its type.
type Import struct {
	Module, Name string
	Type         uint32
}

// Export is an exported item.
type Export struct {
	Name  string
	Kind  byte
	Index uint32
}

// Global is a global of the module.
type Global struct {
	Type    ValueType
	Mutable bool
}

// Table is a table of the module; Max counts only if HasMax.
type Table struct {
	Type     byte
	Min, Max uint32
	HasMax   bool
}

// Segment is a data segment. A passive one has Active false; Offset is that of an
// active one.
type Segment struct {
	Active bool
	Offset uint32
	Bytes  []byte
}

// Module is what was read of a module. Its byte slices share the memory of the
// bytes it was parsed from.
type Module struct {
	Types     []FuncType
	Imports   []Import
	Functions []uint32 // type indices of the functions it defines
	Tables    []Table
	HasMemory bool
	// MemoryMin and MemoryMax are in pages; MemoryMax counts only if HasMemoryMax.
	MemoryMin, MemoryMax uint32
	HasMemoryMax         bool
	Globals              []Global
	Exports              []Export
	Start                *uint32
	Data                 []Segment
	Manifest             []byte // contents of the manifest section, nil without one
	// Features are the instructions in use that decide what a snapshot may hold.
	Features Features

	sections []section
	codes    []body
	names    []byte // contents of the name section
}

// Features tells which instructions the code of a module holds.
type Features struct {
	// TableWrites: a table can change after instantiation.
	TableWrites bool
	// DataDrops: passive segments are read or dropped.
	DataDrops bool
}

// section is a raw section.
type section struct {
	id   byte
	at   int
	body []byte
	name string // of a custom section
}

// body is a function body: the code entry without its size.
type body struct {
	at    int
	bytes []byte
}

// parser carries the limits through the sections.
type parser struct {
	m   *Module
	lim Limits
	man string
}

// Parse reads a module. manifest is the name of the custom section that becomes
// Module.Manifest. The error is an *Error. The result aliases b.
func Parse(b []byte, manifest string, lim Limits) (*Module, error) {
	if len(b) > lim.ModuleBytes {
		return nil, overLimit("bytes of the module", uint64(len(b)), uint64(lim.ModuleBytes))
	}
	if len(b) < 8 || !bytes.Equal(b[:4], []byte("\x00asm")) {
		return nil, malformed(0, "not a WebAssembly module")
	}
	if !bytes.Equal(b[4:8], []byte{1, 0, 0, 0}) {
		return nil, malformed(4, "not a core WebAssembly module of version 1")
	}
	p := &parser{m: &Module{}, lim: lim, man: manifest}
	if err := p.split(b); err != nil {
		return nil, err
	}
	for _, s := range p.m.sections {
		r := reader{b: s.body, base: s.at}
		p.section(s.id, &r)
		if r.err == nil && s.id != secCustom && r.pos != len(r.b) {
			r.fail("section %d has trailing bytes", s.id)
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	if err := p.cross(); err != nil {
		return nil, err
	}
	return p.m, nil
}

// Func returns the type of the function with that index, imports included.
func (m *Module) Func(i uint32) (FuncType, bool) {
	var t uint32
	switch n := uint32(len(m.Imports)); {
	case i < n:
		t = m.Imports[i].Type
	case i-n < uint32(len(m.Functions)):
		t = m.Functions[i-n]
	default:
		return FuncType{}, false
	}
	return m.Types[t], true
}

// Export returns the export with that name and kind.
func (m *Module) Export(name string, kind byte) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name && e.Kind == kind {
			return e, true
		}
	}
	return Export{}, false
}

// split cuts the module into sections and checks their order.
func (p *parser) split(b []byte) error {
	r := reader{b: b, pos: 8}
	last, customs := 0, uint32(0)
	for r.more() {
		id := r.byte()
		n := r.u32()
		at := r.pos
		body := r.take(n)
		if r.err != nil {
			return r.err
		}
		s := section{id: id, at: at, body: body}
		if id == secCustom {
			customs++
			if customs > p.lim.Customs {
				return overLimit("custom sections", uint64(customs), uint64(p.lim.Customs))
			}
			p.m.sections = append(p.m.sections, s)
			continue
		}
		o := order(id)
		if o == 0 {
			return malformed(at, "unknown section %d", id)
		}
		if o <= last {
			return malformed(at, "section %d is repeated or out of order", id)
		}
		last = o
		p.m.sections = append(p.m.sections, s)
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// order returns the rank of a section in the module, 0 for an unknown one.
func order(id byte) int {
	switch {
	case id >= secType && id <= secElement:
		return int(id)
	case id == secDataCount:
		return 10
	case id == secCode:
		return 11
	case id == secData:
		return 12
	}
	return 0
}

// section reads one section.
func (p *parser) section(id byte, r *reader) {
	switch id {
	case secCustom:
		p.custom(r)
	case secType:
		p.types(r)
	case secImport:
		p.imports(r)
	case secFunction:
		n := r.count("functions", p.lim.Functions)
		for range n {
			p.m.Functions = append(p.m.Functions, p.typeIndex(r))
		}
	case secTable:
		p.tables(r)
	case secMemory:
		p.memory(r)
	case secGlobal:
		p.globals(r)
	case secExport:
		p.exports(r)
	case secStart:
		i := r.u32()
		p.m.Start = &i
	case secElement:
		r.count("element segments", p.lim.Elements)
		r.pos = len(r.b) // the compiler checks the contents
	case secDataCount:
		r.u32()
	case secCode:
		p.code(r)
	case secData:
		p.data(r)
	}
}
