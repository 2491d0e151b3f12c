package wasm

import (
	"encoding/binary"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dirtReader tells which pages of a buffer were written, from the kernel's page
// tables (/proc/self/pagemap): in a private mapping of a file a page that was
// written is anonymous, one that was only read still belongs to the file. Where
// that cannot be read, everything counts as written. A kernel that looks for such pages
// itself (PAGEMAP_SCAN, Linux 6.7) is asked for them: it takes half the time.
type dirtReader struct {
	pagemap *os.File
	fd      uintptr // of pagemap
	page    uint64
	scans   bool // the kernel looks itself
}

// Bits of an entry of the page map.
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageOfFile  = 1 << 61
)

// newDirtReader opens the page map and makes sure, on a mapping of its own, that it
// tells the truth here: sandboxes and old kernels show empty entries.
func newDirtReader() *dirtReader {
	d := &dirtReader{page: uint64(os.Getpagesize())}
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return d
	}
	d.pagemap, d.fd, d.scans = f, f.Fd(), true
	if d.probe() {
		return d
	}
	if d.scans = false; !d.probe() {
		d.pagemap = nil
		_ = f.Close() // nothing was written to it
	}
	return d
}

// probe writes to some of four pages, of which two belong to an image, and asks which were written.
func (d *dirtReader) probe() bool {
	m, err := newMapping(make([]byte, 2*d.page))
	if err != nil {
		return false
	}
	defer m.close() //nolint:errcheck // a mapping of two pages
	b, err := m.mapBuffer(4 * d.page)
	if err != nil {
		return false
	}
	defer unmapBuffer(b) //nolint:errcheck // four pages
	var read byte
	for at := uint64(0); at < 4*d.page; at += d.page {
		read |= b[at]
	}
	b[d.page], b[3*d.page] = 1, 1
	var found [4]bool
	var scratch []byte
	ok := d.written(b, 2*d.page, &scratch, func(from, to uint64) {
		for ; from < to; from += d.page {
			found[from/d.page] = true
		}
	})
	// Whether the third page counts, which was read and holds zeros, is the same.
	return ok && read == 0 && !found[0] && found[1] && found[3]
}

// written calls f with ranges of bytes of b, which begins at a page, that hold every page that was written, in
// order; none is on both sides of cut, which is at a page. It reports false when that is unknown.
func (d *dirtReader) written(b []byte, cut uint64, scratch *[]byte, f func(from, to uint64)) bool {
	if d.pagemap == nil || len(b) == 0 {
		return false
	}
	if d.scans {
		return d.scan(b, scratch, func(from, to uint64) {
			if from < cut && to > cut {
				f(from, cut)
				from = cut
			}
			f(from, to)
		})
	}
	e, ok := d.entries(b, scratch)
	if ok {
		d.runs(e, 0, cut, f)
		d.runs(e, cut, uint64(len(b)), f)
	}
	return ok
}

// Of PAGEMAP_SCAN: its request, and the categories of pages that it knows.
const (
	pagemapScan     = 0xc0606610
	scanFile        = 1 << 2
	scanPresent     = 1 << 3
	scanSwapped     = 1 << 4
	scanZero        = 1 << 5 // the kernel's page of zeros, where something was only read
	scanRegions     = 64     // that are asked for at a time
	scanRegionBytes = 24
	// scanBriefBytes is the size up to which looking takes so short a time that Go's scheduler
	// is not told: it would look after the processor every 20 µs from then on.
	scanBriefBytes = 16 << 20
)

// scanOrder is the kernel's struct pm_scan_arg.
type scanOrder struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, mask, anyOf, returned                         uint64
}

// scan has the kernel look for the written pages of b, and calls f with where they are.
func (d *dirtReader) scan(b []byte, scratch *[]byte, f func(from, to uint64)) bool {
	if cap(*scratch) < scanRegions*scanRegionBytes {
		*scratch = make([]byte, scanRegions*scanRegionBytes)
	}
	regions := (*scratch)[:scanRegions*scanRegionBytes]
	base := uint64(uintptr(unsafe.Pointer(&b[0])))
	o := scanOrder{
		size: uint64(unsafe.Sizeof(scanOrder{})), start: base, end: base + uint64(len(b)),
		vec: uint64(uintptr(unsafe.Pointer(&regions[0]))), vecLen: scanRegions,
		inverted: scanFile | scanZero, mask: scanFile | scanZero, anyOf: scanPresent | scanSwapped,
	}
	ioctl := unix.Syscall
	if len(b) <= scanBriefBytes {
		ioctl = unix.RawSyscall
	}
	for o.start < o.end {
		n, _, errno := ioctl(unix.SYS_IOCTL, d.fd, pagemapScan, uintptr(unsafe.Pointer(&o)))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || n > scanRegions || o.walkEnd <= o.start {
			return false
		}
		for i := range n {
			r := regions[i*scanRegionBytes:]
			from, to := binary.NativeEndian.Uint64(r), binary.NativeEndian.Uint64(r[8:])
			if from < base || to < from || to > o.end {
				return false
			}
			f(from-base, to-base)
		}
		o.start = o.walkEnd
	}
	runtime.KeepAlive(regions)
	return true
}

// entries reads the page map of b, which begins at a page, into scratch; false means
// unknown.
func (d *dirtReader) entries(b []byte, scratch *[]byte) (pageEntries, bool) {
	if d.pagemap == nil || len(b) == 0 {
		return nil, false
	}
	n := 8 * int(uint64(len(b))/d.page)
	if cap(*scratch) < n {
		*scratch = make([]byte, n)
	}
	raw := (*scratch)[:n]
	at := uint64(uintptr(unsafe.Pointer(&b[0]))) / d.page * 8
	if got, err := d.pagemap.ReadAt(raw, int64(at)); err != nil || got != n {
		return nil, false
	}
	return raw, true
}

// pageEntries are entries of the page map, eight bytes each.
type pageEntries []byte

// written reports whether page i holds what was written.
func (e pageEntries) written(i int) bool {
	entry := binary.NativeEndian.Uint64(e[8*i:])
	return entry&(pagePresent|pageSwapped) != 0 && entry&pageOfFile == 0
}

// runs calls f with every maximal range of bytes in [from, to) whose pages were
// written; e begins at byte 0, from and to are at pages.
func (d *dirtReader) runs(e pageEntries, from, to uint64, f func(from, to uint64)) {
	for i, end := int(from/d.page), int(to/d.page); i < end; i++ {
		first := i
		for i < end && e.written(i) {
			i++
		}
		if i > first {
			f(uint64(first)*d.page, uint64(i)*d.page)
		}
	}
}

// zeroMax is the size up to which grown memory is zeroed in place; more is given
// back to the system.
const zeroMax = 1 << 20

// restore makes b, of which the first high bytes were in use, hold the image and
// zeros behind it. It reports false when that failed.
func (d *dirtReader) restore(b, image []byte, high uint64, scratch *[]byte) bool {
	size := uint64(len(image))
	end := size
	if high > size && high-size <= zeroMax {
		end = high
	}
	ok := d.written(b[:end], size, scratch, func(from, to uint64) {
		if from < size {
			copy(b[from:to], image[from:to])
		} else {
			clear(b[from:to])
		}
	})
	if !ok {
		copy(b, image)
		end = size
	}
	return high <= end || unix.Madvise(b[end:high], unix.MADV_DONTNEED) == nil
}

// close closes the page map.
func (d *dirtReader) close() error {
	if d.pagemap == nil {
		return nil
	}
	return d.pagemap.Close()
}
