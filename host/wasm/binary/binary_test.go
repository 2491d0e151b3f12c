package binary

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// modules reads every module of the host's test data.
func modules(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := map[string][]byte{}
	for _, pattern := range []string{"../testdata/*.wasm", "../testdata/*/*.wasm"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				tb.Fatal(err)
			}
			all[filepath.Base(p)] = b
		}
	}
	if len(all) < 40 {
		tb.Fatalf("only %d modules", len(all))
	}
	return all
}

// parse parses with the default limits.
func parse(b []byte) (*Module, error) { return Parse(b, "culm.manifest", DefaultLimits()) }

// FuzzParse: whatever the bytes, there is a module or an *Error; what was accepted
// can be rewritten, and the result is accepted as well.
func FuzzParse(f *testing.F) {
	for _, b := range modules(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Text == "" {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		rw := Rewrite(m, 1000)
		r := reader{b: rw.Bytes}
		r.pos = 8
		for r.more() {
			r.byte()
			r.take(r.u32())
		}
		if r.err != nil {
			t.Fatalf("the rewritten module is cut wrongly: %v", r.err)
		}
	})
}

// section makes a section.
func sec(id byte, body ...byte) []byte { return append([]byte{id, byte(len(body))}, body...) }

// build makes a module of sections.
func build(sections ...[]byte) []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		b = append(b, s...)
	}
	return b
}

// TestParseRefuses names, for each rule, a module that breaks only it.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	voidType := sec(secType, 1, 0x60, 0, 0)
	oneFunc := sec(secFunction, 1, 0)
	code := func(body ...byte) []byte {
		b := append([]byte{0}, body...)
		return sec(secCode, append([]byte{1, byte(len(b))}, b...)...)
	}
	oneMemory := sec(secMemory, 1, 0, 1)
	small := DefaultLimits()
	small.ModuleBytes, small.Functions, small.Globals, small.Exports = 200, 2, 1, 2
	small.DataSegments, small.Types, small.FunctionBytes, small.Locals = 1, 2, 20, 3
	for name, c := range map[string]struct {
		module []byte
		kind   Kind
		text   string
	}{
		"empty":                  {nil, Malformed, "not a WebAssembly module"},
		"component":              {[]byte("\x00asm\x0d\x00\x01\x00"), Malformed, "version 1"},
		"unknown section":        {build(sec(13)), Malformed, "unknown section 13"},
		"order":                  {build(oneMemory, voidType), Malformed, "out of order"},
		"twice":                  {build(voidType, voidType), Malformed, "repeated"},
		"cut":                    {build([]byte{1, 100, 1}), Malformed, "unexpected end"},
		"long number":            {build([]byte{1, 0x81, 0x80, 0x80, 0x80, 0x80, 0}), Malformed, "malformed number"},
		"stray bits":             {build([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f}), Malformed, "malformed number"},
		"trailing bytes":         {build(sec(secType, 0, 7)), Malformed, "trailing"},
		"memory import":          {build(sec(secImport, 1, 1, 'e', 1, 'm', 2, 0, 1)), Malformed, "a memory is imported"},
		"table import":           {build(sec(secImport, 1, 1, 'e', 1, 't', 1, 0x70, 0, 1)), Malformed, "a table is imported"},
		"global import":          {build(sec(secImport, 1, 1, 'e', 1, 'g', 3, 0x7f, 0)), Malformed, "a global is imported"},
		"name not UTF-8":         {build(sec(secImport, 1, 1, 0xff, 1, 'm', 0, 0)), Malformed, "UTF-8"},
		"shared memory":          {build(sec(secMemory, 1, 3, 1, 1)), Malformed, "shared"},
		"memory64":               {build(sec(secMemory, 1, 4, 1)), Malformed, "shared or 64-bit"},
		"two memories":           {build(sec(secMemory, 2, 0, 1, 0, 1)), OverLimit, "memories: 2"},
		"memory over the limit":  {build(sec(secMemory, 1, 0, 0x81, 8)), OverLimit, "pages of memory"},
		"table over the limit":   {build(sec(secTable, 1, 0x70, 0, 0x81, 0x80, 8)), OverLimit, "elements of a table"},
		"maximum below minimum":  {build(sec(secMemory, 1, 1, 2, 1)), Malformed, "below"},
		"body missing":           {build(voidType, oneFunc), Malformed, "1 functions have 0 bodies"},
		"unknown type":           {build(sec(secFunction, 1, 0)), Malformed, "unknown type"},
		"start with parameters":  {build(sec(secType, 1, 0x60, 1, 0x7f, 0), oneFunc, sec(secStart, 0), code(0x0b)), Malformed, "start function"},
		"start unknown":          {build(voidType, oneFunc, sec(secStart, 9), code(0x0b)), Malformed, "start function"},
		"export unknown":         {build(sec(secExport, 1, 1, 'x', 3, 0)), Malformed, "does not exist"},
		"export twice":           {build(oneMemory, sec(secExport, 2, 1, 'x', 2, 0, 1, 'x', 2, 0)), Malformed, "twice"},
		"export reserved":        {build(oneMemory, sec(secExport, 1, 5, 'c', 'u', 'l', 'm', ':', 2, 0)), Malformed, "reserved"},
		"stop flag by index":     {build(voidType, oneFunc, code(0x41, 0, 0x24, 0, 0x0b)), Malformed, "unknown global 0"},
		"helper by index":        {build(voidType, oneFunc, code(0x10, 1, 0x0b)), Malformed, "unknown function 1"},
		"helper type by index":   {build(voidType, oneFunc, code(0x41, 0, 0x11, 1, 0, 0x0b)), Malformed, "unknown type 1"},
		"load without memory":    {build(voidType, oneFunc, code(0x41, 0, 0x28, 2, 0, 0x1a, 0x0b)), Malformed, "no memory"},
		"tail call":              {build(voidType, oneFunc, code(0x12, 0, 0x0b)), Malformed, "0x12"},
		"exception":              {build(voidType, oneFunc, code(0x08, 0, 0x0b)), Malformed, "0x8"},
		"atomic":                 {build(voidType, oneFunc, oneMemory, code(0xfe, 3, 0, 0x0b)), Malformed, "0xfe"},
		"end missing":            {build(voidType, oneFunc, code(0x02, 0x40, 0x0b)), Malformed, "unexpected end"},
		"code behind the end":    {build(voidType, oneFunc, code(0x0b, 0x01)), Malformed, "behind its end"},
		"data without memory":    {build(sec(secData, 1, 0, 0x41, 0, 0x0b, 1, 'x')), Malformed, "outside"},
		"data outside":           {build(oneMemory, sec(secData, 1, 0, 0x41, 0xff, 0xff, 3, 0x0b, 2, 'x', 'y')), Malformed, "outside"},
		"global from a global":   {build(sec(secGlobal, 1, 0x7f, 1, 0x23, 0, 0x0b)), Malformed, "constant"},
		"manifest twice":         {build(manifestSection("{}"), manifestSection("{}")), Malformed, "twice"},
		"module over the limit":  {build(manifestSection(strings.Repeat("x", 100)), sec(0, make([]byte, 120)...)), OverLimit, "bytes of the module"},
		"types over the limit":   {build(sec(secType, 3, 0x60, 0, 0, 0x60, 0, 0, 0x60, 0, 0)), OverLimit, "types: 3"},
		"locals over the limit":  {build(voidType, oneFunc, sec(secCode, 1, 4, 1, 9, 0x7f, 0x0b)), OverLimit, "locals"},
		"function too long":      {build(voidType, oneFunc, code(append(make([]byte, 30), 0x0b)...)), OverLimit, "bytes of a function"},
		"globals over the limit": {build(sec(secGlobal, 2, 0x7f, 0, 0x41, 0, 0x0b, 0x7f, 0, 0x41, 0, 0x0b)), OverLimit, "globals: 2"},
	} {
		_, err := Parse(c.module, "culm.manifest", small)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Kind != c.kind || !strings.Contains(e.Error(), c.text) {
			t.Errorf("%s: kind %d, %v; want kind %d with %q", name, e.Kind, err, c.kind, c.text)
		}
	}
}

func manifestSection(content string) []byte {
	return sec(0, append(appendName(nil, "culm.manifest"), content...)...)
}

// TestNumbers: LEB128 numbers come back as they were written, and no number has two
// readings.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, v := range []uint64{0, 1, 63, 64, 127, 128, 1 << 14, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		r := reader{b: appendU(nil, v)}
		if got := r.u32(); uint64(got) != v || r.err != nil || r.pos != len(r.b) {
			t.Errorf("u32 %d came back as %d, %v", v, got, r.err)
		}
	}
	for _, v := range []int64{0, -1, 1, 63, 64, -64, -65, 1<<31 - 1, -1 << 31} {
		r := reader{b: appendS(nil, v)}
		if got := r.s32(); int64(got) != v || r.err != nil {
			t.Errorf("s32 %d came back as %d, %v", v, got, r.err)
		}
	}
	for _, v := range []int64{1<<63 - 1, -1 << 63, 1 << 40, -1 << 40} {
		r := reader{b: appendS(nil, v)}
		if got := int64(r.leb(64, true)); got != v || r.err != nil {
			t.Errorf("s64 %d came back as %d, %v", v, got, r.err)
		}
	}
}

// TestParseReadsAll: what the host needs of a module is all there.
func TestParseReadsAll(t *testing.T) {
	t.Parallel()
	m, err := parse(modules(t)["state.wasm"])
	if err != nil {
		t.Fatal(err)
	}
	if !m.Features.TableWrites || !m.Features.DataDrops || len(m.Globals) != 5 || len(m.Data) != 2 || m.MemoryMin != 2 {
		t.Errorf("read as %+v", m)
	}
	if m.Data[0].Offset != 100 || string(m.Data[0].Bytes) != "init" || m.Data[1].Active {
		t.Errorf("segments %+v", m.Data)
	}
	e, ok := m.Export("execute", KindFunc)
	if ft, known := m.Func(e.Index); !ok || !known || len(ft.Results) != 1 || ft.Results[0] != I32 {
		t.Errorf("export %+v of type %+v", e, ft)
	}
}
