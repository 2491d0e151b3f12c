package binary

import "unicode/utf8"

// reader reads from a part of a module. The first error sticks: every later read
// returns zero values, so that callers check err once per entry.
type reader struct {
	b    []byte
	pos  int
	base int // offset of b in the module, for messages
	err  *Error
}

// fail records the first error.
func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = malformed(r.base+r.pos, format, args...)
		r.pos = len(r.b)
	}
}

// more reports whether bytes are left and nothing failed.
func (r *reader) more() bool { return r.err == nil && r.pos < len(r.b) }

// byte reads one byte.
func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail("unexpected end")
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	return uint32(r.leb(32, false))
}

// skipSigned reads over a signed LEB128 number of at most bits bits.
func (r *reader) skipSigned(bits uint) {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return
	}
	r.leb(bits, true)
}

// s32 reads a signed LEB128 number of 32 bits.
func (r *reader) s32() int32 { return int32(r.leb(32, true)) }

// leb reads a LEB128 number and refuses encodings longer than the specification
// allows or with stray bits in the last byte, so that no two readers of the same
// bytes can disagree.
func (r *reader) leb(bits uint, signed bool) uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		c := r.byte()
		if r.err != nil {
			return 0
		}
		v |= uint64(c&0x7f) << shift
		last := shift+7 >= bits
		if last && !lastByteOK(c, bits-shift, signed) {
			r.fail("malformed number")
			return 0
		}
		if c < 0x80 {
			if signed && c&0x40 != 0 && shift+7 < 64 {
				v |= ^uint64(0) << (shift + 7)
			}
			return v
		}
	}
}

// lastByteOK reports whether c may be the final byte of a number of which left
// bits (1 to 7) remain: no continuation, and the unused bits are the extension.
func lastByteOK(c byte, left uint, signed bool) bool {
	if c >= 0x80 {
		return false
	}
	unused := byte(0x7f) &^ (1<<left - 1)
	if !signed {
		return c&unused == 0
	}
	sign := byte(1) << (left - 1)
	if c&sign == 0 {
		return c&unused == 0
	}
	return c&unused == unused
}

// take returns the next n bytes.
func (r *reader) take(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail("unexpected end")
		return nil
	}
	b := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// name reads a name, which must be UTF-8.
func (r *reader) name() string {
	b := r.take(r.u32())
	if r.err == nil && !utf8.Valid(b) {
		r.fail("a name is not UTF-8")
	}
	return string(b)
}

// count reads the length of a vector whose entries take at least one byte each
// and compares it with limit.
func (r *reader) count(what string, limit uint32) uint32 {
	n := r.u32()
	if r.err == nil && n > limit {
		r.err = overLimit(what, uint64(n), uint64(limit))
		return 0
	}
	if r.err == nil && uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail("unexpected end")
		return 0
	}
	return n
}

// appendU appends v in unsigned LEB128.
func appendU(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendS appends v in signed LEB128.
func appendS(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// appendName appends a name with its length.
func appendName(b []byte, s string) []byte {
	return append(appendU(b, uint64(len(s))), s...)
}
