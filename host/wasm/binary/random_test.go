package binary

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// maker makes valid modules at random: functions of nested blocks, loops and branches
// of all kinds, calls, memory and globals. Every loop and every function spends fuel,
// so that all of them end.
type maker struct {
	r      *rand.Rand
	types  []FuncType
	funcs  []int // type of each
	locals []ValueType
	labels [][]ValueType // what a branch to each open block takes, outermost first
	b      []byte
	depth  int
}

// The types of values and the globals of the modules that a maker makes.
const (
	globalFuel = 0 // i32
	globalI32  = 1
	globalI64  = 2
)

// fuel is what a call may spend.
const fuel = 3000

func valueTypes() []ValueType { return []ValueType{I32, I64, F32, F64} }

// makeModule makes the module of a seed.
func makeModule(seed uint64) []byte {
	k := &maker{r: rand.New(rand.NewPCG(seed, 7))}
	for range 2 + k.r.IntN(4) {
		var t FuncType
		for range k.r.IntN(4) {
			t.Params = append(t.Params, k.valueType())
		}
		for range k.r.IntN(3) {
			t.Results = append(t.Results, k.valueType())
		}
		k.types = append(k.types, t)
	}
	for range 2 + k.r.IntN(5) {
		k.funcs = append(k.funcs, k.r.IntN(len(k.types)))
	}
	var code [][]byte
	for _, t := range k.funcs {
		code = append(code, k.function(k.types[t]))
	}
	return k.module(code)
}

func (k *maker) valueType() ValueType { return valueTypes()[k.r.IntN(4)] }

// module writes the sections.
func (k *maker) module(code [][]byte) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	put := func(id byte, n int, body []byte) {
		body = append(appendU(nil, uint64(n)), body...)
		out = append(appendU(append(out, id), uint64(len(body))), body...)
	}
	var types, funcs, exports, elems, bodies []byte
	for _, t := range k.types {
		types = append(types, 0x60)
		for _, list := range [][]ValueType{t.Params, t.Results} {
			types = appendU(types, uint64(len(list)))
			for _, v := range list {
				types = append(types, byte(v))
			}
		}
	}
	for i, t := range k.funcs {
		funcs = appendU(funcs, uint64(t))
		exports = appendU(append(appendName(exports, "f"+string(rune('a'+i))), KindFunc), uint64(i))
		elems = appendU(elems, uint64(i))
		bodies = append(appendU(bodies, uint64(len(code[i]))), code[i]...)
	}
	for i, name := range []string{"fuel", "g32", "g64"} {
		exports = append(appendName(exports, name), KindGlobal, byte(i))
	}
	n := len(k.funcs)
	put(secType, len(k.types), types)
	put(secFunction, n, funcs)
	put(secTable, 1, appendU([]byte{byte(FuncRef), 0}, uint64(n+2)))
	put(secMemory, 1, []byte{1, 1, 4})
	put(secGlobal, 3, append(append([]byte{byte(I32), 1, 0x41}, appendS(nil, fuel)...), 0x0b, byte(I32), 1, 0x41, 7, 0x0b, byte(I64), 1, 0x42, 9, 0x0b))
	put(secExport, n+3, exports)
	put(secElement, 1, append(appendU([]byte{0, 0x41, 0, 0x0b}, uint64(n)), elems...))
	put(secCode, n, bodies)
	put(secData, 1, append([]byte{0, 0x41, 16, 0x0b, 5}, "hello"...))
	return out
}

// function writes a body.
func (k *maker) function(t FuncType) []byte {
	k.b, k.depth = nil, 0
	k.locals = append([]ValueType{}, t.Params...)
	var decl []byte
	n := k.r.IntN(4)
	for range n {
		v := k.valueType()
		k.locals = append(k.locals, v)
		decl = append(decl, 1, byte(v))
	}
	k.labels = [][]ValueType{t.Results}
	k.spend()
	k.list(t.Results)
	return append(append(append(appendU(nil, uint64(n)), decl...), k.b...), 0x0b)
}

// spend takes fuel and returns from the function when there is none.
func (k *maker) spend() {
	k.op(0x23, globalFuel, 0x41, 1, 0x6b, 0x24, globalFuel, 0x23, globalFuel, 0x41, 0, 0x4c, 0x04, 0x40)
	for _, v := range k.labels[0] {
		k.constant(v)
	}
	k.op(0x0f, 0x0b)
}

func (k *maker) op(b ...byte) { k.b = append(k.b, b...) }

// list writes statements and then values of the given types.
func (k *maker) list(want []ValueType) {
	for range k.r.IntN(4) {
		k.statement()
	}
	for _, v := range want {
		k.value(v)
	}
}

func (k *maker) constant(v ValueType) {
	switch v {
	case I32:
		k.b = appendS(append(k.b, 0x41), int64(int32(k.r.Uint32()))>>k.r.IntN(32))
	case I64:
		k.b = appendS(append(k.b, 0x42), int64(k.r.Uint64())>>k.r.IntN(64))
	case F32:
		k.op(0x43, 0, 0, byte(k.r.IntN(256)), 0x3f)
	default:
		k.op(0x44, 0, 0, 0, 0, 0, 0, byte(k.r.IntN(256)), 0x3f)
	}
}

// address leaves an address, now and then one outside the memory.
func (k *maker) address() {
	k.value(I32)
	if k.r.IntN(40) > 0 {
		k.b = append(appendS(append(k.b, 0x41), 0x7fff), 0x71) // i32.and
	}
}

// value writes instructions that leave a value.
func (k *maker) value(v ValueType) {
	k.depth++
	defer func() { k.depth-- }()
	choice := k.r.IntN(12)
	if k.depth > 6 || len(k.b) > 3000 {
		choice = k.r.IntN(2)
	}
	switch choice {
	case 0:
		k.constant(v)
	case 1:
		k.variable(v)
	case 2, 3:
		k.value(v)
		k.value(v)
		k.op(map[ValueType][]byte{
			I32: {0x6a, 0x6b, 0x6c, 0x71, 0x73, 0x74, 0x6d, 0x70}, I64: {0x7c, 0x7d, 0x7e, 0x83, 0x85, 0x86, 0x7f, 0x82},
			F32: {0x92, 0x93, 0x94, 0x96, 0x97, 0x92, 0x93, 0x94}, F64: {0xa0, 0xa1, 0xa2, 0xa4, 0xa5, 0xa0, 0xa1, 0xa2},
		}[v][k.r.IntN(8)])
	case 4:
		k.address()
		k.op(map[ValueType]byte{I32: 0x28, I64: 0x29, F32: 0x2a, F64: 0x2b}[v], 0, byte(k.r.IntN(64)))
	case 5:
		k.block(0x02, []ValueType{v})
	case 6:
		k.block(0x03, []ValueType{v})
	case 7:
		k.value(I32)
		k.block(0x04, []ValueType{v})
	case 8:
		k.value(v)
		k.value(v)
		k.value(I32)
		k.op(0x1b) // select
	case 9:
		k.convert(v)
	case 10:
		k.call(v)
	default:
		k.leave(v)
	}
}

// variable reads a local or a global.
func (k *maker) variable(v ValueType) {
	for i, l := range k.locals {
		if l == v && k.r.IntN(2) == 0 {
			k.op(0x20, byte(i))
			return
		}
	}
	switch v {
	case I32:
		k.op(0x23, globalI32)
	case I64:
		k.op(0x23, globalI64)
	default:
		k.constant(v)
	}
}

func (k *maker) convert(v ValueType) {
	switch v {
	case I32:
		k.value(I64)
		k.op(0xa7) // i32.wrap_i64
	case I64:
		k.value(I32)
		k.op(0xac) // i64.extend_i32_s
	case F32:
		k.value(I32)
		k.op(0xb2) // f32.convert_i32_s
	default:
		k.value(I64)
		k.op(0xb9) // f64.convert_i64_s
	}
}

// call calls a function, directly or by the table, and leaves a value.
func (k *maker) call(v ValueType) {
	i := k.r.IntN(len(k.funcs))
	t := k.types[k.funcs[i]]
	for _, p := range t.Params {
		k.value(p)
	}
	if k.r.IntN(3) == 0 {
		k.b = appendS(append(k.b, 0x41), int64(i+k.r.IntN(12)/11)) // sometimes another type, or nothing
		k.op(0x11, byte(k.funcs[i]), 0)
	} else {
		k.op(0x10, byte(i))
	}
	for range t.Results {
		k.op(0x1a)
	}
	k.constant(v)
}

// block writes a block, loop or if that leaves values.
func (k *maker) block(op byte, results []ValueType) {
	var kind byte = 0x40
	if len(results) > 0 {
		kind = byte(results[0])
	}
	if op == 0x03 {
		if i, ok := k.loopType(results); ok && k.r.IntN(3) == 0 {
			k.loopWithParams(i)
			return
		}
		k.labels = append(k.labels, nil)
		k.op(op, kind)
		k.spend()
		k.list(nil)
		if k.r.IntN(2) == 0 {
			k.value(I32)
			k.op(0x0d, 0) // br_if to the header
		}
	} else {
		k.labels = append(k.labels, results)
		k.op(op, kind)
	}
	k.list(results)
	if op == 0x04 && (len(results) > 0 || k.r.IntN(2) == 0) {
		k.op(0x05)
		k.list(results)
	}
	k.labels = k.labels[:len(k.labels)-1]
	k.op(0x0b)
}

// loopType finds a type with parameters and just these results.
func (k *maker) loopType(results []ValueType) (int, bool) {
	for i, t := range k.types {
		if len(t.Params) > 0 && len(t.Results) == len(results) && (len(results) == 0 || t.Results[0] == results[0]) {
			return i, true
		}
	}
	return 0, false
}

// loopWithParams writes a loop that takes its type's parameters from the stack, as do
// branches to it.
func (k *maker) loopWithParams(i int) {
	t := k.types[i]
	for _, p := range t.Params {
		k.value(p)
	}
	k.labels = append(k.labels, t.Params)
	k.op(0x03, byte(i))
	k.spend()
	for range t.Params {
		k.op(0x1a)
	}
	k.list(nil)
	if k.r.IntN(2) == 0 {
		for _, p := range t.Params {
			k.value(p)
		}
		k.value(I32)
		k.op(0x0d, 0)
		for range t.Params {
			k.op(0x1a)
		}
	}
	k.list(t.Results)
	k.labels = k.labels[:len(k.labels)-1]
	k.op(0x0b)
}

// leave writes a branch out of a block, a table of branches or a return: what follows
// is unreachable, so that any value counts as left.
func (k *maker) leave(v ValueType) {
	n := len(k.labels)
	to := k.r.IntN(n)
	// A branch that is always taken back to a loop ends when the fuel does.
	for _, w := range k.labels[to] {
		k.value(w)
	}
	label := byte(n - 1 - to)
	switch k.r.IntN(3) {
	case 0: // taken or not
		k.value(I32)
		k.op(0x0d, label)
		for range k.labels[to] {
			k.op(0x1a)
		}
		k.constant(v)
	case 1:
		var targets []byte
		for i, l := range k.labels {
			if sameValues(l, k.labels[to]) {
				targets = append(targets, byte(n-1-i))
			}
		}
		k.value(I32)
		k.op(0x0e, byte(len(targets)))
		k.op(append(targets, label)...)
	default:
		k.op(0x0c, label)
	}
}

func sameValues(a, b []ValueType) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// statement writes instructions that leave nothing.
func (k *maker) statement() {
	k.depth++
	defer func() { k.depth-- }()
	choice := k.r.IntN(10)
	if k.depth > 5 || len(k.b) > 3000 {
		choice = k.r.IntN(2)
	}
	switch choice {
	case 0:
		k.value(I32)
		k.op(0x24, globalI32)
	case 1:
		k.value(I64)
		k.op(0x24, globalI64)
	case 2:
		if len(k.locals) > 0 {
			i := k.r.IntN(len(k.locals))
			k.value(k.locals[i])
			k.op(0x21, byte(i))
		}
	case 3:
		v := k.valueType()
		k.address()
		k.value(v)
		k.op(map[ValueType]byte{I32: 0x36, I64: 0x37, F32: 0x38, F64: 0x39}[v], 0, byte(k.r.IntN(64)))
	case 4:
		k.block(0x02, nil)
	case 5:
		k.block(0x03, nil)
	case 6:
		k.value(I32)
		k.block(0x04, nil)
	case 7: // fill and copy
		k.address()
		k.address()
		k.b = appendS(append(k.b, 0x41), int64(k.r.IntN(5000)))
		if k.r.IntN(2) == 0 {
			k.op(0xfc, 11, 0)
		} else {
			k.op(0xfc, 10, 0, 0)
		}
	case 8:
		k.dispatch()
	default:
		k.op(0x41, 1, 0x40, 0, 0x1a) // memory.grow
	}
}

// agreeOnRandom compares the twins of a random module.
func agreeOnRandom(t *testing.T, seed uint64) (ran bool) {
	t.Helper()
	tw, err := newTwins(t.Context(), makeModule(seed))
	defer tw.close(t.Context())
	if err != nil {
		if strings.Contains(err.Error(), "invalid function") || strings.Contains(err.Error(), "the rewritten module is not") {
			t.Fatalf("seed %d: %v", seed, err)
		}
		return false
	}
	r := rand.New(rand.NewPCG(seed, 8))
	for _, name := range sortedKeys(tw.insts[0].ExportedFunctionDefinitions()) {
		args := make([]uint64, len(tw.insts[0].ExportedFunctionDefinitions()[name].ParamTypes()))
		for i, p := range tw.insts[0].ExportedFunctionDefinitions()[name].ParamTypes() {
			args[i] = r.Uint64()
			if p == byte(I32) || p == byte(F32) {
				args[i] &= 0xffffffff
			}
		}
		for _, inst := range tw.insts {
			inst.ExportedGlobal("fuel").(api.MutableGlobal).Set(fuel)
		}
		tw.agree(t.Context(), t, name, args)
	}
	return true
}

// Modules made at random do the same after the rewrite.
func TestRandomModulesAgree(t *testing.T) {
	t.Parallel()
	n := 400
	if testing.Short() || raceDetector {
		n = 40
	}
	ran := 0
	for seed := range uint64(n) {
		if agreeOnRandom(t, seed) {
			ran++
		}
	}
	if ran < n*9/10 {
		t.Errorf("only %d of %d modules are valid", ran, n)
	}
}

// FuzzRewriteAgrees does so for the seeds that the fuzzer comes upon.
func FuzzRewriteAgrees(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { agreeOnRandom(t, seed) })
}
