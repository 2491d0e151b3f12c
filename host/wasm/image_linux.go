package wasm

import (
	"encoding/binary"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapping holds an image in an anonymous file, which is what makes it possible to
// map it copy-on-write.
type mapping struct {
	file  *os.File
	bytes []byte // read-only
}

// newMapping copies data, which is whole pages of linear memory, into a mapping.
func newMapping(data []byte) (mapping, error) {
	if len(data) == 0 {
		return mapping{}, nil
	}
	fd, err := unix.MemfdCreate("culm-image", unix.MFD_CLOEXEC)
	if err != nil {
		return mapping{}, fmt.Errorf("make a memory image: %w", err)
	}
	f := os.NewFile(uintptr(fd), "culm-image")
	if _, err := f.Write(data); err != nil {
		return mapping{}, fmt.Errorf("write a memory image: %w", joinClose(err, f))
	}
	b, err := unix.Mmap(fd, 0, len(data), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return mapping{}, fmt.Errorf("map a memory image: %w", joinClose(err, f))
	}
	return mapping{file: f, bytes: b}, nil
}

// joinClose closes f on the way out with err.
func joinClose(err error, f *os.File) error {
	if cerr := f.Close(); cerr != nil {
		return fmt.Errorf("%w; close: %w", err, cerr)
	}
	return err
}

// close frees the image. Buffers that were mapped from it stay valid.
func (m mapping) close() error {
	if m.file == nil {
		return nil
	}
	if err := unix.Munmap(m.bytes); err != nil {
		return fmt.Errorf("unmap a memory image: %w", err)
	}
	return m.file.Close()
}

// mapBuffer reserves address space and maps the image over its front.
func (m mapping) mapBuffer(reserve uint64) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, int(max(reserve, 1)), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve memory: %w", err)
	}
	// Huge pages would make every grown byte cost two megabytes of zeroing. The
	// advice is not needed for anything else, and not every kernel takes it.
	_ = unix.Madvise(b, unix.MADV_NOHUGEPAGE)
	if len(m.bytes) == 0 {
		return b, nil
	}
	_, err = unix.MmapPtr(int(m.file.Fd()), 0, unsafe.Pointer(&b[0]), uintptr(len(m.bytes)),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	if err != nil {
		if uerr := unix.Munmap(b); uerr != nil {
			return nil, fmt.Errorf("map a memory image: %w; unmap: %w", err, uerr)
		}
		return nil, fmt.Errorf("map a memory image: %w", err)
	}
	return b, nil
}

// unmapBuffer gives a buffer's address space back. The front is another mapping
// than the rest, so that Munmap of package unix does not know it as a whole.
func unmapBuffer(b []byte) error {
	if err := unix.Munmap(b); err != nil {
		return fmt.Errorf("unmap memory: %w", err)
	}
	return nil
}

// dirtReader tells which pages of a buffer were written, from the kernel's page
// tables (/proc/self/pagemap): in a private mapping of a file a page that was
// written is anonymous, one that was only read still belongs to the file. Where
// that cannot be read, everything counts as written.
type dirtReader struct {
	pagemap *os.File
	page    uint64
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
	d.pagemap = f
	if !d.probe() {
		d.pagemap = nil
		_ = f.Close() // nothing was written to it
	}
	return d
}

// probe writes to one of two pages and asks which was written.
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
	var scratch []byte
	e, ok := d.entries(b, &scratch)
	return ok && read == 0 && !e.written(0) && e.written(1) && e.written(3)
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
	e, ok := d.entries(b[:end], scratch)
	if !ok {
		copy(b, image)
		end = size
	} else {
		d.runs(e, 0, size, func(from, to uint64) { copy(b[from:to], image[from:to]) })
		d.runs(e, size, end, func(from, to uint64) { clear(b[from:to]) })
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
