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
	image, ok := d.entries(b[:2*d.page])
	tail, ok2 := d.entries(b[2*d.page:])
	return ok && ok2 && read == 0 && !written(image[0]) && written(image[1]) && written(tail[1])
}

// written reports whether an entry is of a page that holds what was written.
func written(entry uint64) bool {
	return entry&(pagePresent|pageSwapped) != 0 && entry&pageOfFile == 0
}

// entries reads the page map of b, which begins at a page. The result is valid
// until the next call of the same goroutine; false means unknown.
func (d *dirtReader) entries(b []byte) ([]uint64, bool) {
	if d.pagemap == nil || len(b) == 0 {
		return nil, false
	}
	pages := uint64(len(b)) / d.page
	raw := make([]byte, 8*pages)
	at := uint64(uintptr(unsafe.Pointer(&b[0]))) / d.page * 8
	if n, err := d.pagemap.ReadAt(raw, int64(at)); err != nil || n != len(raw) {
		return nil, false
	}
	out := make([]uint64, pages)
	for i := range out {
		out[i] = binary.NativeEndian.Uint64(raw[8*i:])
	}
	return out, true
}

// copyBack copies the pages of b that were written from the image.
func (d *dirtReader) copyBack(b, image []byte) {
	entries, ok := d.entries(b)
	if !ok {
		copy(b, image)
		return
	}
	for i := 0; i < len(entries); i++ {
		from := i
		for i < len(entries) && written(entries[i]) {
			i++
		}
		if i > from {
			copy(b[uint64(from)*d.page:uint64(i)*d.page], image[uint64(from)*d.page:])
		}
	}
}

// zeroMax is the size up to which grown memory is zeroed in place; more is given
// back to the system.
const zeroMax = 1 << 20

// zero makes b[from:to], which lies behind the image, read as zero.
func (d *dirtReader) zero(b []byte, from, to uint64) bool {
	tail := b[from:to]
	if to-from <= zeroMax {
		entries, ok := d.entries(tail)
		for i, e := range entries {
			if written(e) {
				clear(tail[uint64(i)*d.page : uint64(i+1)*d.page])
			}
		}
		if ok {
			return true
		}
	}
	return unix.Madvise(tail, unix.MADV_DONTNEED) == nil
}

// close closes the page map.
func (d *dirtReader) close() error {
	if d.pagemap == nil {
		return nil
	}
	return d.pagemap.Close()
}
