package secrets

import (
	"encoding/binary"
	"slices"
	"strings"
)

// The bounds of what is looked for as a piece of a secret.
const (
	pieceBytes     = 8
	minPiecedBytes = 16
)

// pieces finds runs of eight bytes and more of a secret: who cannot get it whole may ask
// for one part after the other. Only secrets of sixteen bytes and more are cut up, and runs
// of small letters or of digits alone are let through: they are words and numbers. A nil
// pieces finds nothing.
type pieces struct {
	// hashes says no for nearly every run that is none, at the price of one look.
	hashes [1 << 6]uint64
	runs   []uint64
}

func (p *pieces) add(secret string) {
	if len(secret) < minPiecedBytes {
		return
	}
	p.runs = slices.Grow(p.runs, len(secret)-pieceBytes+1)
	for i := 0; i+pieceBytes <= len(secret); i++ {
		if run := secret[i : i+pieceBytes]; !isPlain(run) {
			n := asNumber(run)
			p.runs = append(p.runs, n)
			h := hashOf(n)
			p.hashes[h>>6] |= 1 << (h & 63)
		}
	}
}

// isPlain reports whether a run may be a word or a number.
func isPlain(run string) bool {
	letters, digits := false, false
	for i := range len(run) {
		switch c := run[i]; {
		case c >= 'a' && c <= 'z':
			letters = true
		case c >= '0' && c <= '9':
			digits = true
		case c == ' ', c == '-', c == '_', c == '.', c == ',', c == ':':
		default:
			return false
		}
	}
	return !letters || !digits
}

func asNumber(run string) uint64 {
	var b [pieceBytes]byte
	copy(b[:], run)
	return binary.LittleEndian.Uint64(b[:])
}

func hashOf(n uint64) uint16 { return uint16(n * 0x9e3779b97f4a7c15 >> 52) }

func (p *pieces) has(run string) bool {
	n := asNumber(run)
	h := hashOf(n)
	return p.hashes[h>>6]&(1<<(h&63)) != 0 && slices.Contains(p.runs, n)
}

// text puts Mask in the place of every piece.
func (p *pieces) text(in string) string {
	if p == nil || len(p.runs) == 0 {
		return in
	}
	var out strings.Builder
	last := 0
	for i := 0; i+pieceBytes <= len(in); {
		if !p.has(in[i : i+pieceBytes]) {
			i++
			continue
		}
		end := i + pieceBytes
		for end < len(in) && p.has(in[end+1-pieceBytes:end+1]) {
			end++
		}
		out.WriteString(in[last:i])
		out.WriteString(Mask)
		last, i = end, end
	}
	if last == 0 {
		return in
	}
	out.WriteString(in[last:])
	return out.String()
}
