//go:build !linux

package wasm

// mapping holds an image in ordinary memory.
type mapping struct{ bytes []byte }

// newMapping copies data.
func newMapping(data []byte) (mapping, error) { return mapping{append([]byte{}, data...)}, nil }

// close does nothing: the garbage collector frees the image.
func (mapping) close() error { return nil }

// mapBuffer allocates a buffer that holds the image. It takes the whole reserve at
// once, which costs memory where pages are not given lazily.
func (m mapping) mapBuffer(reserve uint64) ([]byte, error) {
	b := make([]byte, max(reserve, 1))
	copy(b, m.bytes)
	return b, nil
}

// unmapBuffer does nothing: the garbage collector frees the buffer.
func unmapBuffer([]byte) error { return nil }

// dirtReader does not know here which pages were written: all count as written.
type dirtReader struct{}

// newDirtReader returns a dirtReader.
func newDirtReader() *dirtReader { return &dirtReader{} }

// restore makes b, of which the first high bytes were in use, hold the image and
// zeros behind it.
func (*dirtReader) restore(b, image []byte, high uint64, _ *[]byte) bool {
	copy(b, image)
	if size := uint64(len(image)); high > size {
		clear(b[size:high])
	}
	return true
}

// close does nothing.
func (*dirtReader) close() error { return nil }
