package wasm

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Whichever way the kernel tells which pages were written, a buffer is restored whole: pages of the image, pages behind it, more
// of them than are asked for at a time, and none.
func TestRestoreFindsEveryWrittenPage(t *testing.T) {
	t.Parallel()
	best := newDirtReader()
	t.Cleanup(func() { _ = best.close() })
	read, blind := *best, *best
	read.scans, blind.pagemap = false, nil
	for name, d := range map[string]*dirtReader{"scan": best, "page map": &read, "unknown": &blind} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "unknown" && d.pagemap == nil || name == "scan" && !d.scans {
				t.Skip("this kernel does not tell in this way which pages were written")
			}
			r := rand.New(rand.NewPCG(1, 2))
			const pages, reserve = 400, 500
			size := pages * d.page
			image := make([]byte, size)
			for i := range image {
				image[i] = byte(r.Uint32())
			}
			m, err := newMapping(image)
			if err != nil {
				t.Fatal(err)
			}
			defer m.close()
			b, err := m.mapBuffer(reserve * d.page)
			if err != nil {
				t.Fatal(err)
			}
			defer unmapBuffer(b)
			want := append(bytes.Clone(image), make([]byte, reserve*d.page-size)...)
			var scratch []byte
			for round, every := range []int{1, 2, 7, 1000, 3} {
				high := size + uint64(round)*20*d.page
				for at := uint64(0); at < high; at += d.page {
					if r.IntN(every) == 0 {
						b[at+uint64(r.IntN(int(d.page)))] ^= 0xff
					} else if r.IntN(3) == 0 {
						scratch = append(scratch[:0], b[at])
					}
				}
				if !d.restore(b, m.bytes, high, &scratch) {
					t.Fatal("it was not restored")
				}
				if !bytes.Equal(b, want) {
					t.Fatalf("round %d: something is left", round)
				}
			}
		})
	}
}
