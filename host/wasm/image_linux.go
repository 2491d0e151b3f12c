package wasm

import (
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
