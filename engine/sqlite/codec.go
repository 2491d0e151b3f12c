package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/culmhq/culm/engine"
)

// sizeBytes is the length of a record, before it in a piece: big-endian.
const sizeBytes = 4

// appendChunk appends records to a piece: each in the core's JSON form, with its length
// before it.
func appendChunk(dst []byte, rs []engine.Record) []byte {
	for i := range rs {
		begin := len(dst)
		dst = engine.AppendRecord(append(dst, 0, 0, 0, 0), rs[i])
		binary.BigEndian.PutUint32(dst[begin:], uint32(len(dst)-begin-sizeBytes))
	}
	return dst
}

// eachRecord decodes a piece until more says no.
func eachRecord(data []byte, more func(engine.Record) bool) error {
	for len(data) > 0 {
		if len(data) < sizeBytes || uint64(binary.BigEndian.Uint32(data)) > uint64(len(data)-sizeBytes) {
			return fmt.Errorf("%w: a piece of records is cut off", ErrDamaged)
		}
		end := sizeBytes + int(binary.BigEndian.Uint32(data))
		r, err := engine.DecodeRecord(data[sizeBytes:end])
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
		data = data[end:]
	}
	return nil
}
