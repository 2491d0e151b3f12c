package wasm

import (
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

// pageBytes is the size of a page of linear memory.
const pageBytes = 64 << 10

// image is the content that linear memory has at the beginning of each call. It is
// mapped copy-on-write into buffers, so that its bytes exist once however many
// buffers there are.
type image struct {
	mapping mapping
	size    uint64 // whole pages of linear memory
	// random are the ranges that are filled with fresh random bytes for each call.
	random []span
}

// buffers hands out linear memories that hold the image, and takes them back. A
// buffer that comes back is restored: everything written is overwritten with the
// image or with zeros before it can be handed out again.
type buffers struct {
	image *image
	// reserve is the address space of a buffer: the limit of the module's memory.
	reserve uint64
	keep    int
	dirt    *dirtReader

	mu     sync.Mutex
	free   []*buffer
	closed bool
}

// buffer is the linear memory of one instance.
type buffer struct {
	base []byte // reserve bytes of address space
	// size is the current length, high the greatest so far.
	size, high uint64
	limit      uint64
	// starved is set when the guest was refused memory.
	starved bool
	// shrinkTo is the size that the next growth sets instead, if it is not zero.
	shrinkTo uint64
	scratch  []byte
}

// take returns a buffer that holds the image, for at most limit bytes.
func (p *buffers) take(limit uint64) (*buffer, error) {
	p.mu.Lock()
	var b *buffer
	if n := len(p.free); n > 0 {
		b = p.free[n-1]
		p.free = p.free[:n-1]
	}
	p.mu.Unlock()
	if b == nil {
		base, err := p.image.mapping.mapBuffer(p.reserve)
		if err != nil {
			return nil, err
		}
		b = &buffer{base: base}
	}
	b.limit = min(limit, p.reserve)
	return b, nil
}

// give takes back a buffer whose instance is closed.
func (p *buffers) give(b *buffer) error {
	b.size = 0
	ok := p.restore(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if ok && !p.closed && len(p.free) < p.keep {
		p.free = append(p.free, b)
		return nil
	}
	return unmapBuffer(b.base)
}

// close frees the buffers that are not in use and lets the others be freed when
// they come back.
func (p *buffers) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var first error
	for _, b := range p.free {
		if err := unmapBuffer(b.base); err != nil && first == nil {
			first = err
		}
	}
	p.free = nil
	return first
}

// restore puts a buffer back into the state of the image. It reports false when
// that failed and the buffer must not be used again.
func (p *buffers) restore(b *buffer) bool {
	ok := p.dirt.restore(b.base, p.image.mapping.bytes, b.high, &b.scratch)
	b.high, b.starved = b.size, false
	return ok
}

// Allocate implements experimental.MemoryAllocator: the instance that is being made
// gets this buffer.
func (b *buffer) Allocate(_, _ uint64) experimental.LinearMemory { return b }

// Reallocate implements experimental.LinearMemory. Beyond the limit the guest's
// memory.grow yields -1.
func (b *buffer) Reallocate(size uint64) []byte {
	if b.shrinkTo > 0 {
		b.size = b.shrinkTo
		return b.base[:b.size:b.size]
	}
	if size > b.limit {
		b.starved = true
		return nil
	}
	b.size = size
	b.high = max(b.high, size)
	return b.base[:size:size]
}

// Free implements experimental.LinearMemory. The buffer goes back by hand, when
// nothing refers to it any more.
func (b *buffer) Free() {}
