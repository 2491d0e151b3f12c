package binary

// custom reads the name of a custom section and keeps what matters.
func (p *parser) custom(r *reader) {
	name := r.name()
	if r.err != nil {
		return
	}
	rest := r.b[r.pos:]
	for i := range p.m.sections {
		if p.m.sections[i].at == r.base {
			p.m.sections[i].name = name
		}
	}
	switch name {
	case p.man:
		if p.m.Manifest != nil {
			r.fail("the section %s occurs twice", name)
			return
		}
		if len(rest) > p.lim.ManifestBytes {
			r.err = overLimit("bytes of the manifest", uint64(len(rest)), uint64(p.lim.ManifestBytes))
			return
		}
		p.m.Manifest = rest[:len(rest):len(rest)]
	case "name":
		p.m.names = rest
	}
}

// types reads the type section.
func (p *parser) types(r *reader) {
	n := r.count("types", p.lim.Types)
	for range n {
		if c := r.byte(); r.err == nil && c != 0x60 {
			r.fail("type form %#x is not supported", c)
		}
		t := FuncType{Params: p.valueTypes(r), Results: p.valueTypes(r)}
		if r.err != nil {
			return
		}
		p.m.Types = append(p.m.Types, t)
	}
}

// valueTypes reads a vector of value types.
func (p *parser) valueTypes(r *reader) []ValueType {
	n := r.count("parameters or results of a type", 1000)
	ts := make([]ValueType, 0, n)
	for range n {
		ts = append(ts, valueType(r))
	}
	return ts
}

// valueType reads one value type.
func valueType(r *reader) ValueType {
	t := ValueType(r.byte())
	switch t {
	case I32, I64, F32, F64, V128, FuncRef, ExternRef:
	default:
		r.fail("value type %#x is not supported", byte(t))
	}
	return t
}

// typeIndex reads the index of a type.
func (p *parser) typeIndex(r *reader) uint32 {
	t := r.u32()
	if r.err == nil && int(t) >= len(p.m.Types) {
		r.fail("unknown type %d", t)
		return 0
	}
	return t
}

// imports reads the import section. Only functions may be imported: a memory, a
// table or a global from outside could be shared between instances.
func (p *parser) imports(r *reader) {
	n := r.count("imports", p.lim.Imports)
	for range n {
		i := Import{Module: r.name(), Name: r.name()}
		if kind := r.byte(); r.err == nil && kind != KindFunc {
			r.fail("%s is imported from %q.%q: only functions may be imported", kindName(kind), i.Module, i.Name)
		}
		i.Type = p.typeIndex(r)
		if r.err != nil {
			return
		}
		p.m.Imports = append(p.m.Imports, i)
	}
}

// kindName names a kind of import for messages.
func kindName(kind byte) string {
	switch kind {
	case KindTable:
		return "a table"
	case KindMemory:
		return "a memory"
	case KindGlobal:
		return "a global"
	}
	return "something unknown"
}

// bounds reads the limits of a table or memory.
func bounds(r *reader) (low, high uint32, hasMax bool) {
	flags := r.byte()
	if r.err == nil && flags > 1 {
		r.fail("shared or 64-bit memories and tables are not supported")
	}
	low = r.u32()
	if flags == 1 {
		high, hasMax = r.u32(), true
		if r.err == nil && high < low {
			r.fail("a maximum is below its minimum")
		}
	}
	return low, high, hasMax
}

// tables reads the table section.
func (p *parser) tables(r *reader) {
	n := r.count("tables", p.lim.Tables)
	for range n {
		t := Table{Type: r.byte()}
		if r.err == nil && t.Type != byte(FuncRef) && t.Type != byte(ExternRef) {
			r.fail("table element type %#x is not supported", t.Type)
		}
		t.Min, t.Max, t.HasMax = bounds(r)
		if r.err != nil {
			return
		}
		if t.Min > p.lim.TableElements {
			r.err = overLimit("elements of a table", uint64(t.Min), uint64(p.lim.TableElements))
			return
		}
		p.m.Tables = append(p.m.Tables, t)
	}
}

// memory reads the memory section.
func (p *parser) memory(r *reader) {
	n := r.count("memories", 1)
	if n == 0 {
		return
	}
	p.m.HasMemory = true
	p.m.MemoryMin, p.m.MemoryMax, p.m.HasMemoryMax = bounds(r)
	if r.err == nil && p.m.MemoryMin > p.lim.MemoryPages {
		r.err = overLimit("pages of memory (64 KiB each)", uint64(p.m.MemoryMin), uint64(p.lim.MemoryPages))
	}
}

// globals reads the global section.
func (p *parser) globals(r *reader) {
	n := r.count("globals", p.lim.Globals)
	for range n {
		g := Global{Type: valueType(r)}
		mut := r.byte()
		if r.err == nil && mut > 1 {
			r.fail("malformed mutability")
		}
		g.Mutable = mut == 1
		constExpr(r)
		if r.err != nil {
			return
		}
		p.m.Globals = append(p.m.Globals, g)
	}
}

// constExpr reads over a constant expression of one instruction. global.get is not
// among them: it may only name imported globals, and there are none.
func constExpr(r *reader) {
	switch op := r.byte(); op {
	case 0x41:
		r.skipSigned(32)
	case 0x42:
		r.skipSigned(64)
	case 0x43:
		r.take(4)
	case 0x44:
		r.take(8)
	case 0xd2:
		r.u32()
	case 0xd0:
		r.byte()
	case 0xfd:
		if sub := r.u32(); r.err == nil && sub != 12 {
			r.fail("not a constant")
		}
		r.take(16)
	default:
		r.fail("not a constant")
	}
	if end := r.byte(); r.err == nil && end != 0x0b {
		r.fail("a constant expression has more than one instruction")
	}
}

// exports reads the export section.
func (p *parser) exports(r *reader) {
	n := r.count("exports", p.lim.Exports)
	seen := make(map[string]bool, n)
	for range n {
		e := Export{Name: r.name(), Kind: r.byte(), Index: r.u32()}
		if r.err == nil && e.Kind > KindGlobal {
			r.fail("export %q has the unknown kind %d", e.Name, e.Kind)
		}
		if r.err == nil && seen[e.Name] {
			r.fail("export %q occurs twice", e.Name)
		}
		if r.err == nil && len(e.Name) >= len(Reserved) && e.Name[:len(Reserved)] == Reserved {
			r.fail("export %q: names that begin with %q are reserved", e.Name, Reserved)
		}
		if r.err != nil {
			return
		}
		seen[e.Name] = true
		p.m.Exports = append(p.m.Exports, e)
	}
}

// code cuts the code section into bodies and walks each.
func (p *parser) code(r *reader) {
	n := r.count("function bodies", p.lim.Functions)
	for range n {
		size := r.u32()
		at := r.base + r.pos
		b := r.take(size)
		if r.err != nil {
			return
		}
		if size > p.lim.FunctionBytes {
			r.err = overLimit("bytes of a function", uint64(size), uint64(p.lim.FunctionBytes))
			return
		}
		w := walker{reader: reader{b: b, base: at}, m: p.m, locals: p.lim.Locals}
		w.walk()
		if w.err != nil {
			r.err = w.err
			return
		}
		p.m.Features.TableWrites = p.m.Features.TableWrites || w.tableWrites
		p.m.Features.DataDrops = p.m.Features.DataDrops || w.dataDrops
		p.m.codes = append(p.m.codes, body{at: at, bytes: b})
	}
}

// data reads the data section.
func (p *parser) data(r *reader) {
	n := r.count("data segments", p.lim.DataSegments)
	p.m.Data = make([]Segment, 0, n)
	for range n {
		var s Segment
		flags := r.u32()
		switch {
		case r.err != nil:
			return
		case flags == 1:
		case flags == 0 || flags == 2:
			if flags == 2 && r.u32() != 0 {
				r.fail("a data segment names another memory")
			}
			s.Active = true
			if op := r.byte(); r.err == nil && op != 0x41 {
				r.fail("the offset of a data segment is not a constant")
			}
			s.Offset = uint32(r.s32())
			if end := r.byte(); r.err == nil && end != 0x0b {
				r.fail("the offset of a data segment is not a constant")
			}
		default:
			r.fail("malformed data segment")
		}
		s.Bytes = r.take(r.u32())
		if r.err != nil {
			return
		}
		p.m.Data = append(p.m.Data, s)
	}
}

// cross checks what concerns several sections.
func (p *parser) cross() error {
	m := p.m
	if len(m.codes) != len(m.Functions) {
		return malformed(-1, "%d functions have %d bodies", len(m.Functions), len(m.codes))
	}
	if m.Start != nil {
		t, ok := m.Func(*m.Start)
		if !ok || len(t.Params) != 0 || len(t.Results) != 0 {
			return malformed(-1, "the start function does not exist or takes parameters")
		}
	}
	known := [...]int{
		KindFunc: len(m.Imports) + len(m.Functions), KindTable: len(m.Tables),
		KindMemory: 0, KindGlobal: len(m.Globals),
	}
	if m.HasMemory {
		known[KindMemory] = 1
	}
	for _, e := range m.Exports {
		if uint64(e.Index) >= uint64(known[e.Kind]) {
			return malformed(-1, "export %q names something that does not exist", e.Name)
		}
	}
	size := uint64(m.MemoryMin) << 16
	for i, s := range m.Data {
		if s.Active && (!m.HasMemory || uint64(s.Offset)+uint64(len(s.Bytes)) > size) {
			return malformed(-1, "data segment %d lies outside the memory", i)
		}
	}
	return nil
}
