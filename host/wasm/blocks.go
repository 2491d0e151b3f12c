package wasm

import (
	"encoding/binary"

	"github.com/culmhq/culm/pdk/contract"
)

// blocks are the Extism memory blocks of one call: an area outside the guest's own
// memory in which guest and host hand each other byte strings. A block is named by
// its offset in the area; 0 is no block.
type blocks struct {
	area  []byte // grows; bytes behind top are zero
	top   uint64
	sizes map[uint64]uint64
	freed []freed
}

// freed is room of a block that was given back.
type freed struct{ offset, room uint64 }

// blockAlign is the alignment of blocks; firstBlock keeps offset 0 free.
const (
	blockAlign = 8
	firstBlock = 16
	freedMax   = 64
	// spareBytes is the room behind the first block: most calls make one small block for their output.
	spareBytes = 512
)

// alloc makes a zeroed block of n bytes. When the limit is reached it ends the
// call: Extism's Go library does not check for a failed allocation and would write
// to offset 0.
func (v *invocation) alloc(n uint64) uint64 {
	b := &v.blocks
	v.touch.blocks = true
	limit := uint64(v.limits.BlockBytes)
	if n > limit {
		v.abort(failure(contract.OriginLimit, CodeResource,
			"the plugin asked for a memory block of %d bytes, the limit is %d", n, limit))
	}
	room := max((n+blockAlign-1)&^(blockAlign-1), blockAlign)
	if b.sizes == nil {
		b.sizes, b.top = map[uint64]uint64{}, firstBlock
	}
	if offset, ok := b.reuse(room); ok {
		b.sizes[offset] = n
		return offset
	}
	end := b.top + room
	if end > limit {
		v.abort(failure(contract.OriginLimit, CodeResource,
			"the plugin used more than %d bytes of memory blocks", limit))
	}
	if end > uint64(len(b.area)) {
		area := make([]byte, min(max(2*uint64(len(b.area)), end+spareBytes), limit))
		copy(area, b.area)
		b.area = area
	}
	offset := b.top
	b.top = end
	b.sizes[offset] = n
	return offset
}

// reuse takes the first freed room that is large enough, but not wastefully so.
func (b *blocks) reuse(room uint64) (uint64, bool) {
	for i, f := range b.freed {
		if f.room >= room && f.room <= 2*room+1024 {
			b.freed = append(b.freed[:i], b.freed[i+1:]...)
			clear(b.area[f.offset : f.offset+f.room])
			return f.offset, true
		}
	}
	return 0, false
}

// free gives a block back. An unknown offset is ignored, as Extism does.
func (b *blocks) free(offset uint64) {
	n, ok := b.sizes[offset]
	if !ok {
		return
	}
	delete(b.sizes, offset)
	room := max((n+blockAlign-1)&^(blockAlign-1), blockAlign)
	if offset+room == b.top {
		clear(b.area[offset:b.top])
		b.top = offset
		return
	}
	if len(b.freed) < freedMax {
		b.freed = append(b.freed, freed{offset, room})
	}
}

// span returns the area [offset, offset+n), which must lie within what was
// allocated.
func (b *blocks) span(offset, n uint64) ([]byte, bool) {
	if offset < firstBlock || offset > b.top || n > b.top-offset {
		return nil, false
	}
	return b.area[offset : offset+n : offset+n], true
}

// put makes a block that holds data.
func (v *invocation) put(data []byte) uint64 {
	offset := v.alloc(uint64(len(data)))
	copy(v.blocks.area[offset:], data)
	return offset
}

// block returns the contents of a block that the guest named, or ends the call.
func (v *invocation) block(what string, offset uint64) []byte {
	n, ok := v.blocks.sizes[offset]
	if !ok {
		v.misuse("%s: there is no memory block at %d", what, offset)
	}
	v.touch.blocks = true
	return v.blocks.area[offset : offset+n : offset+n]
}

// load64 and store64 are the hot path of the Extism libraries.
func (v *invocation) load64(offset uint64) uint64 {
	b, ok := v.blocks.span(offset, 8)
	if !ok {
		v.misuse("load_u64: %d lies outside the memory blocks", offset)
	}
	return binary.LittleEndian.Uint64(b)
}

func (v *invocation) store64(offset, value uint64) {
	b, ok := v.blocks.span(offset, 8)
	if !ok {
		v.misuse("store_u64: %d lies outside the memory blocks", offset)
	}
	binary.LittleEndian.PutUint64(b, value)
}
