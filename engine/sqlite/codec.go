package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/culmhq/culm/engine"
)

// appendChunk appends records to a piece: each in the core's JSON form, with its length
// before it. one is room to work in, and is returned for the next call.
func appendChunk(dst, one []byte, rs []engine.Record) (chunk, room []byte) {
	for i := range rs {
		one = engine.AppendRecord(one[:0], rs[i])
		dst = binary.AppendUvarint(dst, uint64(len(one)))
		dst = append(dst, one...)
	}
	return dst, one
}

// eachRecord decodes a piece until more says no.
func eachRecord(data []byte, more func(engine.Record) bool) error {
	for len(data) > 0 {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return fmt.Errorf("%w: a piece of records is cut off", ErrDamaged)
		}
		r, err := engine.DecodeRecord(data[n : n+int(size)])
		var newer *engine.FormatError
		switch {
		case errors.As(err, &newer):
			return fmt.Errorf("%w: %w", ErrNewer, err)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if !more(r) {
			return nil
		}
		data = data[n+int(size):]
	}
	return nil
}
