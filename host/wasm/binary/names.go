package binary

import "strings"

// functionNames reads the function names of the name section. It returns nil for
// a module without one, and what it understood of a malformed one: names are a
// help, nothing that is checked depends on their being there.
func (m *Module) functionNames() map[uint32]string {
	r := reader{b: m.names}
	for r.more() {
		id := r.byte()
		body := r.take(r.u32())
		if id != 1 || r.err != nil {
			continue
		}
		s := reader{b: body}
		n := s.count("function names", uint32(len(body)))
		names := make(map[uint32]string, n)
		for range n {
			i, name := s.u32(), s.name()
			if s.err != nil {
				return names
			}
			names[i] = name
		}
		return names
	}
	return nil
}

// goRand is the function of Go's runtime that everything random in a Go program
// comes from, but for what is read from the system.
const goRand = "runtime.rand"

// goDrawsFor reports whether a function that calls goRand does so on behalf of the
// program, by its name as Go's linker writes it into a module. The compiler inserts
// calls of goRand wherever a map is made, so that the packages which hand out random
// values are named here instead. A program that reaches past them to the runtime
// (go:linkname) during its initialisation has to say so in its manifest.
func goDrawsFor(name string) bool {
	for _, prefix := range []string{"math_rand.", "math_rand_v2.", "os.", "net.", "runtime.legacy_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// goDraws returns the functions that draw from Go's random source on behalf of
// the program (math/rand, os.CreateTemp and so on), and whether the
// module is a Go program whose source could be found by name.
func (m *Module) goDraws() (drawers map[int]bool, found bool) {
	names := m.functionNames()
	source := uint32(0)
	for i, n := range names {
		if n == goRand {
			source, found = i, true
		}
	}
	if !found {
		return nil, false
	}
	imports := uint32(len(m.Imports))
	drawers = map[int]bool{}
	for i, c := range m.codes {
		w := walker{reader: reader{b: c.bytes, base: c.at}, m: m, locals: ^uint32(0)}
		w.callees = func(f uint32) {
			if f == source && goDrawsFor(names[uint32(i)+imports]) {
				drawers[i] = true
			}
		}
		w.walk()
	}
	return drawers, true
}
