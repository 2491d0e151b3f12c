package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

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

// A piece ends with a seal: boundMark where the length of a record would stand, and the
// checksum of its run's id and of all before it. A disk that gives other bytes than it was
// given is noticed, and so is an index that leads to the piece of another run. Pieces of
// earlier versions have sealMark and a sum without the id, or no seal.
const (
	sealBytes = 8
	boundMark = 0xfffffffe
	sealMark  = 0xffffffff
)

// bound begins the sum of a piece with the run that it belongs to.
func bound(run string) uint32 { return checksum(0, []byte(run)) }

// checksum goes on with a sum over more of a piece.
func checksum(sum uint32, data []byte) uint32 {
	return crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), data)
}

func appendSeal(dst []byte, sum uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(dst, boundMark), sum)
}

// unseal checks the seal of a piece of a run, if it has one, and returns what is before it.
func unseal(run string, data []byte) ([]byte, error) {
	n := len(data) - sealBytes
	if n < 0 {
		return data, nil
	}
	var sum uint32
	switch binary.BigEndian.Uint32(data[n:]) {
	case boundMark:
		sum = bound(run)
	case sealMark:
	default:
		return data, nil
	}
	if binary.BigEndian.Uint32(data[n+sizeBytes:]) != checksum(sum, data[:n]) {
		return nil, fmt.Errorf("%w: a piece of records is not as it was written", ErrDamaged)
	}
	return data[:n], nil
}

// eachRecord decodes a piece of a run until more says no.
func eachRecord(run string, data []byte, more func(engine.Record) bool) error {
	data, err := unseal(run, data)
	if err != nil {
		return err
	}
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
